"""Which class a cell of a table means: a class's name, or its place in the list of classes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from gsm_model.errors import DataError

_PLACE = re.compile(r"(0|[1-9]\d*)(\.0+)?")  # also as a column of numbers with gaps is written


def place_in_list(cell: str) -> int | None:
    """The whole number that ``cell`` is, if it is one: 7 of *7* and *7.0*, none of *07*."""
    found = _PLACE.fullmatch(cell)
    return int(found[1]) if found and len(cell) < 18 else None


def spelling(name: str) -> str:
    """``name`` as names are compared: in one form of Unicode, without spaces around it."""
    return unicodedata.normalize("NFC", name).strip()


def places_of(names: Sequence[str]) -> dict[str, int]:
    """Each spelling of the classes ``names`` with its index: as it is, and, where no class is
    called so, without the brackets of a template and as it is in a file that no spreadsheet runs.
    """
    places = {spelling(name): index for index, name in enumerate(names)}
    variants = [
        (form, index)
        for name, index in places.items()
        for form in (re.sub(r"[\[\]]", "", name), f"'{name}")
    ]
    counts = Counter(form for form, _ in variants)
    return places | {
        form: index for form, index in variants if form not in places and counts[form] == 1
    }


def class_indices(
    columns: Mapping[str, Sequence[str]], names: Sequence[str], name: str
) -> tuple[dict[str, np.ndarray], list[str]]:
    """(n,) int64 class indices of each of ``columns``, and what is to be said of their reading.

    Names win: if every cell of all columns is a class's name, they are names, also where names are
    numbers. Else, if every cell is a place in the list of classes, from 0, they are places. Else
    each column is read by itself, and a column of both only where no class is named by a number.
    ``name`` is what messages call the file.

    Raises:
        DataError: if a cell is neither, or a column could be read in two ways.
    """
    places, k = places_of(names), len(names)
    distinct = {head: set(cells) for head, cells in columns.items()}
    together = set().union(*distinct.values())
    # Cells that would be one class by name and another by place.
    twofold = {
        cell
        for cell in together
        if cell in places and place_in_list(cell) not in (None, places[cell])
    }
    numbered = any(place_in_list(label) is not None for label in map(spelling, names))
    by: dict[str, str] = {}
    notes: list[str] = []
    if all(cell in places for cell in together):
        by = dict.fromkeys(columns, "name")
        if twofold:
            notes.append(
                f"classes such as {min(twofold)!r} are taken by name, not as places in the list"
            )
    elif (
        not numbered and all(_is_place(cell, k + 1) for cell in together) and _from_one(together, k)
    ):
        notes.append("classes are taken as places in the list from 1, as one is the last")
        found = {
            head: np.array([(place_in_list(cell) or 0) - 1 for cell in cells], dtype=np.int64)
            for head, cells in columns.items()
        }
        return found, notes
    elif all(_is_place(cell, k) for cell in together):
        by = dict.fromkeys(columns, "place")
        if numbered:
            stranger = min(cell for cell in together if cell not in places)
            notes.append(
                f"classes are taken as places in the list from 0, as {stranger!r} is no class's"
                " name"
            )
    else:
        for head, cells in distinct.items():
            by[head] = _by(head, cells, places, k, numbered, name)
        if twofold and len(set(by.values())) > 1:
            raise DataError(
                f"{name}: {min(twofold)!r} may be a class's name or its place in the list, and"
                f" columns {' and '.join(map(repr, by))} do not agree on which; write names in both"
            )
    found = {
        head: np.array(
            [_index(cell, by[head], places) for cell in cells],
            dtype=np.int64,
        )
        for head, cells in columns.items()
    }
    return found, notes


def _from_one(cells: set[str], k: int) -> bool:
    """Whether places are 1 to k and can be counted from nothing but 1."""
    places = {place_in_list(cell) for cell in cells}
    return 0 not in places and k in places


def _is_place(cell: str, k: int) -> bool:
    place = place_in_list(cell)
    return place is not None and place < k


def _by(
    head: str, cells: set[str], places: Mapping[str, int], k: int, numbered: bool, name: str
) -> str:
    if all(cell in places for cell in cells):
        return "name"
    if all(_is_place(cell, k) for cell in cells):
        return "place"
    for cell in sorted(cells):
        if cell not in places and (numbered or not _is_place(cell, k)):
            shown = cell if place_in_list(cell) is not None else repr(cell)
            raise DataError(f"{name}: {shown} is none of the {k} classes")
    return "either"


def _index(cell: str, by: str, places: Mapping[str, int]) -> int:
    if by == "name" or (by == "either" and cell in places):
        return places[cell]
    place = place_in_list(cell)
    assert place is not None
    return place
