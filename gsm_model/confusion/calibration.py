"""Can a model's confidence be believed? How often it is right, by how sure it says it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsm_model.evaluation.intervals import measure_share
from gsm_model.models.card import Measure
from gsm_model.predictions.table import Predictions, softmax

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """A model's clips in equal bins of its confidence, the probability of its answer; bins without
    clips are left out.

    ``confidence`` (b,) float64 is the mean of each bin, ``accuracy`` the share of its clips that
    are right, with its interval. ``error`` is the expected calibration error, the mean over the
    clips of |accuracy − confidence| of their bin, 0 … 1.
    """

    model: str
    confidence: np.ndarray
    accuracy: tuple[Measure, ...]
    error: float


def reliability(predictions: Predictions, bins: int = BINS) -> Reliability:
    """Sort the clips of ``answers`` by confidence into ``bins`` equal spans of 0 … 1.

    Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
        equations 2 and 3.

    Raises:
        DataError: if the answers have no scores.
    """
    p = softmax(predictions.require_scores("confidence"))
    sure = p[np.arange(len(p)), predictions.predicted]
    which = np.clip(np.digitize(sure, np.linspace(0, 1, bins + 1), right=True) - 1, 0, bins - 1)
    used = np.unique(which)
    confidence = np.array([sure[which == number].mean() for number in used])
    shares = [
        measure_share(
            "right",
            int(predictions.right[which == number].sum()),
            int((which == number).sum()),
            predictions.data,
        )
        for number in used
    ]
    sizes = np.array([share.n for share in shares])
    gaps = np.abs(np.array([share.value for share in shares]) - confidence)
    return Reliability(
        predictions.model, confidence, tuple(shares), float((gaps * sizes).sum() / sizes.sum())
    )
