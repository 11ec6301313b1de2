"""One row of a list as it was read, before its file and its label are looked at."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

_LARGEST = 10**9
_DECIMAL = re.compile(r"\+?([0-9]{1,20}(\.[0-9]*)?|\.[0-9]+)")
_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,4}):([0-9]{1,2}(?:\.[0-9]+)?)")


@dataclass(frozen=True)
class Row:
    """``place`` names file and line; ``files`` are the names its video may have, the likeliest
    first. ``label`` is a class index, or a name to look up. ``num_frames`` is how many frames the
    list says the clip has (``roughly`` where it may be one off). ``first`` and ``stop`` bound the
    frames that count, 0-based, ``stop`` not included, which a folder's files are numbered from
    ``base``; ``begin`` and ``end`` are the same in seconds; ``fps`` is what the list counts frames
    in. ``maybe_cut``: the file may hold just this part. ``called`` is the class's name, where the
    list has it beside the index.
    """

    place: str
    id: str
    files: tuple[str, ...]
    label: int | str | None
    num_frames: int | None = None
    roughly: bool = False
    first: int | None = None
    stop: int | None = None
    begin: float | None = None
    end: float | None = None
    fps: float | None = None
    base: int = 1
    maybe_cut: bool = False
    fault: str = ""
    called: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether the row means all of its file."""
        return self.first is None and self.end is None


@dataclass(frozen=True)
class Rows:
    """The rows of a list, the class names it has itself, and sentences on what was inferred.
    ``from_zero``: its form says that its labels count from 0.
    """

    rows: tuple[Row, ...]
    labels: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    from_zero: bool = False


def whole(value: Any) -> int | None:
    """``value`` as a whole number from 0 to a thousand million, or ``None``."""
    if isinstance(value, str) and "," in value:  # of thousands, or several numbers
        return None
    number = decimal(value)
    return int(number) if number is not None and number == int(number) else None


def decimal(value: Any) -> float | None:
    """``value`` as a number from 0 to a thousand million, also with a decimal comma, or
    ``None``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str):
        value = value.strip().replace(",", ".")  # a spreadsheet's in most of Europe
        if not _DECIMAL.fullmatch(value):
            return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 <= number <= _LARGEST else None


def seconds(value: Any) -> float | None:
    """A time as seconds: ``12.5``, ``00:01:02.50``, ``1:02``; ``None`` for anything else."""
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value.strip())):
        hours, minutes, rest = match.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(rest)
    return decimal(value)
