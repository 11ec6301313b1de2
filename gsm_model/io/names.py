"""Names of files and folders that are made from other names, none of which may come twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def unique_names(names: Sequence[str]) -> list[str]:
    """``names`` in their order, each that was there before with a number: ``a a b`` → ``a a-2 b``;
    no two of the result are the same.
    """
    found: list[str] = []
    for name in names:
        number, distinct = 1, name
        while distinct in found or (number > 1 and distinct in names):
            number += 1
            distinct = f"{name}-{number}"
        found.append(distinct)
    return found


def short_names(paths: Sequence[Path]) -> dict[str, Path]:
    """Each file by the part of its name before the first ``_``; where an earlier one has that
    already, by its whole name without the ending.
    """
    found: dict[str, Path] = {}
    for path in paths:
        kind = path.stem.split("_")[0]
        name = path.stem if kind in found else kind
        [name] = unique_names([*found, name])[-1:]
        found[name] = path
    return found
