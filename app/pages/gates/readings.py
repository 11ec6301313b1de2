"""What the chosen models' temporal modules show beside gates: of the clip, and of their weights."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components.panels import PanelView
from app.components.sentences import escape
from app.components.viewer import show_viewer
from app.pages.gates import charts
from app.pages.gates.view import reading_data, reading_groups
from app.shell import session
from app.shell.layout import Choices
from gsm_model.explain.gates.readings import reading_rows, weight_readings
from gsm_model.explain.gates.report import GateReport
from gsm_model.io.tables import csv_text


@st.fragment
def show_map_readings(seen: Sequence[PanelView[GateReport]], seconds: float, key: str) -> None:
    """A viewer for each kind of map that modules of the chosen models compute of the clip."""
    for group in reading_groups(seen):
        what = group[0][1].reading
        st.markdown(
            f"### {escape(what.title)}",
            help="What the modules themselves compute of this clip. Every layer has its own scale.",
        )
        names = "-".join(one.name for one, _ in group)
        start = st.session_state.get("layer", "")
        show_viewer(reading_data(group, start, seconds), f"reading-{key}-{what.name}-{names}")


def show_channel_readings(seen: Sequence[PanelView[GateReport]], title: str, key: str) -> None:
    """Charts of what modules of the layer called ``title`` compute by channel and frame."""
    found = [
        (one, readings.reading, readings.of_layer(title))
        for one in seen
        for readings in one.report.readings
        if "channel" in readings.reading.axes
    ]
    for number, (one, reading, values) in enumerate(found):
        if values is not None:
            st.plotly_chart(
                drawn(charts.by_channel, one.name, reading, values),
                key=f"channels-{key}-{number}",
                alt=f"{one.name}: {reading.title}, in {title}",
            )


def show_clip_weights(seen: Sequence[PanelView[GateReport]], key: str) -> None:
    """Charts of what modules compute of the whole clip, layer by layer."""
    found = [
        (one, readings)
        for one in seen
        for readings in one.report.readings
        if readings.reading.axes == ("kind",)
    ]
    if not found:
        return
    st.markdown(f"### {escape(found[0][1].reading.title)}")
    for number, (column, (one, readings)) in enumerate(
        zip(st.columns(len(found)), found, strict=True)
    ):
        column.plotly_chart(
            drawn(charts.clip_weights, one.name, readings, one.color),
            key=f"clip-weights-{key}-{number}",
            alt=f"{one.name}: {readings.reading.title}, layer by layer",
        )


def show_readings(choices: Choices) -> None:
    """Charts of the readings of each model that has some; nothing where none has."""
    models = {ref: session.load_model(ref) for ref in choices.models}
    found = {ref: weight_readings(model) for ref, model in models.items()}
    found = {ref: readings for ref, readings in found.items() if readings}
    if not found:
        return
    st.markdown(
        "### What do the weights say?",
        help="Readings of the temporal modules themselves, whatever the clip.",
    )
    for ref, readings in found.items():
        name = choices.names[ref.key]
        st.markdown(f"**{escape(name)}**")
        for column, reading in zip(st.columns(len(readings)), readings, strict=True):
            column.plotly_chart(
                drawn(charts.reading, reading, choices.color(ref)),
                key=f"reading-{ref.key}-{reading.name}",
                alt=f"{name}: {reading.title}, layer by layer",
            )
    rows = [row for ref in found for row in reading_rows(models[ref])]
    st.download_button(
        "Download the readings (CSV)",
        csv_text(rows),
        "readings.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
