"""Two models' answers to the same clips, random by seed."""

import numpy as np
import pytest

from gsm_model.confusion.answers import Answers


def make_answers(model="A", n=300, k=7, seed=0, skill=1.5, truth=None, scores=True) -> Answers:
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


@pytest.fixture
def two_models():
    from gsm_model.confusion.answers import join_answers

    return join_answers(make_answers("A", seed=1, skill=1.0), make_answers("B", seed=2, skill=2.0))
