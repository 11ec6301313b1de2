"""Which part of its file a row of a list means, by its columns: frames or seconds, from one to
another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gsm_model.data.list_row import decimal, seconds, whole
from gsm_model.errors import DataError

COUNT = ("num_frames", "frames", "total_frames", "n_frames", "nframes", "frame_count", "num_frame")
START = ("start_frame", "begin_frame", "frame_start")
STOP = ("stop_frame", "end_frame", "frame_end", "frame_stop")
BEGIN = ("start_timestamp", "time_start", "start_time", "start_sec", "start_seconds", "t_start")
END = (
    "stop_timestamp",
    "time_end",
    "end_time",
    "end_sec",
    "end_seconds",
    "t_end",
    "end_timestamp",
)
OFFSET = ("offset",)
LENGTH = ("duration", "length", "clip_duration", "dur")
FPS = ("fps", "frame_rate", "framerate", "video_fps")
KNOWN = frozenset((*START, *STOP, *BEGIN, *END, *OFFSET))
# Columns that say where a part begins and ends, but not in what.
_FROM = ("start", "begin", "from", "clip_start", "segment_start", "video_start", "start_position")
_TO = ("end", "stop", "to", "clip_end", "segment_end", "video_end", "end_position")
_MILLISECONDS = re.compile(r"_?(ms|msec|millis|milliseconds)$")
_IN_ONE = ("segment", "interval", "span", "range", "frame_range", "time_range", "timestamps")
_FROM_TO = re.compile(r"[\[(]?\s*\d[\d.:]*\s*(?:-|–|to|,|;|:)\s*\d[\d.:]*\s*[\])]?")
Record = Mapping[str, Any]


def first_of(keys: Any, names: Iterable[str]) -> str | None:
    """The first of ``names`` that is in ``keys``."""
    return next((name for name in names if name in keys), None)


def with_parts_named(
    records: Sequence[tuple[int, Record]], name: str
) -> tuple[list[tuple[int, Record]], tuple[str, ...]]:
    """``records`` with the columns of their parts called as those that are known, and what is to be
    said of it: times in milliseconds in seconds, an end for a length, *start* and *end* as times
    where some of them are no whole numbers.

    Raises:
        DataError: if *start* and *end* may be frames or seconds, or one column holds both.
    """
    columns = {key for _, record in records for key in record}
    _check_not_in_one(records, columns, name)
    milli = {key: _MILLISECONDS.sub("", key) for key in columns if _MILLISECONDS.search(key)}
    begin, end = (
        next((key for key, plain in milli.items() if plain in (*names, *known)), None)
        for names, known in ((_FROM, BEGIN), (_TO, END))
    )
    if begin and end:
        return [(at, _in_seconds(record, begin, end)) for at, record in records], (
            f"parts are read from {begin} and {end}, in milliseconds",
        )
    if not KNOWN & columns:
        begin, end = first_of(columns, _FROM), first_of(columns, _TO)
        length = first_of(columns, LENGTH)
        if begin and (end or length):
            _check_are_times(records, [key for key in (begin, end or length) if key], name)
            records = [
                (at, {_called(key, begin, end): value for key, value in record.items()})
                for at, record in records
            ]
            said = f"parts are read from {begin} and {end or length}, in seconds"
            return _with_ends(records), (said,)
    return _with_ends(records), ()


def _called(key: str, begin: str, end: str | None) -> str:
    return {begin: BEGIN[0], end: END[0]}.get(key, key)


def _in_seconds(record: Record, begin: str, end: str) -> dict[str, Any]:
    found = dict(record)
    for column, known in ((begin, BEGIN[0]), (end, END[0])):
        value = decimal(found.pop(column, None))
        found[known] = None if value is None else value / 1000
    return found


def _with_ends(records: Sequence[tuple[int, Record]]) -> list[tuple[int, Record]]:
    """Records with times of beginning and a length, and no end, get their end."""
    columns = {key for _, record in records for key in record}
    begin, length = first_of(columns, BEGIN), first_of(columns, LENGTH)
    if not begin or not length or first_of(columns, END):
        return list(records)
    found: list[tuple[int, Record]] = []
    for at, record in records:
        start, lasts = seconds(record.get(begin)), seconds(record.get(length))
        end = None if start is None or lasts is None else start + lasts
        found.append((at, {**record, END[0]: end}))
    return found


def _check_are_times(
    records: Sequence[tuple[int, Record]], columns: Sequence[str], name: str
) -> None:
    values = [record.get(key) for _, record in records for key in columns]
    if all(value in (None, "") or whole(value) is not None for value in values):
        shown = " and ".join(map(repr, columns))
        raise DataError(
            f"{name}: its columns {shown} may be frames or seconds; call them start_frame and"
            " stop_frame, or start_time and end_time, in the list or with --columns"
        )


def _check_not_in_one(records: Sequence[tuple[int, Record]], columns: set[str], name: str) -> None:
    for key in columns & {*_IN_ONE, *COUNT}:
        values = [value for _, record in records if (value := record.get(key)) not in (None, "")]
        if values and all(map(_is_from_to, values)):
            raise DataError(
                f"{name}: its column {key!r} holds a start and an end ({str(values[0])[:40]});"
                " write them in two columns, start_frame and stop_frame, or start_time and end_time"
            )


def _is_from_to(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) == 2 and all(seconds(one) is not None for one in value)
    return (
        isinstance(value, str)
        and seconds(value) is None
        and bool(_FROM_TO.fullmatch(value.strip()))
    )
