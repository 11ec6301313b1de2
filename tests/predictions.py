"""Predictions of made-up models, random by seed."""

from dataclasses import replace

import numpy as np

from gsm_model.predictions.table import Predictions, Provenance


def make_predictions(
    model="A", n=300, k=7, seed=0, skill=1.5, truth=None, scores=True
) -> Predictions:
    """``n`` predictions among ``k`` classes, right the more often the larger ``skill``; the same
    true classes for the same ``n`` and ``k``.
    """
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(99).integers(k, size=n) if truth is None else np.asarray(truth)
    values = rng.normal(size=(len(truth), k)).astype(np.float32)
    values[np.arange(len(truth)), truth] += skill
    labels = tuple(f"class {index}" for index in range(k))
    return Predictions(
        Provenance(labels, model, "", "my clips", "", "forward", "1x1"),
        tuple(f"clip {index}" for index in range(len(truth))),
        truth,
        values if scores else None,
        ("",) * len(truth),
        None if scores else values.argmax(1),
        source=f"{model}.parquet",
        sha256="sha",
    )


def of_classes(predictions: Predictions, labels) -> Predictions:
    """``predictions`` with other names of classes."""
    return replace(predictions, origin=replace(predictions.origin, labels=tuple(labels)))
