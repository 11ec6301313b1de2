"""Gates: where, when and which way does each layer shift, and does it matter?"""

from __future__ import annotations

import streamlit as st

from app.cache.charts import drawn
from app.components.downloads import gates_command, gates_zip
from app.components.panels import PanelView, by_length, lighter
from app.components.sentences import what_moves
from app.pages.gates.channels import show_channels
from app.pages.gates.experiments import show_data_experiments, show_experiments
from app.pages.gates.layers import show_layers
from app.pages.gates.patching import show_patching
from app.pages.gates.readings import show_clip_weights, show_map_readings, show_readings
from app.pages.order import charts
from app.queries import clip_results
from app.shell import session
from app.shell.layout import (
    OTHER_ORDER,
    Choices,
    choose_order,
    current_order,
    frame_models,
    heading,
    open_clip,
    say_protocols,
)
from gsm_model.explain.gates.report import GateReport
from gsm_model.explain.gates.tables import gate_rows, layer_figures
from gsm_model.exports.gates import seen_frames
from gsm_model.figures.presets import WIDTHS
from gsm_model.io.tables import csv_text
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order

QUESTION = "Where, when and which way does each layer shift?"
WORDS = """
- **gate**: a number in −1 … 1 for each place, frame and direction: 0 leaves a feature where it is, +1 swaps in the neighbouring frame's, +½ averages
  the two, −1 takes a difference (doubles its own, subtracts the neighbour's). A TSM's gates are 1 for a fixed share of the channels each way (an eighth as published), a TSN has none.
- **from the next, from the previous frame**: each gate rules its own half of the channels, one for each direction.
- **energy**: the sum of squared features. An output is the sum of a part of its own frame and a part of a neighbour's; shares are of those parts' energies.
- **adaptivity**: the standard deviation of a layer's gates about each direction's mean: 0 would be a fixed shift.
- **reach**: how many frames back and ahead the input can matter at this layer, by which weights of the gates are not zero.
- **crossing**: how much of a layer's output crosses time, f(x) − alone(x): its energy over that of the output, where *alone* is the layer with every frame among copies of itself.
- A system **without gates** (R(2+1)D, GST, …) shows, in place of gates, the share of each place's energy that comes from later and from earlier frames: what its output loses when those are blank.
- **fusion weight** (GSF): for each channel and frame, how much of the shifted features is kept; the rest of the output is what stayed, by one less that weight.
- *lost*: what the shift carries over the clip's first or last frame.

Source: Sudhakaran, Escalera, Lanz, *Gate-Shift Networks for Video Action Recognition*, CVPR 2020, section 3.2. Gates are float32 outputs of the network, nothing is rescaled.
"""  # noqa: E501


def show(choices: Choices) -> None:
    """The gates of the chosen models on the chosen clip, experiments on them, and files to take
    away.
    """
    choices, left_out = frame_models(choices)
    if left_out and not choices.models:
        heading(QUESTION, f"{left_out} Compare, Order and Grad-CAM work with it.")
        return
    opened = open_clip(choices, QUESTION)
    clip = choices.clip
    if opened is None or clip is None:
        return
    counts, video = opened
    order = current_order()
    orders = [order, OTHER_ORDER[order]] if st.session_state.get("beside") else [order]
    seen = [
        _look(
            choices,
            clip,
            ref,
            video,
            count,
            which,
            lighter(choices.color(ref)) if number else choices.color(ref),
        )
        for ref, count in zip(choices.models, counts, strict=True)
        for number, which in enumerate(orders)
    ]
    now = [one.report for one in seen if one.report.prediction.order == order]
    heading(QUESTION, what_moves(now), [report.prediction.caution for report in now])
    if left_out:
        st.caption(left_out)
    say_protocols(choices)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        choose_order()
    right.toggle(
        f"Compare with: {OTHER_ORDER[order]}",
        key="beside",
        persist_state="session",
        help="The same clip and models with the frames in the other order, on the same scale.",
    )
    st.session_state["layer_at_start"] = st.session_state.get("layer")
    lengths = by_length(seen)
    if len(lengths) > 1:
        st.caption(
            "The models are given different numbers of frames, so each number has a picture of its"
            " own. *Frames* in the sidebar makes them the same."
        )
    groups = {
        (count, gated): part
        for count, group in lengths.items()
        for gated, part in _by_gates(group).items()
    }
    if len({gated for _, gated in groups}) > 1:
        st.caption(
            "Models with gates and models without stand in pictures of their own: gates are numbers"
            " in −1 … 1, what crosses time without a gate is shown as a share of energy."
        )
    for (count, gated), group in groups.items():
        kind = "" if gated else "-shares"
        show_layers(group, video.info.seconds, f"{clip.key}-{count}{kind}")
        show_map_readings(group, video.info.seconds, f"{clip.key}-{count}{kind}")
        show_clip_weights(group, f"{clip.key}-{count}{kind}")
    show_readings(choices)
    _show_reach(choices, clip, counts, video)
    show_experiments(choices, clip, counts, video, order)
    show_patching(choices, clip, counts, video)
    show_channels(choices, clip, counts, video)
    show_data_experiments(choices)
    _show_details(choices, clip, seen, video)


