"""Confusion matrices: true class by row, answer by column."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.metrics import confusion_matrix

from gsm_model.predictions.table import Predictions, softmax

Normalise = Literal["none", "true", "predicted", "all"]
_SKLEARN = {"none": None, "true": "true", "predicted": "pred", "all": "all"}


def confusion(predictions: Predictions, normalise: Normalise = "none") -> np.ndarray:
    """(K, K): counts (int64), or shares (float64) of the true class, of the answer, or of all
    clips; 0 where there is no clip.

    Source: scikit-learn's ``confusion_matrix``.
    """
    return confusion_matrix(
        predictions.truth,
        predictions.predicted,
        labels=range(len(predictions.labels)),
        normalize=_SKLEARN[normalise],
    )


def topk_confusion(predictions: Predictions, k: int) -> np.ndarray:
    """(K, K) int64: how many clips of every true class (row) have every class (column) among their
    ``k`` likeliest.

    Raises:
        DataError: if the answers have no scores.
        ValueError: if ``k`` is outside 1 … K.
    """
    scores = predictions.require_scores()
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"the {k} likeliest of {scores.shape[1]} classes")
    likeliest = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    counts = np.zeros((scores.shape[1],) * 2, np.int64)
    np.add.at(counts, (predictions.truth[:, None], likeliest), 1)
    return counts


def expected_confusion(predictions: Predictions) -> np.ndarray:
    """(K, K) float64: the mean probability of every class (column) over the clips of every true
    class (row); 0 where there is no clip.

    Raises:
        DataError: if the answers have no scores.
    """
    probabilities = softmax(predictions.require_scores())
    k = len(predictions.labels)
    total = np.zeros((k, k))
    np.add.at(total, predictions.truth, probabilities)
    return total / np.maximum(np.bincount(predictions.truth, minlength=k), 1)[:, None]
