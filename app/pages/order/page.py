"""Order: what if time ran otherwise, for one clip and for a whole data set?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from app.cache.charts import drawn
from app.components.downloads import order_command
from app.components.media import as_printed, clip_strip
from app.components.sentences import escape, flips, order_matters
from app.pages.order import charts
from app.pages.order.report_card import show_report_card
from app.pages.order.shapley import show_shapley
from app.queries import clip_results, precomputed
from app.shell import session
from app.shell.layout import (
    Choices,
    explain_error,
    frame_models,
    heading,
    keep,
    open_clip,
    say_protocols,
)
from app.shell.uploads import Upload
from gsm_model.bundled import prediction_files
from gsm_model.errors import LensError
from gsm_model.explain.order.flow import Flow
from gsm_model.explain.order.report import OrderReport
from gsm_model.explain.order.tables import clip_table, flips_table
from gsm_model.io.tables import csv_text
from gsm_model.video.isolate import DecodedVideo

Result = TypeVar("Result")
QUESTION = "What if time ran otherwise?"
KINDS = {"replacement": "by replacement", "gradient": "by gradient"}
SENSITIVITY = (
    "Order sensitivity: how far a shuffle of the frames moves the model's probabilities, from 0 (no"
    " order changes anything) to 1. It is the mean over 20 shuffles of the total variation"
    " distance, half the sum of all changes."
)


def show(choices: Choices) -> None:
    """The chosen models' answers to the chosen clip in other orders, where the information flows,
    and the same on a data set.
    """
    opened = open_clip(choices, QUESTION)
    clip = choices.clip
    if opened is None or clip is None:
        return
    counts, video = opened
    chosen = list(zip(choices.models, counts, strict=True))
    reports = _for_each(
        "The models see the frames in other orders",
        chosen,
        choices,
        clip_results.order_report,
        clip,
        video,
    )
    heading(QUESTION, order_matters(reports), [report.caution for report in reports])
    say_protocols(choices)
    st.plotly_chart(
        drawn(charts.orders, reports, [choices.color(ref) for ref in choices.models]),
        key="orders",
        alt=order_matters(reports),
    )
    for column, report in zip(st.columns(len(reports)), reports, strict=True):
        column.metric(
            f"Order sensitivity of {report.card.name}",
            f"{report.sensitivity:.2f}",
            help=SENSITIVITY,
        )
    for count in sorted(set(counts)):
        st.caption(f"The {count} frames of the clip, forward")
        report = reports[counts.index(count)]
        st.html(clip_strip(video, report.frame_indices))
    _show_swaps(reports)
    traced, left_out = frame_models(choices)
    if traced.models:
        of = [one for one in chosen if one[0] in traced.models]
        _show_flow(
            _for_each("Tracing what moves what", of, choices, clip_results.flow, clip, video)
        )
    if left_out:
        st.caption(f"Where information crosses time: {left_out}")
    show_shapley(choices, clip, counts, video)
    _show_clip_details(choices, clip, reports)
    _show_data_set()
    show_report_card(choices, clip, counts, video)


def _for_each(
    what: str,
    chosen: Sequence[tuple[session.ModelRef, int]],
    choices: Choices,
    compute: Callable[[session.ModelRef, str, session.ClipRef, DecodedVideo, int], Result],
    clip: session.ClipRef,
    video: DecodedVideo,
) -> list[Result]:
    """``compute`` for each model, with a bar that says how far it is."""
    place = st.empty()
    results = []
    for number, (ref, count) in enumerate(chosen):
        place.progress(number / len(chosen), f"{what}: {escape(choices.names[ref.key])} …")
        results.append(compute(ref, choices.names[ref.key], clip, video, count))
    place.empty()
    return results


def _show_swaps(reports: Sequence[OrderReport]) -> None:
    st.markdown(
        "### Sensitivity to swapped frames",
        help=(
            "Each cell: the probability of the model's answer when the two frames change places. On"
            " the diagonal: without that frame."
        ),
    )
    for number, (column, report) in enumerate(zip(st.columns(len(reports)), reports, strict=True)):
        alt = f"{report.card.name}: the probability of its answer with any two frames swapped"
        column.plotly_chart(drawn(charts.swaps, report), key=f"swaps-{number}", alt=alt)


def _show_flow(flows: Sequence[Flow]) -> None:
    st.markdown(
        "### Where does information cross time?",
        help=(
            "How much each input frame moves the score of the answer at each output frame. A TSN"
            " has only the diagonal; what is off the diagonal has crossed from one frame to"
            " another."
        ),
    )
    kind = st.segmented_control(
        "Measured",
        KINDS,
        format_func=lambda kind: KINDS.get(kind, kind),
        default="replacement",
        required=True,
        key="flow_kind",
        help=(
            "By replacement: the change of the score when the input frame is replaced by its"
            " neighbour. By gradient: the length of the score's derivative by the frame's pixels."
        ),
    )
    for number, (column, flow) in enumerate(zip(st.columns(len(flows)), flows, strict=True)):
        alt = f"{flow.card.name}: how much each input frame moves each frame's score, {KINDS[kind]}"
        column.plotly_chart(drawn(charts.flow, flow, kind), key=f"flow-{number}", alt=alt)
    st.markdown(
        "### How far does each layer reach?",
        help=(
            "The change of a layer's features at a frame, as a share of their own size, when the"
            " input frame so many frames away is replaced by its neighbour. The reach grows with"
            " depth where modules pass features on."
        ),
    )
    largest = max(float(flow.reach_by_distance().max()) for flow in flows)
    for number, (column, flow) in enumerate(zip(st.columns(len(flows)), flows, strict=True)):
        alt = (
            f"{flow.card.name}: the change of each layer's features against the distance in frames"
        )
        column.plotly_chart(drawn(charts.reach, flow, largest), key=f"reach-{number}", alt=alt)


def _show_clip_details(
    choices: Choices, clip: session.ClipRef, reports: Sequence[OrderReport]
) -> None:
    rows = [row for report in reports for row in clip_table(clip.name, report)]
    with st.expander("Numbers as a table"):
        shown = (
            "model",
            "order",
            "answer",
            "probability",
            "reversal",
            "reversal_probability",
            "likeliest",
        )
        st.dataframe(
            [{key: row[key] if row[key] != "" else None for key in shown} for row in rows],
            hide_index=True,
        )
        st.download_button(
            "Download all orders (CSV)",
            csv_text(rows),
            "order.csv",
            "text/csv",
            icon=":material/download:",
        )
    with st.expander("The same on the command line"):
        st.code(
            order_command(clip, choices.models, choices.segments),
            language="bash",
            wrap_lines=True,
        )


def _show_data_set() -> None:
    st.markdown(
        "### Results on a data set",
        help=(
            "Of the clips whose class is another's time reversal: what becomes of a model's answers"
            " when the frames are reversed."
        ),
    )
    files = st.file_uploader(
        "Tables of predictions (.parquet): a forward and a reversed one of each model",
        type=["parquet"],
        accept_multiple_files=True,
        key="order_tables",
        max_upload_size=200,
        help=(
            "Written by python -m gsm_model evaluate, with --order forward and with --order"
            " reversed."
        ),
    )
    uploaded = [upload for upload in map(keep, files) if upload is not None]
    tables = uploaded or [
        Upload(path.name, path, session.digest(path))
        for path in prediction_files()
        if "_test_" in path.name
    ]
    if not tables:
        st.info(
            "Drop a forward and a reversed table here. Make them with `python -m gsm_model evaluate"
            " --data LIST --checkpoint MODEL --order forward --out forward.parquet`, and the same"
            " with `reversed`.",
            icon=":material/table_chart:",
        )
        return
    try:
        found = precomputed.flips(tables, private=bool(uploaded))
    except LensError as error:
        explain_error(error, "Remove that file above, or drop the one that is missing beside it.")
        return
    st.markdown(flips(found.models))
    as_printed(
        "flips",
        found.figure.picture,
        "As it prints. Every row is a pair of classes.",
        "What becomes of each model's answers when the frames are reversed, a row a pair of"
        " classes",
    )
    rows = flips_table(found.models)
    with st.expander("Numbers as a table"):
        percents = {
            name: st.column_config.NumberColumn(format="percent")
            for name, value in rows[0].items()
            if isinstance(value, float)
        }
        st.dataframe(rows, hide_index=True, column_config=percents)
    left, right, _ = st.columns([1, 1, 3])
    left.download_button(
        "Figure (PDF)", found.figure.pdf, "order.pdf", "application/pdf", icon=":material/download:"
    )
    right.download_button(
        "Table (CSV)", csv_text(rows), "order-data.csv", "text/csv", icon=":material/download:"
    )
