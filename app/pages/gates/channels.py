"""What single channels carry: the section of the Gates page with static and dynamic channels."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components.on_request import CostlyLook, cost_over_drawn_clips, on_request
from app.components.sentences import carried
from app.pages.gates import charts
from app.queries.channels import Study, channels_recipe, channels_zip, has_study, study
from app.shell import session
from app.shell.layout import Choices
from gsm_model.explain.channels.features import SIDES, Side
from gsm_model.explain.channels.report import passes_of_study
from gsm_model.explain.channels.tables import channel_rows
from gsm_model.figures.channels import SIDE_NAMES
from gsm_model.io.tables import csv_text
from gsm_model.video.decoded import DecodedVideo

CLIPS = (108, 216, 432)
HELP = (
    "Drawn clips of a hand that pushes a thing, whose shape, colour, position and direction vary"
    " independently. A channel, averaged over space, carries a factor if its mean or its slope over"
    " time says more of it than the best of all channels does in 95 of 100 permutations of the"
    " labels. Beside it: the share of channels that change by a quarter of their standard deviation"
    " when the clips are reversed, or frozen."
)


@st.fragment
def show_channels(
    choices: Choices, clip: session.ClipRef, counts: Sequence[int], video: DecodedVideo
) -> None:
    """What it costs, a button, and a heat map a model: layers by factors."""
    box = st.expander("What do the channels carry?", on_change="rerun", key="channels")
    with box:
        if not box.open:
            return
        st.caption(HELP)
        left, right = st.columns(2, vertical_alignment="bottom")
        clips = left.select_slider("Drawn clips", CLIPS, value=CLIPS[1], key="channels_clips")
        side = right.selectbox(
            "Channels of",
            SIDES,
            index=SIDES.index("output"),
            format_func=lambda side: SIDE_NAMES.get(side, side),
            key="channels_side",
        )
        refs = choices.models
        look = CostlyLook(
            "channels",
            "Read the channels",
            ":material/tune:",
            lambda ref: has_study(ref, clips),
            lambda ref, name, progress: study(ref, name, clips, progress),
            lambda: _cost(choices, clip, counts, video, clips),
            "Choose models of RGB frames.",
        )
        if found := on_request(choices, refs, look):
            _show(refs, found, clips, side)


def _cost(
    choices: Choices,
    clip: session.ClipRef,
    counts: Sequence[int],
    video: DecodedVideo,
    clips: int,
) -> str:
    missing = [
        (ref, count, passes_of_study(clips))
        for ref, count in zip(choices.models, counts, strict=True)
        if not has_study(ref, clips)
    ]
    return cost_over_drawn_clips(choices, clip, video, missing, clips)


def _show(
    refs: Sequence[session.ModelRef],
    found: Sequence[Study],
    clips: int,
    side: Side,
) -> None:
    st.markdown("  \n".join(carried(report) for report, _ in found))
    for number, (column, (report, contrast)) in enumerate(
        zip(st.columns(len(found)), found, strict=True)
    ):
        if not any(side in report.sides(layer) for layer in report.layers):
            column.caption(f"{report.card.name} has no learnt gates.")
            continue
        column.plotly_chart(
            drawn(charts.channels, report, contrast, side),
            key=f"channels-{number}-{side}-{clips}",
            alt=f"{report.card.name}: the share of channels that carry each factor, by layer",
        )
    rows = [row for report, _ in found for row in channel_rows(report)]
    left, right = st.columns(2)
    left.download_button(
        "Download what channels carry (CSV)",
        lambda: csv_text(rows),
        "channels.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    right.download_button(
        "Figures, tables, numbers and recipe of channels (ZIP)",
        lambda: channels_zip(refs, found, clips, side),
        "channels.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
    )
    recipe = channels_recipe(refs, clips, side)
    st.code(recipe.command, language="bash", wrap_lines=True)
