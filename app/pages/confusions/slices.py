"""The slices on the Confusions page: on which clips is a model right, and where does B beat A?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components.downloads import slices_command_line
from app.components.sentences import escape
from app.pages.confusions import slice_charts
from app.queries.comparison import Beside, PredictionsRef, slice_results
from app.shell.layout import explain_error
from gsm_model.confusion.slices import SliceResult, slice_rows
from gsm_model.errors import LensError
from gsm_model.io.tables import csv_text
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

MOST_NAMED = 4
_PERCENT = st.column_config.NumberColumn(format="percent")
_P = st.column_config.NumberColumn(format="%.2g")
_SHARES = ("accuracy_a", "low_a", "high_a", "accuracy_b", "low_b", "high_b")
_COLUMNS = {name: _PERCENT for name in (*_SHARES, "difference", "low", "high")} | {
    name: _P for name in ("p", "p_holm", "p_bh")
}
# Of all that the file has, what a table on a page shows.
_SHOWN = ("by", "slice", "n", "accuracy_a", "accuracy_b", "difference", "p_holm", "b_beats_a")


def show_slices(
    models: list[Predictions],
    paired: PairedPredictions | None,
    files: Sequence[PredictionsRef],
    colors: tuple[str, ...],
    beside: Beside,
) -> None:
    """Accuracies on slices of the clips as a chart and a table; nothing where nothing is known of
    the clips.
    """
    try:
        results = slice_results(models, paired, beside.properties)
    except LensError as error:
        if beside.properties is None:
            return
        explain_error(error, "Choose another file of properties; the slices need it read.")
        return
    question = "On which clips is B better?" if paired else "On which clips is it right?"
    st.markdown(
        f"### {question}",
        help=(
            "Clips by their length, brightness, motion, source, the models' confidence (of two the"
            " mean) and properties of your own, numbers cut at their quartiles. Accuracies with"
            " Wilson's 95 % intervals; filled where McNemar's exact test says that the models"
            " differ, p corrected after Holm for all slices together."
        ),
    )
    if paired is not None:
        st.markdown(_sentence(results))
    names = [model.model for model in models]
    st.plotly_chart(
        drawn(slice_charts.slices, results, names, colors),
        key="slices",
        alt="Accuracy on slices of the clips, a line a slice, with intervals",
    )
    rows = slice_rows(results)
    with st.expander("The slices as a table"):
        shown = [{key: row[key] for key in _SHOWN if key in row} for row in rows]
        st.dataframe(shown, hide_index=True, column_config=_COLUMNS)
        st.download_button(
            "All slices and tests (CSV)",
            csv_text(rows),
            "slices.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.code(slices_command_line(files, beside, "slices"), language="bash", wrap_lines=True)


def _sentence(results: Sequence[SliceResult]) -> str:
    better = [one for one in results if one.b_beats_a]
    worse = [
        one
        for one in results
        if one.comparison and one.comparison.difference < 0 and one.comparison.p_holm < 0.05
    ]
    text = f"B beats A on {len(better)} of {len(results)} slices by more than chance"
    text += f", A beats B on {len(worse)}." if worse else ", A beats B on none."
    if better:
        most = sorted(better, key=lambda one: -one.comparison.difference if one.comparison else 0)
        named = "; ".join(
            f"{escape(one.by)} {escape(one.name)}"
            f" ({100 * one.comparison.difference:+.0f} points)".replace("-", "−")
            for one in most[:MOST_NAMED]
            if one.comparison
        )
        text += f" By most: {named}."
    return text
