"""Late fusion: the scores of several models for one clip as one, such as those of a stream of
pictures and one of optical flow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model.errors import DataError
from gsm_model.predict import Prediction
from gsm_model.predictions.fuse import default_weights, weight_shares
from gsm_model.predictions.fuse import parse_weights as numbers_of
from gsm_model.predictions.table import Average, softmax


@dataclass(frozen=True)
class Fusion:
    """What several models together say about one clip.

    ``weights`` are those of ``members``, and add to 1. ``labels`` are the classes (K), ``parts``
    (M, K) float64 what each member adds to ``scores``: its weight times its logits or, where
    ``of`` says so, its probabilities.
    """

    members: tuple[Prediction, ...]
    weights: tuple[float, ...]
    of: Average
    labels: tuple[str, ...]
    parts: np.ndarray

    @property
    def name(self) -> str:
        """What people are shown."""
        return " + ".join(member.card.name for member in self.members)

    @property
    def scores(self) -> np.ndarray:
        """(K,) float64: the weighted mean of the members' logits or probabilities."""
        return self.parts.sum(axis=0)

    @property
    def probabilities(self) -> np.ndarray:
        """(K,) float64, sums to 1."""
        return self.scores if self.of == "probabilities" else softmax(self.scores)

    def top(self, k: int) -> list[tuple[int, str, float]]:
        """The ``k`` likeliest classes as (index, label, probability), likeliest first."""
        p = self.probabilities
        return [(int(i), self.labels[i], float(p[i])) for i in np.argsort(-p, kind="stable")[:k]]

    def lead(self) -> np.ndarray:
        """(M,) float64: by how much each member puts the answer before the runner-up. Their sum is
        the lead of the answer; a member below 0 is for the runner-up. Zeros for a single class.
        """
        first, second = (*(index for index, _, _ in self.top(2)), 0)[:2]
        return self.parts[:, first] - self.parts[:, second]


def parse_weights(text: str, kinds: Sequence[str]) -> tuple[float, ...]:
    """``"1:1.5"``, one weight a model, or ``"default"`` for `default_weights`.

    Raises:
        DataError: for anything else.
    """
    if text == "default":
        return default_weights(kinds)
    return numbers_of(text, len(kinds))


def fuse(
    predictions: Sequence[Prediction],
    weights: Sequence[float] | None = None,
    of: Average = "logits",
) -> Fusion:
    """``predictions`` of several models for one clip as one.

    ``weights`` are one a model, without them 1 for each (`default_weights` has those of streams);
    they are divided by their sum. ``of`` says what is averaged. Classes are matched by name, in the
    order of the first model's.

    Raises:
        DataError: if there are fewer than two, their classes are not the same, or a weight is
            negative, not finite, or all are 0.

    Source: two-stream networks average softmax scores (Simonyan & Zisserman, NIPS 2014), TSN the
    scores before it.
    """
    shares = weight_shares(weights, len(predictions))
    first = predictions[0]
    values = [one.logits if of == "logits" else one.probabilities for one in predictions]
    matched = [
        np.asarray(value, np.float64)[_places(first, one)]
        for one, value in zip(predictions, values, strict=True)
    ]
    labels = tuple(first.card.label(index) for index in range(len(matched[0])))
    parts = shares[:, None] * np.stack(matched)
    return Fusion(tuple(predictions), tuple(shares.tolist()), of, labels, parts)


def _places(first: Prediction, other: Prediction) -> np.ndarray:
    """Where ``other`` has the classes of ``first``."""
    ours, theirs = first.card.labels, other.card.labels
    count = len(first.logits)
    if len(other.logits) != count:
        raise DataError(
            f"{first.card.name} has {count} classes, {other.card.name} {len(other.logits)}; only"
            " models of the same classes can be fused"
        )
    if ours is None or theirs is None or ours == theirs:
        return np.arange(count)
    if len(set(ours)) != count or sorted(ours) != sorted(theirs):
        raise DataError(
            f"the classes of {first.card.name} and {other.card.name} are not the same; only models"
            " of the same classes can be fused"
        )
    at = {label: place for place, label in enumerate(theirs)}
    return np.array([at[label] for label in ours])
