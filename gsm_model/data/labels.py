"""Class names: the label files that ship with the package, files of a user's own, reversed pairs
and mirror images.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from gsm_model.errors import DataError

_FILES = Path(__file__).parent / "label_files"
MAX_LABEL_FILE_BYTES = 4_000_000
# Something-Something's classes that a mirror turns into each other (release): left to right, right
# to left.
SOMETHING_SWAPS = ((86, 87), (93, 94), (166, 167))


@cache
def something_something() -> tuple[str, ...]:
    """The 174 labels of Something-Something V1 and V2 in index order, as the GSM and TSM releases
    use them.
    """
    return tuple((_FILES / "something_something.txt").read_text(encoding="utf-8").splitlines())


@cache
def reversed_pairs() -> tuple[tuple[str, str], ...]:
    """Pairs of Something-Something labels that are each other's time reversal."""
    with (_FILES / "something_something_reversed_pairs.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        return tuple((row["label"], row["reversed"]) for row in csv.DictReader(file))


def partner(label: str) -> str | None:
    """The label that ``label`` becomes when time runs backwards, or ``None`` if it is in no known
    pair.
    """
    for first, second in reversed_pairs():
        if label in (first, second):
            return second if label == first else first
    return None


def partner_indices(labels: Sequence[str]) -> np.ndarray:
    """For each class the index of its time reversal among ``labels``, −1 where it is not there:
    (K,) int64.
    """
    places = {label: index for index, label in enumerate(labels)}
    return np.array([places.get(partner(label) or "", -1) for label in labels], dtype=np.int64)


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


def read_labels(path: Path) -> tuple[str, ...]:
    """One label a line, in index order; blank lines at the end are dropped.

    Raises:
        DataError: if the file cannot be read as UTF-8 text, is empty or over 4 MB, or names a class
            twice.
    """
    try:
        if path.stat().st_size > MAX_LABEL_FILE_BYTES:
            raise DataError(
                f"{path.name}: too large for a label file ({path.stat().st_size:,} bytes)"
            )
        labels = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path.name}: not a readable text file ({error}); a label file has one class name a"
            " line"
        ) from None
    return checked_labels([label.strip() for label in labels], path.name)


def checked_labels(labels: Sequence[str], source: str) -> tuple[str, ...]:
    """``labels`` as a tuple, if each is there and there once.

    Raises:
        DataError: if there is none, one is blank, or one comes twice.
    """
    if not labels:
        raise DataError(f"{source}: no labels in it; a label file has one class name a line")
    seen: dict[str, int] = {}
    for line, label in enumerate(labels, start=1):
        if not label:
            raise DataError(f"{source}: line {line} is blank")
        if label in seen:
            raise DataError(
                f"{source}: {label!r} is on line {seen[label]} and again on line {line}"
            )
        seen[label] = line
    return tuple(labels)
