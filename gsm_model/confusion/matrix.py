"""Confusion matrices: true class by row, answer by column."""

from __future__ import annotations

from typing import Literal

import numpy as np
from sklearn.metrics import confusion_matrix

from gsm_model.confusion.answers import Answers
from gsm_model.errors import DataError
from gsm_model.predict import softmax

Normalise = Literal["none", "true", "predicted", "all"]
_SKLEARN = {"none": None, "true": "true", "predicted": "pred", "all": "all"}


def confusion(answers: Answers, normalise: Normalise = "none") -> np.ndarray:
    """(K, K): counts (int64), or shares (float64) of the true class, of the answer, or of all
    clips; 0 where there is no clip.

    Source: scikit-learn's ``confusion_matrix``.
    """
    return confusion_matrix(
        answers.truth,
        answers.predicted,
        labels=range(len(answers.labels)),
        normalize=_SKLEARN[normalise],
    )


def topk_confusion(answers: Answers, k: int) -> np.ndarray:
    """(K, K) int64: how many clips of every true class (row) have every class (column) among their
    ``k`` likeliest.

    Raises:
        DataError: if the answers have no scores.
        ValueError: if ``k`` is outside 1 … K.
    """
    scores = _scores(answers)
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"the {k} likeliest of {scores.shape[1]} classes")
    likeliest = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    counts = np.zeros((scores.shape[1],) * 2, np.int64)
    np.add.at(counts, (answers.truth[:, None], likeliest), 1)
    return counts


def expected_confusion(answers: Answers) -> np.ndarray:
    """(K, K) float64: the mean probability of every class (column) over the clips of every true
    class (row); 0 where there is no clip.

    Raises:
        DataError: if the answers have no scores.
    """
    probabilities = softmax(_scores(answers))
    k = len(answers.labels)
    total = np.zeros((k, k))
    np.add.at(total, answers.truth, probabilities)
    return total / np.maximum(np.bincount(answers.truth, minlength=k), 1)[:, None]


def _scores(answers: Answers) -> np.ndarray:
    if answers.scores is None:
        raise DataError(
            f"{answers.source}: has only the predicted classes; this needs a score for every class"
        )
    return answers.scores
