"""The whole matrix on the Confusions page: every view of it, and the clips of a cell that is
clicked.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.cache.charts import drawn
from app.components.sentences import taken_for
from app.pages.confusions import charts
from app.pages.confusions.clips import look_at
from gsm_model.confusion.clusters import cluster_order
from gsm_model.confusion.matrix import Normalise, confusion
from gsm_model.confusion.pairs import mutual_confusion
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

KINDS: dict[Normalise, str] = {
    "none": "clips",
    "true": "share of the true class",
    "predicted": "share of the answer",
    "all": "share of all clips",
}


@st.fragment
def show_matrix(models: list[Predictions], paired: PairedPredictions | None) -> None:
    """The whole matrix; a cell that is clicked lists its clips. Another view of it runs this
    alone.
    """
    st.markdown(
        "### The whole matrix",
        help="True class by row, answer by column. Drag to zoom, double-click to go back.",
    )
    left, middle, right = st.columns(3)
    which = left.segmented_control(
        "Of",
        ["A", "B", "A − B"] if paired else ["A"],
        default="A",
        required=True,
        key="matrix_of",
        help="A − B is the difference of the two.",
    )
    kind = middle.selectbox(
        "Showing",
        list(KINDS),
        format_func=lambda kind: KINDS.get(kind, kind),
        index=1,
        key="matrix_kind",
    )
    order = right.segmented_control(
        "Order of classes",
        ["by index", "clustered"],
        default="by index",
        required=True,
        key="matrix_order",
    )
    sought = st.text_input(
        "Find classes",
        key="matrix_find",
        placeholder="fold",
        help=(
            "Only classes with all of these words in their names, and those they are taken for or"
            " that are taken for them."
        ),
    )
    shown = models[1] if which == "B" else models[0]
    values, counts = confusion(shown, kind), confusion(shown)
    if which == "A − B":
        values, counts = values - confusion(models[1], kind), counts + confusion(models[1])
    places = (
        np.arange(len(shown.labels))
        if order == "by index"
        else cluster_order(np.sum([mutual_confusion(model) for model in models], axis=0))
    )
    if sought.strip():
        places = _found(places, sought, shown.labels, counts)
        if not len(places):
            st.info("No class has these words in its name.", icon=":material/search_off:")
            return
    title = (
        f"{shown.model}, {len(shown.ids):,} clips"
        if which != "A − B"
        else f"{models[0].model} less {models[1].model}, {len(shown.ids):,} clips"
    )
    figure = drawn(
        charts.matrix, values, counts, shown.labels, places, title, kind != "none", which == "A − B"
    )
    event = st.plotly_chart(
        figure,
        key="matrix",
        on_select="rerun",
        selection_mode="points",
        alt=f"Confusion matrix of {title}",
    )
    cells = [point["customdata"] for point in event.selection.points if "customdata" in point]
    if not cells:
        st.caption("Click a cell to list its clips.")
        return
    row, column = int(cells[0][2]), int(cells[0][3])
    of = [model for model in models if which == "A − B" or model is shown]
    clips = np.flatnonzero(
        (shown.truth == row) & np.any([model.predicted == column for model in of], axis=0)
    )
    st.markdown(taken_for(len(clips), shown.labels[row], shown.labels[column]))
    answers = {
        letter: [model.labels[model.predicted[clip]] for clip in clips]
        for letter, model in zip("AB"[: len(models)], models, strict=True)
    }
    ids = [shown.ids[clip] for clip in clips]
    st.dataframe(
        {"clip": ids, "true class": [shown.labels[row]] * len(clips), **answers}, hide_index=True
    )
    look_at(models, clips, "matrix")


def _found(
    places: np.ndarray, sought: str, labels: tuple[str, ...], counts: np.ndarray
) -> np.ndarray:
    """Of ``places``, in their order, the classes whose names have all words of ``sought``, and
    those that share clips with them.
    """
    words = sought.lower().split()
    named = np.array([all(word in label.lower() for word in words) for label in labels])
    mixed = (counts[named] > 0).any(0) | (counts[:, named] > 0).any(1)
    return places[(named | (mixed & named.any()))[places]]
