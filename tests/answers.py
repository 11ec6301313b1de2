"""Answers of made-up models, random by seed."""

import numpy as np

from gsm_model.confusion.answers import Answers


def make_answers(model="A", n=300, k=7, seed=0, skill=1.5, truth=None, scores=True) -> Answers:
    """``n`` answers among ``k`` classes, right the more often the larger ``skill``; the same true
    classes for the same ``n`` and ``k``.
    """
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(99).integers(k, size=n) if truth is None else np.asarray(truth)
    values = rng.normal(size=(len(truth), k)).astype(np.float32)
    values[np.arange(len(truth)), truth] += skill
    labels = tuple(f"class {index}" for index in range(k))
    ids = tuple(f"clip {index}" for index in range(len(truth)))
    return Answers(
        model,
        f"{model}.parquet",
        "sha",
        "my clips",
        labels,
        ids,
        truth,
        values.argmax(1),
        values if scores else None,
    )
