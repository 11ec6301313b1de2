"""What each frame is worth: the section of the Order page with Shapley values."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components.on_request import cost_of_passes
from app.components.progress import cancellable
from app.components.sentences import escape, frame_worth
from app.pages.order import shapley_charts
from app.queries import clip_results
from app.queries.shapley import (
    FrameQuestion,
    frame_values,
    has_frame_values,
    shapley_recipe,
    shapley_zip,
)
from app.shell import session
from app.shell.layout import Choices
from gsm_model.data.labels import reversed_classes
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.shapley.frames import FILLINGS, Filling, FrameShapley, passes_needed
from gsm_model.explain.shapley.tables import frame_rows
from gsm_model.explain.shapley.values import MOST_EXACT
from gsm_model.io.tables import csv_text
from gsm_model.video.decoded import DecodedVideo

FILLING_NAMES: dict[Filling, str] = {
    "left out": "left out",
    "nearest": "the nearest kept frame",
}
HELP = (
    "Shapley values: the mean of what a frame adds to the logit over all orders in which the frames"
    " could be added. They add up exactly to the clip's logit less that of no frame, for which the"
    " mean picture stands throughout."
)
Asked = tuple[session.ModelRef, int]


@st.fragment
def show_shapley(
    choices: Choices, clip: session.ClipRef, counts: Sequence[int], video: DecodedVideo
) -> None:
    """The controls, what the computation costs, and when it is asked for, its results."""
    st.markdown("### What is each frame worth?", help=HELP)
    asked_of = _same_classes(choices, counts)
    first, count = asked_of[0]
    card = session.load_model(first).card
    classes = session.load_model(first).architecture.num_classes
    answer = clip_results.answer(first, choices.names[first.key], clip, video, "forward", count)
    index = answer.top(1)[0][0]
    reverse = int(reversed_classes([card.label(k) for k in range(classes)])[index])
    left, right = st.columns(2, vertical_alignment="bottom")
    targets = [Target(index), *([Target(index, reverse)] if reverse >= 0 else [])]
    target = left.selectbox(
        "Worth to",
        targets[::-1],
        format_func=lambda target: target.name(card),
        key=f"shapley_target-{first.key}-{clip.key}",
        help="The logit of the first model's answer, or its lead over the reversed class.",
    )
    filling = right.segmented_control(
        "A missing frame is",
        FILLINGS,
        format_func=lambda filling: FILLING_NAMES.get(filling, filling),
        default="left out",
        required=True,
        key="shapley_filling",
        help=(
            "Left out: the network sees the frames that are left, fewer than it was trained with."
            " The nearest kept frame: it sees as many as ever, some of them twice."
        ),
    )
    asked = FrameQuestion(target, filling)
    known = all(has_frame_values(ref, clip, asked, count) for ref, count in asked_of)
    asking = st.empty()
    if not known:
        with asking.container():
            st.caption(_cost(choices, clip, video, asked_of, filling))
            pressed = st.button("Compute the frames' values", icon=":material/functions:")
        if not pressed:
            return
    found = [_compute(choices, clip, video, ref, count, asked) for ref, count in asked_of]
    asking.empty()  # nothing asks for what is there
    _show(choices, clip, [ref for ref, _ in asked_of], found, asked)


def _same_classes(choices: Choices, counts: Sequence[int]) -> list[Asked]:
    """The models that know the first one's classes; the page names the others."""
    chosen = list(zip(choices.models, counts, strict=True))
    labels = session.load_model(choices.models[0]).card.labels
    usable = [one for one in chosen if session.load_model(one[0]).card.labels == labels]
    for one in chosen:
        if one not in usable:
            st.caption(
                f"{escape(choices.names[one[0].key])} knows other classes than"
                f" {escape(choices.names[choices.models[0].key])} and is left out."
            )
    return usable


