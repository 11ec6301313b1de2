"""Scores that are probabilities, as many programs write them, as the logits a table has."""

from __future__ import annotations

import numpy as np

SMALLEST = 1e-30  # of a probability that is written as 0


def logits_of(scores: np.ndarray, name: str, notes: list[str]) -> np.ndarray:
    """``scores`` (n, K) as they are, or, if they are probabilities, or sums or percentages of them
    (none negative, every row of the same sum), the logarithms; ``notes`` then says so.

    A softmax of the logarithms gives the probabilities again.
    """
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
