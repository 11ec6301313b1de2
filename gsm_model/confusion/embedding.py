"""A model's scores or features as points in a plane: clips that it sees alike lie close to each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, get_args

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from gsm_model.confusion.pairs import Pair
from gsm_model.errors import DataError
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

Method = Literal["pca", "tsne", "umap"]
Of = Literal["scores", "features"]
METHODS: tuple[Method, ...] = get_args(Method)
MOST_CLIPS = 3000  # t-SNE of more takes minutes, and so many points cover each other
MOST_PAIRS = 2
PERPLEXITY, NEIGHBOURS = 30, 15
DIRECTIONS = 50  # principal ones that neighbours are sought in, as t-SNE's authors do
FEWEST_CLIPS = 4


@dataclass(frozen=True)
class Embedding:
    """``points`` (m, 2) float64, without unit, of the clips ``rows`` (m,) int64 of a model;
    ``about`` says how they were found and ``of`` what of.
    """

    model: str
    rows: np.ndarray
    points: np.ndarray
    about: str
    of: Of = "scores"


@dataclass(frozen=True)
class Marked:
    """What each of m points is: ``kinds`` (m,) int64 are places in ``names``, or −1 for none of
    them.
    """

    names: tuple[str, ...]
    kinds: np.ndarray


def has_umap() -> bool:
    """Whether the package umap-learn is installed, which `embed` needs for *umap*."""
    return find_spec("umap") is not None


def embed(
    predictions: Predictions, method: Method = "pca", seed: int = 0, of: Of = "scores"
) -> Embedding:
    """The scores (logits) or the backbone's pooled features of at most 3,000 clips of
    ``predictions``, drawn by ``seed``, in two dimensions.

    *pca*: the two directions of most variance, whose share of it ``about`` says. *tsne*: neighbours
    stay neighbours (perplexity 30, or a third of the clips); distances between groups mean nothing.
    *umap*: the same aim by another way. For both, features are reduced to their 50 principal
    directions first.

    Source: scikit-learn's PCA and TSNE; umap-learn's UMAP.

    Raises:
        DataError: if the predictions have no scores or no features, are fewer than four clips, or
            umap-learn is not installed.
        ValueError: for another method.
    """
    if method not in METHODS:
        raise ValueError(f"no embedding {method!r}; there are {', '.join(METHODS)}")
    every = predictions.require_scores() if of == "scores" else predictions.require_features()
    n = len(predictions.ids)
    if n < FEWEST_CLIPS:
        raise DataError(f"{predictions.source}: {n} clips are too few for a picture of their {of}")
    rows = (
        np.arange(n)
        if n <= MOST_CLIPS
        else np.sort(np.random.default_rng(seed).choice(n, MOST_CLIPS, replace=False))
    )
    points, about = _laid_out(every[rows].astype(np.float64), method, seed, of)
    return Embedding(predictions.model, rows, points, about, of)


def _laid_out(values: np.ndarray, method: Method, seed: int, of: Of) -> tuple[np.ndarray, str]:
    """(m, D) as (m, 2), and how."""
    # All directions of thousands of features would take half a minute.
    solver = "full" if of == "scores" else "randomized"
    if method == "pca":
        found = PCA(2, svd_solver=solver, random_state=seed).fit(values)
        shares = found.explained_variance_ratio_
        about = f"PCA: {shares[0]:.0%} and {shares[1]:.0%} of the variance"
        return found.transform(values), about
    if of == "features" and min(values.shape) > DIRECTIONS:
        values = PCA(DIRECTIONS, svd_solver=solver, random_state=seed).fit_transform(values)
    if method == "tsne":
        perplexity = min(PERPLEXITY, (len(values) - 1) / 3)
        # From the principal directions, not from chance, so that two models' pictures can be laid
        # side by side.
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(values)
        return points.astype(np.float64), f"t-SNE, perplexity {perplexity:.0f}"
    if not has_umap():
        raise DataError("the package umap-learn is not installed; install it, or take tsne")
    import umap

    neighbours = min(NEIGHBOURS, len(values) - 1)
    points = umap.UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(values)
    return np.asarray(points, dtype=np.float64), f"UMAP, {neighbours} neighbours"


def mark_right(paired: PairedPredictions, rows: np.ndarray) -> Marked:
    """Which of two models is right on each of the clips ``rows``; both is left unmarked, being the
    most.
    """
    a, b = paired.a.right[rows], paired.b.right[rows]
    names = (
        f"only {paired.a.model} is right",
        f"only {paired.b.model} is right",
        "neither is right",
    )
    return Marked(names, np.select([a & ~b, b & ~a, ~a & ~b], [0, 1, 2], -1))


def mark_wrong(predictions: Predictions, rows: np.ndarray) -> Marked:
    """Which of the clips ``rows`` a model gets wrong."""
    return Marked((f"{predictions.model} is wrong",), np.where(predictions.right[rows], -1, 0))


def mark_pairs(predictions: Predictions, pairs: Sequence[Pair], rows: np.ndarray) -> Marked:
    """Of what true class each of the clips ``rows`` is, for the classes of the first two of
    ``pairs``.
    """
    classes = [index for pair in pairs[:MOST_PAIRS] for index in pair]
    truth = predictions.truth[rows]
    kinds = np.full(len(rows), -1)
    for kind, index in enumerate(classes):
        kinds[truth == index] = kind
    return Marked(tuple(predictions.labels[index] for index in classes), kinds)
