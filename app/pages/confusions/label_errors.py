"""Likely label errors on the Confusions page, with their clips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.components.downloads import slices_command_line
from app.components.sentences import escape, percent
from app.pages.confusions.clips import look_at
from app.queries.comparison import Beside, PredictionsRef, label_errors
from gsm_model.confusion.label_errors import label_error_rows
from gsm_model.io.tables import csv_text
from gsm_model.predictions.table import Predictions

MOST_SHOWN = 500
_P = st.column_config.NumberColumn(format="percent")
_COLUMNS = {f"p_{what}_{letter}": _P for what in ("label", "suggested") for letter in "ab"}


@st.fragment
def show_label_errors(
    models: list[Predictions], files: Sequence[PredictionsRef], beside: Beside
) -> None:
    """The clips whose labels are likely wrong; nothing where a model has no scores."""
    if any(model.scores is None for model in models):
        return
    found = label_errors(models)
    st.markdown(
        "### Which labels are likely wrong?",
        help=(
            "Confident learning (Northcutt, Jiang, Chuang, JAIR 2021): clips that a model puts into"
            " another class with at least its mean probability on the clips labelled so; the surest"
            " first, and before all those that both models put into the same class. A model that"
            " has seen the clips in training has learnt wrong labels too."
        ),
    )
    n = len(models[0].ids)
    said = [
        f"**{escape(model.model)}** contradicts the labels of {len(one.rows):,} of {n:,} clips and"
        f" is right by them on {percent(float(model.right.mean()))}"
        for model, one in zip(models, found, strict=True)
    ]
    rows = label_error_rows(models, found)
    agreed = sum(bool(row.get("agreed")) for row in rows)
    same = ("none", "one clip")[agreed] if agreed < 2 else f"{agreed:,} clips"
    both = f" Both put {same} into the same other class." if len(found) > 1 else ""
    st.markdown(
        "; ".join(said) + f".{both} The list is as good as the model: where it is right on few"
        " clips, most are its own mistakes."
    )
    if not rows:
        return
    st.dataframe(rows[:MOST_SHOWN], hide_index=True, column_config=_COLUMNS, height=320)
    if len(rows) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of {len(rows):,}; the file has all.")
    st.download_button(
        "All of them (CSV)",
        csv_text(rows),
        "label-errors.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("The same on the command line "):
        st.code(
            slices_command_line(files, beside, "label-errors"), language="bash", wrap_lines=True
        )
    places = {id: row for row, id in enumerate(models[0].ids)}
    shown = np.array([places[str(row["clip"])] for row in rows[:MOST_SHOWN]])
    look_at(models, shown, "label_errors", first=False)
