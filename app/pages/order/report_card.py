"""The temporal report card: the section of the Order page that makes one of the chosen models."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.progress import cancellable
from app.components.sentences import escape, needs_order
from app.queries.report_card import card_page, has_card, passes_of_card, temporal_card
from app.shell import session
from app.shell.layout import Choices, explain_error
from gsm_model.errors import LensError
from gsm_model.explain.report_card.card import TemporalCard, card_rows
from gsm_model.io.tables import csv_text

CLIPS = (100, 200, 400, 1000)
MOST_MODELS = 4
HELP = (
    "One printable page: accuracy with the frames in order, reversed, shuffled, frozen and one by"
    " one, with temporal exchange cut from each layer on, pair by pair, and exact tests of which"
    " classes need the order; on drawn test clips. For a list of your own: the command"
    " `report-card --data LIST`."
)


@st.fragment
def show_report_card(choices: Choices) -> None:
    """A button, what it costs, and when it was asked for the page."""
    st.markdown("### Temporal report card", help=HELP)
    refs = choices.models[:MOST_MODELS]
    clips = st.select_slider(
        "Drawn test clips",
        CLIPS,
        value=CLIPS[1],
        key="card_clips",
        help="Of 20 classes: 200 clips are ten of each, the fewest with which a class can pass.",
    )
    if not all(has_card(ref, clips) for ref in refs):
        passes = clips * sum(passes_of_card(ref) for ref in refs)
        st.caption(f"About {passes:,} forward passes: minutes on a CPU.")
        if not st.button("Make the report card", icon=":material/summarize:"):
            return
    try:
        cards = [_card(choices, ref, clips) for ref in refs]
    except LensError as error:
        explain_error(error, "Choose models that were trained on the drawn clips.")
        return
    _show(refs, cards, clips)


def _card(choices: Choices, ref: session.ModelRef, clips: int) -> TemporalCard:
    name = choices.names[ref.key]
    if has_card(ref, clips):
        return temporal_card(ref, name, clips)
    stop = "Stops here; the cards of other models are kept."
    with cancellable(
        f"{name}: clips are drawn …", f"{name}: clip", f"cancel-card-{ref.key}", stop
    ) as progress:
        return temporal_card(ref, name, clips, progress)


def _show(refs: Sequence[session.ModelRef], cards: Sequence[TemporalCard], clips: int) -> None:
    st.markdown("  \n".join(needs_order(card) for card in cards))
    page = card_page(refs, cards, clips)
    names = " and ".join(escape(card.origin.model) for card in cards)
    st.image(page.printed.picture, caption="As it prints.", alt=f"Temporal report card of {names}")
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
