"""The embedding on the Confusions page: clips as points, by their scores or their features."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.cache.charts import drawn
from app.pages.confusions import charts
from app.queries.comparison import embeddings
from gsm_model.confusion.embedding import (
    FEWEST_CLIPS,
    METHODS,
    Method,
    Of,
    has_umap,
    mark_pairs,
    mark_right,
    mark_wrong,
)
from gsm_model.confusion.pairs import Pair
from gsm_model.figures.model_colors import color_beside
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

SHOWN_BY = {"right": "who is right", "pairs": "the first two pairs"}
METHOD_NAMES: dict[Method, str] = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}


@st.fragment
def show_embedding(
    models: list[Predictions],
    paired: PairedPredictions | None,
    pairs: list[Pair],
    colors: tuple[str, ...],
) -> None:
    """Every clip as a point, a panel a model; nothing where there are no scores and no features, or
    too few clips.
    """
    of_all: list[Of] = []
    if all(model.scores is not None for model in models):
        of_all.append("scores")
    if all(model.features is not None for model in models):
        of_all.append("features")
    if not of_all or len(models[0].ids) < FEWEST_CLIPS:
        return
    heading = st.container()
    columns = st.columns(3 if len(of_all) > 1 else 2)
    of: Of = of_all[0]
    if len(of_all) > 1:
        of = columns[0].segmented_control(
            "Embedding of",
            of_all,
            default="scores",
            required=True,
            key="embedding_of",
            help="The scores of all classes, or the backbone's pooled features behind them.",
        )
    heading.markdown(
        f"### Embedding of the {of}",
        help=(
            f"Every clip is a point; clips with like {of} lie close together. PCA shows the two"
            f" directions in which {of} differ most; t-SNE and UMAP keep neighbours together, and"
            " how far groups lie apart means nothing in them."
        ),
    )
    methods = [name for name in METHODS if name != "umap" or has_umap()]
    method = columns[-2].segmented_control(
        "Projection",
        methods,
        format_func=lambda name: METHOD_NAMES.get(name, name),
        default="pca",
        required=True,
        key="scores_by",
    )
    kinds = list(SHOWN_BY) if pairs else ["right"]
    kind = columns[-1].segmented_control(
        "Coloured by",
        kinds,
        format_func=lambda name: SHOWN_BY.get(name, name),
        default="right",
        required=True,
        key="scores_of",
    )
    found = embeddings(models, method, of)
    for number, (column, model, one) in enumerate(
        zip(st.columns(len(models)), models, found, strict=True)
    ):
        if kind == "pairs":
            marked = mark_pairs(model, pairs, one.rows)
        else:
            marked = mark_right(paired, one.rows) if paired else mark_wrong(model, one.rows)
        of_kinds = None if kind == "pairs" else _kinds_colors(paired, colors, number)
        named = replace(model, features=None, properties={})  # which a key need not hold
        figure = drawn(charts.scores, one, marked, named, of_kinds)
        column.plotly_chart(
            figure,
            key=f"scores-{number}",
            alt=f"{model.model}: its clips as points, by {SHOWN_BY[kind]}",
        )
    if len(of_all) == 1 and of == "scores":
        st.caption("Tables that `evaluate --features` writes show the backbone's features as well.")


def _kinds_colors(
    paired: PairedPredictions | None, colors: tuple[str, ...], number: int
) -> tuple[str, ...]:
    """The colours of what `mark_right` marks, or `mark_wrong` of the model ``number``."""
    return (*colors, color_beside(colors)) if paired else (colors[number],)
