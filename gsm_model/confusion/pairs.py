"""Pairs of classes that are alike: found by how often they are taken for each other, known as time
reversals, or listed by a person.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import norm

from gsm_model.confusion.groups import matching_classes, read_list_text
from gsm_model.confusion.matrix import confusion
from gsm_model.data.labels import reversed_classes
from gsm_model.errors import DataError
from gsm_model.predictions.table import Predictions

Pair = tuple[int, int]


def mutual_confusion(predictions: Predictions) -> np.ndarray:
    """(K, K) float64, symmetric: of the clips of classes i and j, the share that is taken for the
    other of the two; the diagonal is 0.
    """
    counts = confusion(predictions).astype(np.float64)
    clips = counts.sum(1)
    shares = (counts + counts.T) / np.maximum(clips[:, None] + clips[None, :], 1)
    np.fill_diagonal(shares, 0)
    return shares


def found_pairs(a: Predictions, b: Predictions | None = None, most: int = 8) -> list[Pair]:
    """The pairs that are taken for each other most, likeliest first; with ``b``, those that ``a``
    mixes up more than ``b`` does, by how much.

    With a TSN and a GSM this is the paper's comparison (CVPR 2020, discussion: the gains are
    largest on look-alike classes in opposite order of time), with the classes found rather than
    chosen. Pairs that gain nothing are left out; ties go by index.
    """
    share = mutual_confusion(a) - (mutual_confusion(b) if b is not None else 0)
    pairs = [(i, j) for i, j in combinations(range(len(a.labels)), 2) if share[i, j] > 0]
    return sorted(pairs, key=lambda pair: (-share[pair], pair))[:most]


def reversed_class_pairs(predictions: Predictions) -> list[Pair]:
    """The pairs of classes that are each other's time reversal and have clips, by index."""
    reverses = reversed_classes(predictions.labels)
    present = set(predictions.truth.tolist())
    return [(i, int(j)) for i, j in enumerate(reverses) if i < j and (i in present or j in present)]


def read_pairs(path: Path, labels: tuple[str, ...]) -> list[Pair]:
    """The pairs of a file, as `parse_pairs` reads its text.

    Raises:
        DataError: if the file cannot be read, or its text is no list of pairs.
    """
    return parse_pairs(read_list_text(path, labels), labels, path.name)


def parse_pairs(text: str, labels: tuple[str, ...], name: str) -> list[Pair]:
    """A person's own pairs: two class names a line, separated by a comma; ``*`` stands for
    anything, and every pair that fits counts. ``name`` is what messages call the text.

    Raises:
        DataError: if a line has not two names, or a name fits no class.
    """
    try:
        lines = [
            [field.strip() for field in row]
            for row in csv.reader(text.splitlines())
            if any(field.strip() for field in row)
        ]
    except csv.Error as error:
        raise DataError(f"{name}: not a list of pairs that can be read ({error})") from None
    pairs: dict[Pair, None] = {}
    for number, fields in enumerate(lines, start=1):
        if len(fields) != 2:
            raise DataError(
                f"{name}: line {number} has {len(fields)} names, not 2; put a name with a comma in"
                " it into quotes"
            )
        first, second = (matching_classes(pattern, labels, name, number) for pattern in fields)
        pairs |= dict.fromkeys((min(i, j), max(i, j)) for i in first for j in second if i != j)
    if not pairs:
        raise DataError(f"{name}: no pair in it")
    return list(pairs)


@dataclass(frozen=True)
class PairView:
    """What a model makes of the clips of two classes.

    ``counts`` (2, 3) int64: true first and second class by answer first, second, elsewhere.
    ``sensitivity`` is d′ and ``bias`` is c (positive: leans to the second class) of the decision
    between the two, by their scores, or by the answer where there are none; half a clip is added to
    each cell, so that both are finite. NaN where one of the classes has no clip.
    """

    first: int
    second: int
    counts: np.ndarray
    sensitivity: float
    bias: float


def view_pair(predictions: Predictions, pair: Pair) -> PairView:
    """The 2 × 2 decision within ``pair`` and where the rest of its clips went. Source: signal
    detection, with the log-linear correction.
    """
    counts = np.zeros((2, 3), np.int64)
    decided = np.zeros((2, 2))
    for row, label in enumerate(pair):
        clips = predictions.truth == label
        predicted = predictions.predicted[clips]
        counts[row] = [
            (predicted == pair[0]).sum(),
            (predicted == pair[1]).sum(),
            (~np.isin(predicted, pair)).sum(),
        ]
        if predictions.scores is None:
            decided[row] = counts[row, :2]
        else:
            first = predictions.scores[clips, pair[0]] > predictions.scores[clips, pair[1]]
            decided[row] = [first.sum(), (~first).sum()]
    if (decided.sum(1) == 0).any():
        return PairView(*pair, counts, float("nan"), float("nan"))
    hits, false_alarms = norm.ppf((decided[:, 0] + 0.5) / (decided.sum(1) + 1))
    return PairView(*pair, counts, float(hits - false_alarms), float(-(hits + false_alarms) / 2))