def _by_gates(seen: list[PanelView[GateReport]]) -> dict[bool, list[PanelView[GateReport]]]:
    """Those with gates (a TSN counts as gates of 0), and those without."""
    groups: dict[bool, list[PanelView[GateReport]]] = {}
    for one in seen:
        groups.setdefault(one.report.is_gated, []).append(one)
    return groups


def _look(
    choices: Choices,
    clip: session.ClipRef,
    ref: session.ModelRef,
    video: DecodedVideo,
    count: int,
    order: Order,
    color: str,
) -> PanelView[GateReport]:
    with st.spinner("The models look at the clip …"):
        report = clip_results.gate_report(ref, choices.names[ref.key], clip, video, order, count)
    return PanelView(report, seen_frames(report, video, session.load_model(ref).input), color)


def _show_reach(
    choices: Choices, clip: session.ClipRef, counts: list[int], video: DecodedVideo
) -> None:
    box = st.expander("How far does each layer reach?", on_change="rerun", key="gates_reach")
    with box:
        if not box.open:
            return
        st.caption(
            "How much a layer's features change when the input frame so many frames away is"
            " replaced by its neighbour; *reach* in the table below is how far it can be."
        )
        with st.spinner("Tracing what moves what …"):
            flows = [
                clip_results.flow(ref, choices.names[ref.key], clip, video, count)
                for ref, count in zip(choices.models, counts, strict=True)
            ]
        largest = max(float(flow.reach_by_distance().max()) for flow in flows)
        for number, (column, flow) in enumerate(zip(st.columns(len(flows)), flows, strict=True)):
            alt = (
                f"{flow.card.name}: the change of each layer's features against the distance in"
                " frames"
            )
            column.plotly_chart(
                drawn(charts.reach, flow, largest), key=f"gates-reach-{number}", alt=alt
            )


def _show_details(
    choices: Choices, clip: session.ClipRef, seen: list[PanelView[GateReport]], video: DecodedVideo
) -> None:
    with st.expander("Numbers as a table"):
        rows = [
            {"model": one.name, "layer": layer.title, **layer_figures(layer)}
            for one in seen
            for layer in one.report.layers
        ]
        st.dataframe(
            rows,
            hide_index=True,
            column_config={
                name: st.column_config.NumberColumn(format="%.3f")
                for name in rows[0]
                if name not in ("model", "layer", "reach_back", "reach_ahead")
            },
        )
        st.download_button(
            "Download every layer and frame (CSV)",
            lambda: csv_text([row for one in seen for row in gate_rows(clip.name, one.report)]),
            "gates.csv",
            "text/csv",
            icon=":material/download:",
        )
    st.markdown("### Export")
    model, width = st.columns(2)
    ref = model.selectbox(
        "Of", list(choices.models), format_func=lambda ref: choices.names[ref.key], key="gates_of"
    )
    wide = width.segmented_control(
        "Width of the figures", list(WIDTHS), default="page", required=True, key="gates_width"
    )
    one = next(
        other
        for other, of in zip(seen[:: len(seen) // len(choices.models)], choices.models, strict=True)
        if of == ref
    )
    st.download_button(
        "Figures, film, arrays, tables and recipe (ZIP)",
        lambda: gates_zip(clip, ref, one, video.info.seconds, choices.segments, wide),
        f"gates-{ref.key}.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        help=(
            "gates.pdf, .svg, .png; strip.pdf, .svg, .png; gates.mp4, .gif; gates.npz; gates.csv,"
            " .parquet; recipe.json. Made when you click, in some seconds."
        ),
    )
    with st.expander("The same on the command line"):
        st.code(
            gates_command(clip, ref, one, choices.segments, wide),
            language="bash",
            wrap_lines=True,
        )
    with st.expander("What do these words mean?"):
        st.markdown(WORDS)
