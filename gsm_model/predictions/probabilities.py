"""Scores that are probabilities, as many programs write them, as the logits a table has."""

from __future__ import annotations

import numpy as np

from gsm_model.errors import DataError

_LEAST_CLASSES = 3  # of which an order of 0, 1 is no order but a choice
SMALLEST = 1e-30  # of a probability that is written as 0


def logits_of(scores: np.ndarray, name: str, notes: list[str]) -> np.ndarray:
    """``scores`` (n, K) as logits: as they are, with their signs turned if they are negative log
    probabilities, or, if they are probabilities, or sums or percentages of them
    (none negative, every row of the same sum), the logarithms; ``notes`` then says so.

    A softmax of the logarithms gives the probabilities again.

    Raises:
        DataError: if they are ranks, of which the first may be the likeliest or the last.
    """
    _check_no_ranks(scores, name)
    if len(scores) > 1 and (scores >= 0).all() and (scores > 1).any():
        with np.errstate(over="ignore", under="ignore"):
            sums = np.exp(-scores.astype(np.float64)).sum(axis=1)
        if np.abs(sums - 1).max() < 0.01:
            notes.append("scores are negative logarithms of probabilities; their signs are turned")
            return -scores
    if not scores.size or not (scores >= 0).all():
        return scores
    sums = scores.sum(axis=1, dtype=np.float64)
    total = float(np.median(sums))
    known = any(abs(total - usual) < 0.01 * usual for usual in (1, 100))
    if not total > 0 or not (known or len(scores) >= 10):
        return scores
    if np.abs(sums - total).max() > 0.01 * total:
        return scores
    notes.append(
        "scores are probabilities"
        + ("" if total < 1.01 else f" that sum to {total:.4g}")
        + ", of which the logarithms are taken"
    )
    return np.log(np.maximum(scores / total, SMALLEST)).astype(np.float32)


def _check_no_ranks(scores: np.ndarray, name: str) -> None:
    n, k = scores.shape
    if n < 2 or k < _LEAST_CLASSES or len(np.unique(scores[:1])) != k:
        return
    ordered = np.sort(scores, axis=1)
    if (ordered == ordered[:1]).all() and (np.diff(ordered[0]) == 1).all():
        raise DataError(
            f"{name}: its scores are ranks ({ordered[0, 0]:g} to {ordered[0, -1]:g} in every row),"
            " of which the first or the last may be the likeliest; bring the scores, or the"
            " predicted class"
        )
