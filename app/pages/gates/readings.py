"""What the weights of the chosen models' temporal modules say, on the Gates page."""

from __future__ import annotations

import streamlit as st

from app.cache.charts import drawn
from app.components.sentences import escape
from app.pages.gates import charts
from app.shell import session
from app.shell.layout import Choices
from gsm_model.explain.gates.readings import reading_rows, weight_readings
from gsm_model.io.tables import csv_text


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