def _cost(
    choices: Choices,
    clip: session.ClipRef,
    video: DecodedVideo,
    asked_of: Sequence[Asked],
    filling: Filling,
) -> str:
    passes = [(ref, count, passes_needed(count, filling)) for ref, count in asked_of]
    exact = all(count <= MOST_EXACT for _, count in asked_of)
    how = (
        "exact, over all subsets of the frames"
        if exact
        else f"sampled, with intervals, above {MOST_EXACT} frames"
    )
    said = cost_of_passes(choices, clip, video, passes)
    return f"{said[0].upper()}{said[1:]}; {how}."


def _compute(
    choices: Choices,
    clip: session.ClipRef,
    video: DecodedVideo,
    ref: session.ModelRef,
    count: int,
    asked: FrameQuestion,
) -> FrameShapley:
    name = choices.names[ref.key]
    if has_frame_values(ref, clip, asked, count):
        return frame_values(ref, name, clip, video, asked, count)
    stop = "Stops the computation; what other models have found is kept."
    with cancellable(
        f"{name}: frames in subsets …", f"{name}: frame", f"cancel-shapley-{ref.key}", stop
    ) as progress:
        return frame_values(ref, name, clip, video, asked, count, progress)


def _show(
    choices: Choices,
    clip: session.ClipRef,
    refs: Sequence[session.ModelRef],
    found: Sequence[FrameShapley],
    asked: FrameQuestion,
) -> None:
    st.markdown("  \n".join(frame_worth(one) for one in found))
    for number, (column, one) in enumerate(zip(st.columns(len(found)), found, strict=True)):
        alt = f"{one.card.name}: what each frame adds to the logit of {one.target_name}"
        column.plotly_chart(drawn(shapley_charts.steps, one), key=f"steps-{number}", alt=alt)
    st.caption(
        "Interactions: how much more two frames are worth together than apart. A TSN's come from"
        " averaging alone."
    )
    for number, (column, one) in enumerate(zip(st.columns(len(found)), found, strict=True)):
        figure = drawn(
            shapley_charts.matrix,
            one,
            one.game.interactions,
            ("frame", "frame"),
            "frames %{y} and %{x}: %{z:+.3f}",
        )
        alt = f"{one.card.name}: the interaction of every two frames"
        column.plotly_chart(figure, key=f"interactions-{number}", alt=alt)
    if all(one.relations is not None for one in found):
        st.caption(
            "Order: what it is worth that the row's frame comes before the column's, all frames"
            " being there in a random order. Of a TSN it is 0."
        )
        for number, (column, one) in enumerate(zip(st.columns(len(found)), found, strict=True)):
            assert one.relations is not None
            figure = drawn(
                shapley_charts.matrix,
                one,
                one.relations.values,
                ("… before this", "this frame …"),
                "%{y} before %{x}: %{z:+.3f}",
            )
            alt = f"{one.card.name}: the value of each frame coming before each other"
            column.plotly_chart(figure, key=f"relations-{number}", alt=alt)
    _show_details(choices, clip, refs, found, asked)


def _show_details(
    choices: Choices,
    clip: session.ClipRef,
    refs: Sequence[session.ModelRef],
    found: Sequence[FrameShapley],
    asked: FrameQuestion,
) -> None:
    rows = [row for one in found for row in frame_rows(clip.name, one)]
    with st.expander("Frame values as a table"):
        st.dataframe(rows, hide_index=True)
        st.dataframe(
            [
                {
                    "model": one.card.name,
                    "attribution": test.attribution,
                    "missing frames": FILLING_NAMES[test.filling],
                    "correlation with the loss by each frame": test.correlation,
                    "insertion less deletion (logits)": test.area,
                }
                for one in found
                for test in one.tests
            ],
            hide_index=True,
        )
        st.download_button(
            "Download the frame values (CSV)",
            csv_text(rows),
            "frames.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    st.download_button(
        "Figures, tables, numbers and recipe of the frame values (ZIP)",
        lambda: shapley_zip(clip, refs, found, asked, choices.segments),
        "shapley.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("The frame values on the command line"):
        recipe = shapley_recipe(clip, refs, asked, choices.segments)
        st.code(recipe.command, language="bash", wrap_lines=True)
