"""Predictions of no model, made of random numbers: as many classes and clips as a large validation
set has, to test and to time with.
"""

from __future__ import annotations

import numpy as np

from gsm_model.data.labels import something_something
from gsm_model.predictions.table import Predictions, Provenance

CLIPS = 24_777  # Something-Something V2's validation set
DATA = "random numbers, not a model's answers"


def random_predictions(name: str, seed: int, skill: float = 2.0, clips: int = CLIPS) -> Predictions:
    """Predictions of 174 classes for ``clips`` clips: scores are normal noise of ``seed``, the true
    class's raised by ``skill``. The clips and their true classes, which are as unequal in number as
    real ones, are the same for every seed."""
    labels = something_something()
    k = len(labels)
    sizes = np.random.default_rng(0).dirichlet(np.full(k, 2.0))
    truth = np.random.default_rng(1).choice(k, size=clips, p=sizes)
    scores = np.random.default_rng((2, seed)).normal(size=(clips, k)).astype(np.float32)
    scores[np.arange(clips), truth] += skill
    ids = tuple(f"{index:06d}" for index in range(clips))
    return Predictions(
        Provenance(labels, name, "", DATA, f"{clips} clips", "forward", "1x1"),
        ids,
        truth,
        scores,
        ("",) * clips,
    )
