"""Which class each row of a list means: by a name, by an index from 0 or from 1, or by both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from gsm_model.data.list_row import Row, Rows
from gsm_model.errors import DataError

_MANY = 3  # clips a class, of which it says something that a class has none
_UCF = re.compile(r"(?:.*/)?(?P<label>\w+)/v_(?P=label)_g\d+_c\d+(?:\.\w+)?")


def is_of_ucf(row: Row) -> bool:
    """Whether a row's file is called as those of UCF101, in the folder of its class."""
    return _class_of_ucf(row) is not None


def _class_of_ucf(row: Row) -> str | None:
    match = _UCF.fullmatch(row.id.replace("\\", "/"))
    return match["label"] if match else None


class _Names:
    """The class names that a list's names are looked up in."""

    def __init__(self, names: Sequence[str] | None) -> None:
        self.names = names
        self.places = {label: index for index, label in enumerate(names or ())}
        alike = Counter(map(_plain, self.places))
        self.loosely = {_plain(label): at for label, at in self.places.items()
                        if alike[_plain(label)] == 1}  # fmt: skip

    def index(self, name: str) -> int | None:
        """The class called ``name``, as it is, without brackets, or in other case and spaces."""
        bare = name.replace("[", "").replace("]", "")
        return self.places.get(bare, self.places.get(name, self.loosely.get(_plain(bare))))

    def __len__(self) -> int:
        return len(self.places)


def _plain(label: str) -> str:
    """A class's name without case, brackets and kinds of spaces."""
    return " ".join(re.sub(r"[\[\]\"'_]", " ", label).casefold().split())


def indexed(
    found: Rows,
    names: Sequence[str] | None,
    name: str,
    first_label: int | None = None,
    num_classes: Callable[[], int] | None = None,
) -> tuple[list[Row], tuple[str, ...]]:
    """The rows of ``found`` with class indices from 0 for their labels, and what was inferred.

    ``names`` are the classes where they are known; ``first_label`` is the index of the first class
    where a person gave it; ``num_classes()`` is how many the model has.

    Raises:
        DataError: if indices may count from 0 or from 1.
    """
    known = _Names(names)
    rows, notes = _by_name(found.rows, known)
    if first_label is not None or found.from_zero:
        first = first_label or 0
    else:
        first, said = _first_of(rows, known, name, num_classes)
        notes += said
    numbered = []
    for row in rows:
        if isinstance(row.label, str):
            fault = f"has the unknown label {row.label.replace('[', '').replace(']', '')!r}"
            row = replace(row, label=None, fault=row.fault or fault)
        elif row.label is not None and first and not row.called:
            index = row.label - first
            fault = "" if index >= 0 else f"label {row.label} is below the first, {first}"
            row = replace(row, label=max(0, index), fault=row.fault or fault)
        numbered.append(row)
    return [_contradicted(row, known) for row in numbered], notes


def _by_name(rows: Sequence[Row], known: _Names) -> tuple[list[Row], tuple[str, ...]]:
    """The rows whose classes are called by a name with their index and, in ``called``, that name;
    where a row has a name and an index, the name counts.
    """
    notes: list[str] = []
    numbers = {str(row.label) for row in rows if isinstance(row.label, int) and not row.called}
    if numbers and numbers <= set(known.places):  # classes that are called by numbers
        other = [number for number in sorted(numbers) if known.places[number] != int(number)]
        if other:
            notes.append(
                f"labels are classes' names, not their indices: {other[0]!r} is the name of class"
                f" {known.places[other[0]]}"
            )
        rows = [
            replace(row, called=str(row.label)) if isinstance(row.label, int) and not row.called
            else row for row in rows
        ]  # fmt: skip
    found: list[Row] = []
    differing: list[Row] = []
    for row in rows:
        called = row.label if isinstance(row.label, str) else row.called
        index = known.index(called) if called else None
        if index is None:
            found.append(replace(row, called=""))
            continue
        if isinstance(row.label, int) and row.label != index and row.called != str(row.label):
            differing.append(row)
        found.append(replace(row, label=index, called=called))
    if differing:
        row = differing[0]
        notes.append(
            f"classes are taken by their names: {row.called!r}, which the list numbers {row.label},"
            f" is the model's class {known.index(row.called)}"
        )
    return found, tuple(notes)


def _folder_of(row: Row) -> str:
    parts = PurePosixPath(row.id.replace("\\", "/")).parts
    return _plain(parts[-2]) if len(parts) > 1 else ""


def _contradicted(row: Row, known: _Names) -> Row:
    """``row``, with a fault if its folder is called like another class than its label's."""
    said = known.loosely.get(_folder_of(row))
    if said is None or row.fault or row.label == said or known.names is None:
        return row
    fault = f"lies in the folder of class {said} ({known.names[said]!r}), its label is {row.label}"
    return replace(row, fault=fault)


def _first_of(
    rows: Sequence[Row], known: _Names, name: str, num_classes: Callable[[], int] | None
) -> tuple[int, tuple[str, ...]]:
    """The index of the list's first class: 0, or 1 where nothing else is possible.

    Raises:
        DataError: if it may be either.
    """
    labelled = [
        row for row in rows if isinstance(row.label, int) and not row.fault and not row.called
    ]
    found = {row.label for row in labelled if isinstance(row.label, int)}
    if not found or 0 in found:
        return 0, ()
    one = 1, ("its labels count from 1, its class 1 is the model's class 0",)
    folders = [(row.label, known.loosely[_folder_of(row)]) for row in labelled
               if _folder_of(row) in known.loosely]  # fmt: skip
    if folders:
        return one if all(label == place + 1 for label, place in folders) else (0, ())
    if all(map(is_of_ucf, labelled)) and (first := _first_of_ucf(labelled, known, name)):
        return first, one[1]
    count = len(known) or (num_classes() if num_classes is not None else 0)
    lowest, highest = min(found), max(found)
    if count and highest == count:
        return one
    if count and found == set(range(1, count)) and len(labelled) >= _MANY * count:
        raise DataError(
            f"{name}: its labels are 1 to {highest}, of {count} classes: they may count from 1 with"
            " the last class left out, or from 0 with the first left out; say which with"
            " --first-label 1 or --first-label 0"
        )
    shown = f"{lowest} to {highest}" if highest > lowest else f"all {lowest}"
    example = ""
    if known.names is not None and lowest < len(known):
        example = f" ({lowest} is {known.names[lowest]!r})"
    return 0, (
        f"its labels, {shown}, are taken as counted from 0{example}; if they count from 1, give"
        " --first-label 1",
    )


def _first_of_ucf(rows: Sequence[Row], known: _Names, name: str) -> int | None:
    """1 for UCF101's own lists, ``None`` where its names do not say.

    Raises:
        DataError: if a list without class names may count from either.
    """
    pairs = {(_class_of_ucf(row), row.label) for row in rows}
    order = sorted({label for label, _ in pairs if label})
    if pairs == {(label, at) for at, label in enumerate(order, start=1)} and len(order) > 100:
        return 1
    if known.names is None:
        raise DataError(
            f"{name}: a list of UCF101 without class 0 may count its classes from 1, as the"
            " data set's own, or be a part of one that counts from 0; say which with"
            " --first-label 1 or --first-label 0"
        )
    return None
