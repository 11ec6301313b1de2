"""Which features carry the order: the section of the Gates page with patching."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components.on_request import cost_of_passes
from app.components.progress import cancellable
from app.components.sentences import escape, patched_most, percent
from app.pages.gates import charts
from app.queries.patching import (
    answer_of_cell,
    estimated,
    exact,
    has_exact,
    patching_recipe,
    patching_zip,
)
from app.shell import session
from app.shell.layout import Choices
from gsm_model.explain.patching.clips import Align, Patching, passes_needed
from gsm_model.explain.patching.features import SIDES, Side, places_of
from gsm_model.explain.patching.tables import patching_rows
from gsm_model.figures.patching import SIDE_NAMES
from gsm_model.io.tables import csv_text
from gsm_model.video.decoded import DecodedVideo

ALIGN_NAMES: dict[Align, str] = {"place": "at the same place", "picture": "of the same picture"}
HELP = (
    "The clip and its reversal hold the same pictures. Features of the reversal's run are copied"
    " into the clip's, at one layer and frame: how far does the prediction go, 0 not at all, 1 all"
    " the way to the reversal's? First estimated by one backward pass, then patched in truth."
)


@st.fragment
def show_patching(
    choices: Choices, clip: session.ClipRef, counts: Sequence[int], video: DecodedVideo
) -> None:
    """A heat map a model, layers by frames; a click on a cell shows the prediction with it."""
    box = st.expander("Which features carry the order?", on_change="rerun", key="patching")
    with box:
        if not box.open:
            return
        st.caption(HELP)
        refs = list(zip(choices.models, counts, strict=True))
        sides = _sides(choices.models)
        left, right = st.columns(2, vertical_alignment="bottom")
        side = left.selectbox(
            "What is copied",
            sides,
            index=sides.index("after"),
            format_func=lambda side: SIDE_NAMES.get(side, side),
            key=f"patching_side-{len(sides)}",
            help="Gates and what they move or keep are there for systems with gates alone.",
        )
        align = right.segmented_control(
            "From the reversal's frame",
            list(ALIGN_NAMES),
            format_func=lambda align: ALIGN_NAMES.get(align, align),
            default="place",
            required=True,
            key="patching_align",
            help=(
                "At the same place: another picture, so that all of the input is the whole effect."
                " Of the same picture: what differs is only what the layers before know of its"
                " neighbours."
            ),
        )
        refs = [(ref, count) for ref, count in refs if side in _sides([ref])]
        names = [choices.names[ref.key] for ref, _ in refs]
        with st.spinner("One backward pass a model …"):
            found = [
                estimated(ref, name, clip, video, align, count)
                for (ref, count), name in zip(refs, names, strict=True)
            ]
        wanted = all(has_exact(ref, clip, align, side, count) for ref, count in refs)
        asking = st.empty()
        if not wanted:
            with asking.container():
                st.caption(_cost(choices, clip, video, refs))
                wanted = st.button(
                    "Patch every layer and frame", icon=":material/content_paste_go:"
                )
        if wanted:
            found = [
                _patch(ref, name, clip, video, align, side, count)
                for (ref, count), name in zip(refs, names, strict=True)
            ]
            asking.empty()  # what is shown is no estimate any more
        _show(choices, clip, video, refs, found, side, align)


def _sides(refs: Sequence[session.ModelRef]) -> list[Side]:
    """What can be copied in any of the models."""
    there = {side for ref in refs for side in places_of(session.load_model(ref)).sides}
    return [side for side in SIDES if side in there]


def _cost(
    choices: Choices,
    clip: session.ClipRef,
    video: DecodedVideo,
    refs: Sequence[tuple[session.ModelRef, int]],
) -> str:
    passes = [
        (ref, count, passes_needed(len(places_of(session.load_model(ref)).layers), count))
        for ref, count in refs
    ]
    return f"Shown is the estimate. Patching takes {cost_of_passes(choices, clip, video, passes)}."


def _patch(
    ref: session.ModelRef,
    name: str,
    clip: session.ClipRef,
    video: DecodedVideo,
    align: Align,
    side: Side,
    count: int,
) -> Patching:
    if has_exact(ref, clip, align, side, count):
        return exact(ref, name, clip, video, align, side, count)
    stop = "Back to the estimate; what other models have found is kept."
    with cancellable(
        f"{name}: features are copied …", f"{name}: copy", f"cancel-patching-{ref.key}", stop
    ) as progress:
        return exact(ref, name, clip, video, align, side, count, progress)


def _show(
    choices: Choices,
    clip: session.ClipRef,
    video: DecodedVideo,
    refs: Sequence[tuple[session.ModelRef, int]],
    found: Sequence[Patching],
    side: Side,
    align: Align,
) -> None:
    st.markdown("  \n".join(patched_most(one, side) for one in found))
    for number, (column, one, (ref, count)) in enumerate(
        zip(st.columns(len(found)), found, refs, strict=True)
    ):
        with column:
            event = st.plotly_chart(
                drawn(charts.patching, one, side),
                key=f"patching-{number}-{side}-{align}",
                on_select="rerun",
                selection_mode="points",
                alt=f"{one.card.name}: effect of copying {SIDE_NAMES[side]}, layer by frame",
            )
            points = event.selection.points
            cells = [point["customdata"] for point in points if "customdata" in point]
            if not cells:
                st.caption("Click a cell to see the prediction with that copy.")
                continue
            _show_cell(clip, video, ref, one, side, align, cells[0], count)
    rows = [row for one in found for row in patching_rows(clip.name, one)]
    left, right = st.columns(2)
    left.download_button(
        "Download the effects (CSV)",
        lambda: csv_text(rows),
        "patching.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    of = [ref for ref, _ in refs]
    right.download_button(
        "Figures, table, numbers and recipe of patching (ZIP)",
        lambda: patching_zip(clip, of, found, side, align, choices.segments),
        "patching.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
    )
    recipe = patching_recipe(clip, of, side, align, choices.segments)
    st.code(recipe.command, language="bash", wrap_lines=True)


def _show_cell(
    clip: session.ClipRef,
    video: DecodedVideo,
    ref: session.ModelRef,
    one: Patching,
    side: Side,
    align: Align,
    cell: Sequence[int],
    count: int,
) -> None:
    at, frame = int(cell[0]), int(cell[1])
    layer = one.layers[at]
    found = answer_of_cell(ref, clip, video, align, side, layer, frame, count)
    assert one.target.versus is not None
    shares = " and ".join(
        f"*{escape(one.card.label(index))}* {percent(found[index])}"
        for index in (one.target.index, one.target.versus)
    )
    st.markdown(
        f"With the reversal's features at *{layer}*, frame {one.frame_indices[frame]}: {shares}"
        f" (effect {one.effect(side)[at, frame]:+.2f})".replace("-", "−")
    )
