"""The temporal report card: the section of the Order page that makes one of the chosen models."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.media import as_printed
from app.components.on_request import CostlyLook, cost_over_drawn_clips, on_request
from app.components.sentences import escape, needs_order
from app.queries.report_card import card_page, has_card, passes_of_card, temporal_card
from app.shell import session
from app.shell.layout import Choices
from gsm_model.explain.report_card.card import TemporalCard, card_rows
from gsm_model.io.tables import csv_text
from gsm_model.video.decoded import DecodedVideo

CLIPS = (100, 200, 400, 1000)
MOST_MODELS = 4
HELP = (
    "One printable page: accuracy with the frames in order, reversed, shuffled, frozen and one by"
    " one, with temporal exchange cut from each layer on, pair by pair, and exact tests of which"
    " classes need the order; on drawn test clips. For a list of your own: the command"
    " `report-card --data LIST`."
)


@st.fragment
def show_report_card(
    choices: Choices, clip: session.ClipRef, counts: Sequence[int], video: DecodedVideo
) -> None:
    """What it costs, a button, and when it was asked for the page."""
    st.markdown("### Temporal report card", help=HELP)
    refs = choices.models[:MOST_MODELS]
    clips = st.select_slider(
        "Drawn test clips",
        CLIPS,
        value=CLIPS[1],
        key="card_clips",
        help="Of 20 classes: 200 clips are ten of each, the fewest with which a class can pass.",
    )
    look = CostlyLook(
        "card",
        "Make the report card",
        ":material/summarize:",
        lambda ref: has_card(ref, clips),
        lambda ref, name, progress: temporal_card(ref, name, clips, progress),
        lambda: _cost(choices, clip, counts, video, clips),
        "Choose models that were trained on the drawn clips.",
    )
    if cards := on_request(choices, refs, look):
        _show(refs, cards, clips)


def _cost(
    choices: Choices,
    clip: session.ClipRef,
    counts: Sequence[int],
    video: DecodedVideo,
    clips: int,
) -> str:
    missing = [
        (ref, count, clips * passes_of_card(ref))
        for ref, count in list(zip(choices.models, counts, strict=True))[:MOST_MODELS]
        if not has_card(ref, clips)
    ]
    return cost_over_drawn_clips(choices, clip, video, missing, clips)


def _show(refs: Sequence[session.ModelRef], cards: Sequence[TemporalCard], clips: int) -> None:
    st.markdown("  \n".join(needs_order(card) for card in cards))
    page = card_page(refs, cards, clips)
    names = " and ".join(escape(card.origin.model) for card in cards)
    alt = f"Temporal report card of {names}"
    as_printed("card", page.printed.picture, "As it prints.", alt)
    left, right = st.columns(2)
    left.download_button(
        "Report card (PDF)",
        page.printed.pdf,
        "card.pdf",
        "application/pdf",
        icon=":material/download:",
        on_click="ignore",
    )
    right.download_button(
        "Its numbers (CSV)",
        lambda: csv_text([row for card in cards for row in card_rows(card)]),
        "card.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
