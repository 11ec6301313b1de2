"""Class names: the label files that ship with the package, reversed pairs and mirror images."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from gsm_model._moved import renamed
from gsm_model.data.label_reader import read_labels
from gsm_model.errors import DataError

_FILES = Path(__file__).parent / "label_files"
# Something-Something's classes that a mirror turns into each other (release): left to right, right
# to left.
SOMETHING_SWAPS = ((86, 87), (93, 94), (166, 167))
SETS_WITH_REVERSED_PAIRS = ("something_something", "jester", "probes")


def label_lists() -> tuple[str, ...]:
    """The names of the class lists that come with the package, for `label_list`."""
    return tuple(sorted(path.stem for path in _FILES.glob("*.txt")))


@cache
def label_list(name: str) -> tuple[str, ...]:
    """The classes of a list that comes with the package, in index order.

    Raises:
        DataError: if there is no list of that name.

    Source: ``label_files/README.md``.
    """
    if name not in label_lists():
        raise DataError(f"no class list {name!r} comes with the package; {label_lists()} do")
    return read_labels(_FILES / f"{name}.txt")


@cache
def something_something() -> tuple[str, ...]:
    """The 174 labels of Something-Something V1 and V2 in index order, as the GSM and TSM releases
    use them.
    """
    return label_list("something_something")


@cache
def reversed_pairs(name: str = "something_something") -> tuple[tuple[str, str], ...]:
    """Pairs of a data set's labels that are each other's time reversal; ``name`` is one of
    ``SETS_WITH_REVERSED_PAIRS``.
    """
    with (_FILES / f"{name}_reversed_pairs.csv").open(encoding="utf-8", newline="") as file:
        return tuple((row["label"], row["reversed"]) for row in csv.DictReader(file))


@cache
def _reversed_by_class() -> dict[str, str]:
    pairs = [pair for name in SETS_WITH_REVERSED_PAIRS for pair in reversed_pairs(name)]
    return dict(pairs) | {second: first for first, second in pairs}


def reversed_class(label: str) -> str | None:
    """The label that ``label`` becomes when time runs backwards, or ``None`` if it is in no known
    pair.
    """
    return _reversed_by_class().get(label)


def reversed_classes(labels: Sequence[str]) -> np.ndarray:
    """For each class the index of its time reversal among ``labels``, −1 where it is not there:
    (K,) int64.
    """
    places = {label: index for index, label in enumerate(labels)}
    return np.array(
        [places.get(reversed_class(label) or "", -1) for label in labels], dtype=np.int64
    )


def mirrored_labels(labels: Sequence[str]) -> np.ndarray:
    """For each class the class of its mirror image, (K,) int64: Something-Something's left and
    right classes swap, by name.
    """
    names, places = something_something(), {label: index for index, label in enumerate(labels)}
    mirrored = np.arange(len(labels))
    for a, b in SOMETHING_SWAPS:
        if names[a] in places and names[b] in places:
            mirrored[places[names[a]]], mirrored[places[names[b]]] = (
                places[names[b]],
                places[names[a]],
            )
    return mirrored


__getattr__ = renamed(
    __name__,
    {
        "partner": "reversed_class",
        "partner_indices": "reversed_classes",
        "checked_labels": "gsm_model.data.label_reader:checked_labels",
        "MAX_LABEL_FILE_BYTES": "gsm_model.data.label_reader:MAX_LABEL_FILE_BYTES",
    },
)
