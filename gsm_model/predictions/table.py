"""One model's predictions on labelled clips, as a table: a row a clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

import numpy as np

from gsm_model._moved import renamed
from gsm_model.errors import DataError

# What is averaged over the views of a video.
Average = Literal["logits", "probabilities"]
AVERAGES: tuple[Average, ...] = get_args(Average)
# Properties that say where a clip lies: the file, and its first frame and the one behind its last.
LOCATION = ("file", "first", "stop")


@dataclass(frozen=True)
class Provenance:
    """What a table is of: class names, the model's name and file hash, the data's name and hash,
    how clips were shown, what the passes computed in, what was averaged over views, why the
    answers may mean little, empty where nothing says so, and the folder that the clips' files lay
    in, which makes no difference to what the table is of."""

    labels: tuple[str, ...]
    model: str
    checkpoint: str
    data: str
    data_sha256: str
    order: str
    views: str
    precision: str = "float32"
    average: Average = "logits"
    caution: str = ""
    videos: str = field(default="", compare=False)


@dataclass(frozen=True)
class Predictions:
    """A model's predictions on n clips of K classes.

    ``ids`` (n,) name the clips, ``truth`` (n,) int64 are the true classes, ``scores`` (n, K)
    float32 the logits, averaged over the views of a clip (where probabilities were averaged, the
    logarithms of their means), or ``None``
    where only the likeliest class is known: ``likeliest`` (n,) int64, which may be ``None`` where
    there are scores. ``errors`` (n,) is empty where a clip was scored; where it was not, the row of
    ``scores`` is NaN. ``numbered`` says that ``ids`` are only the clips' places in the file,
    ``source`` and ``sha256`` are the file's name and hash, both empty for a table that was not
    read from a file; ``notes`` say how the file was read where it could be read otherwise, and
    what of it was left out.

    ``features`` (n, D) float16 are what the classifier is given, the backbone's pooled features,
    averaged over frames and views; NaN for a clip that was not scored, ``None`` where they were not
    kept. ``properties`` are what is known of the clips themselves, name → (n,), float64 that are
    NaN where a clip's is not known, or text (str or object): of `evaluate` ``frames`` and
    ``seconds``, ``brightness`` and ``motion`` (`gsm_model.video.looks`), and `LOCATION`.
    """

    origin: Provenance
    ids: tuple[str, ...]
    truth: np.ndarray
    scores: np.ndarray | None
    errors: tuple[str, ...]
    likeliest: np.ndarray | None = None
    numbered: bool = False
    source: str = ""
    sha256: str = ""
    notes: tuple[str, ...] = ()
    features: np.ndarray | None = None
    properties: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """The K class names, in index order."""
        return self.origin.labels

    @property
    def model(self) -> str:
        """What the model is called."""
        return self.origin.model

    @property
    def data(self) -> str:
        """What the clips are of."""
        return self.origin.data

    @cached_property
    def predicted(self) -> np.ndarray:
        """(n,) int64: the likeliest class of each clip; −1 for a clip that was not scored."""
        if self.likeliest is not None:
            return self.likeliest
        assert self.scores is not None
        found = self.scores.argmax(1)
        if any(self.errors):
            found[[bool(error) for error in self.errors]] = -1
        return found

    @property
    def right(self) -> np.ndarray:
        """(n,) bool: the likeliest class is the true one."""
        return self.predicted == self.truth

    def require_scores(self, what: str = "this") -> np.ndarray:
        """The scores (n, K), which ``what`` is made of.

        Raises:
            DataError: if there are none.
        """
        if self.scores is None:
            raise DataError(
                f"{self.source or self.model}: has only the predicted classes; {what} needs a score"
                " for every class"
            )
        return self.scores

    def require_features(self) -> np.ndarray:
        """The features (n, D).

        Raises:
            DataError: if there are none.
        """
        if self.features is None:
            raise DataError(
                f"{self.source or self.model}: has no features of its clips; write the table with"
                " 'evaluate --features'"
            )
        return self.features

    def take(self, rows: np.ndarray) -> Predictions:
        """The clips at ``rows`` (indices or a mask), in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            truth=self.truth[rows],
            scores=None if self.scores is None else self.scores[rows],
            errors=tuple(self.errors[row] for row in rows),
            likeliest=None if self.likeliest is None else self.likeliest[rows],
            features=None if self.features is None else self.features[rows],
            properties={name: values[rows] for name, values in self.properties.items()},
        )

    def in_order_of(self, labels: tuple[str, ...]) -> Predictions:
        """The same predictions with the classes in the order of ``labels``, which are the same."""
        if labels == self.labels:
            return self
        own = {label: index for index, label in enumerate(self.labels)}
        order = np.array([own[label] for label in labels])
        new = np.argsort(order)
        return replace(
            self,
            origin=replace(self.origin, labels=labels),
            truth=new[self.truth],
            scores=None if self.scores is None else self.scores[:, order],
            likeliest=None if self.likeliest is None else new[self.likeliest],
        )

    def scored(self) -> Predictions:
        """The clips that were scored."""
        if not any(self.errors):
            return self
        return self.take(np.array([not error for error in self.errors], dtype=bool))


def checked(predictions: Predictions, name: str) -> Predictions:
    """``predictions`` as they are, if they fit together; ``name`` is what messages call them.

    Raises:
        DataError: if a clip comes twice, a class is none of the labels, or there is not a finite
            score a class.
    """
    k = len(predictions.labels)
    scores = predictions.scores
    if scores is not None and scores.shape[1] != k:
        raise DataError(f"{name}: {scores.shape[1]} scores a clip, but {k} class names")
    if len(set(predictions.ids)) != len(predictions.ids):
        twice = [id for id, count in Counter(predictions.ids).items() if count > 1]
        raise DataError(
            f"{name}: {len(twice):,} clips come more than once, the first is {twice[0]!r}"
        )
    truth = predictions.truth
    if len(truth) and not 0 <= truth.min() <= truth.max() < k:
        raise DataError(f"{name}: labels outside 0 to {k - 1}")
    if predictions.features is not None and len(predictions.features) != len(predictions.ids):
        raise DataError(f"{name}: features of another number of clips than it has")
    scored = predictions.scored()
    if scored.scores is not None and not np.isfinite(scored.scores).all():
        raise DataError(f"{name}: some scores are not finite")
    if scored.features is not None and not np.isfinite(scored.features).all():
        raise DataError(f"{name}: some features are not finite")
    return predictions


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


__getattr__ = renamed(__name__, {"Answers": "Predictions", "Origin": "Provenance"})
