"""Lists whose columns have names: CSV with a header, JSON records; generic ones, and those of
EPIC-Kitchens, Kinetics, Something-Something, Jester and Diving48.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from gsm_model.data.find_videos import VIDEO_SUFFIXES
from gsm_model.data.list_parts import (
    BEGIN,
    COUNT,
    END,
    FPS,
    KNOWN,
    LENGTH,
    OFFSET,
    START,
    STOP,
    first_of,
    with_parts_named,
)
from gsm_model.data.list_row import Row, Rows, decimal, seconds, whole
from gsm_model.data.several_labels import check_one_label
from gsm_model.errors import DataError

Target = Literal["verb", "noun", "action"]
# What columns are called, the likeliest first.
_PATH = (
    *("path", "file", "file_path", "filepath", "filename", "file_name", "video_path", "clip_path"),
    *("frame_dir", "frames_dir", "video_file", "video_name", "clip_name", "vid_name", "video"),
    *("clip", "video_id", "youtube_id", "vid", "folder", "name", "id"),
)
_INDEX = ("label_id", "label_index", "label_idx", "class_id", "class_index", "class_idx")
_LABEL = (
    *("template", "label", "labels", "class", "class_name", "classname", "label_name", "category"),
    *("action", "target", "tag", "activity"),
)
_NEGATIVE = re.compile(r"-\d+(\.0*)?")
_ROW_A_FRAME = ("frame_id", "frame_path", "frame_number", "frame_index")
_EPIC = ("video_id", "verb_class", "noun_class")
_SPLIT = ("split", "subset", "set", "partition", "usage")
# Columns of the data sets' own lists that nothing here needs.
_UNNEEDED = frozenset((*_SPLIT, "", "is_cc", "placeholders", "shape", "format", "url", "duration"))
_MOST_LINES = 50  # of a row with line breaks in it
_SHOWN = 5


def table_of(text: str, columns: Sequence[str] | None) -> list[tuple[int, dict[str, str]]] | None:
    """The rows of a table with their line numbers: column → text. The columns are those of its
    first line, if it is a header, or ``columns``; ``None`` where there are neither.
    """
    lines = text.splitlines()
    at = next((n for n, line in enumerate(lines) if line.strip()), None)
    if at is None:
        return None
    for separator in (",", "\t", ";", None):
        header = [key_of(field) for field in _fields(lines[at], separator)]
        known = is_header(header) and not (columns and len(columns) != len(header))
        names = [key_of(name) for name in columns] if columns else header
        if not known and (columns is None or len(header) < len(names)):
            continue
        rows = []
        for number, line in _whole_rows(lines, at + known, separator):
            fields = _fields(line, separator)
            if separator is None and len(fields) > len(names):  # a path with spaces
                extra = len(fields) - len(names) + 1
                fields = [" ".join(fields[:extra]), *fields[extra:]]
            rows.append((number, dict(zip(names, fields, strict=False))))
        return rows
    return None


def _whole_rows(
    lines: Sequence[str], start: int, separator: str | None
) -> Iterator[tuple[int, str]]:
    """The rows from line ``start`` (0-based) on with their line numbers; the lines of a row with
    line breaks inside quotes are put together.
    """
    at = start
    while at < len(lines):
        row, first = lines[at], at + 1
        if separator and _is_open(row, separator):
            longer = row
            for after in range(at + 1, min(at + _MOST_LINES, len(lines))):
                longer = f"{longer} {lines[after]}"
                if '"' in lines[after] and not _is_open(longer, separator):
                    row, at = longer, after
                    break
        if row.strip():
            yield first, row
        at += 1


def _is_open(row: str, separator: str) -> bool:
    """Whether a quoted field of ``row`` is not closed."""
    if '"' not in row:
        return False
    try:
        list(csv.reader([row], delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _fields(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    try:
        [fields] = csv.reader([line], delimiter=separator, skipinitialspace=True)
    except (csv.Error, ValueError):
        fields = line.split(separator)
    return [field.strip() for field in fields]


def key_of(column: str) -> str:
    """A column's name as it is looked up: small letters and underscores."""
    return re.sub(r"[\s-]+", "_", column.strip().strip("\"'").lower())


def is_header(keys: Sequence[str]) -> bool:
    """Whether these are names of columns, of which one is a path and one says more of it."""
    more = {*_LABEL, *_INDEX, *COUNT, *START, *BEGIN, *OFFSET, *_ROW_A_FRAME, *_EPIC[1:]}
    path = first_of(keys, _PATH)
    return len(keys) > 1 and path is not None and bool(more.intersection(keys) - {path})


def json_records(text: str, name: str) -> list[tuple[int, dict[str, Any]]]:
    """The records of a list in JSON: objects in a list, or Kinetics' by the ids of their videos.

    Raises:
        DataError: if it is no such list.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        try:  # an object a line
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise DataError(f"{name}: not JSON ({error})") from None
    if isinstance(value, dict) and value and all(map(_is_clip, *zip(*value.items(), strict=True))):
        value = [{"path": path, "label": label} for path, label in value.items()]
    elif isinstance(value, dict) and value and all(map(_is_kinetics, value.values())):
        value = [
            {
                "youtube_id": id,
                "label": one["annotations"].get("label"),
                "time_start": one["annotations"]["segment"][0],
                "time_end": one["annotations"]["segment"][1],
            }
            for id, one in value.items()
        ]
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise DataError(
            f"{name}: not a JSON list of clips, of Something-Something, Diving48, Jester or"
            " Kinetics, or of objects with a path and a label"
        )
    return [
        (at, {key_of(str(key)): one for key, one in record.items()})
        for at, record in enumerate(value, start=1)
    ]


def _is_clip(path: str, label: Any) -> bool:
    """Whether an entry of an object is a video and its label: a file, or the number of one."""
    named = path.isdecimal() or "/" in path or path.lower().endswith(VIDEO_SUFFIXES)
    return named and isinstance(label, (int, str)) and not isinstance(label, bool)


def _is_kinetics(value: Any) -> bool:
    found = value.get("annotations") if isinstance(value, dict) else None
    segment = found.get("segment") if isinstance(found, dict) else None
    return isinstance(segment, list) and len(segment) == 2


def table_rows(
    records: Sequence[tuple[int, Mapping[str, Any]]], name: str, unit: str, target: Target
) -> Rows:
    """The rows of a table, recognised by its columns; ``unit`` is *line* or *entry*.

    Raises:
        DataError: if it has no column for the video or the label, or a row is a frame.
    """
    columns = {key for _, record in records for key in record}
    if all(column in columns for column in _EPIC):
        return _epic(records, columns, name, unit, target)
    if columns >= {"file", "label", "pair"}:
        # Segments in pairs of classes: further columns say where each was cut from.
        columns &= {"file", "label", *COUNT}
        records = [
            (at, {key: value for key, value in record.items() if key in columns})
            for at, record in records
        ]
    path, label = first_of(columns, _PATH), first_of(columns, (*_INDEX, *_LABEL))
    if not records:
        raise DataError(f"{name}: there is no clip in it")
    check_one_label(records, [key for key in (*_INDEX, *_LABEL) if key in columns], name)
    if frame := first_of(columns, _ROW_A_FRAME):
        raise DataError(
            f"{name}: has a row for each frame (column {frame}); make a list with a row for each"
            " clip"
        )
    if path is not None and label is None:
        raise DataError(
            f"{name}: has no column of labels (its columns: {_listed(sorted(columns))}), as lists"
            " of a test set have none. Give a list with the true classes, or name the column with"
            " --columns"
        )
    if path is None or label is None or label == path:
        raise DataError(unknown_columns(name, sorted(columns)))
    if "vid_name" in columns:
        path = "vid_name"
    records, notes = with_parts_named(records, name)
    columns = {key for _, record in records for key in record}
    rows = [_generic(record, path, f"{name}, {unit} {at}", columns) for at, record in records]
    if any(row.first is not None for row in rows) and first_of(columns, START):
        rows, more = _based(rows)
        notes += more
    notes += (*_splits(records, columns), *_unused(columns, path))
    return Rows(tuple(rows), notes=notes, from_zero="vid_name" in columns)


def _splits(records: Sequence[tuple[int, Mapping[str, Any]]], columns: set[str]) -> list[str]:
    """What is said of a list that has rows of several splits."""
    column = first_of(columns, _SPLIT)
    if column is None:
        return []
    found = sorted({str(record.get(column)) for _, record in records} - {"", "None"})
    if len(found) < 2:
        return []
    return [f"its rows are of several splits ({_listed(found)}, column {column}); all are read"]


def _unused(columns: set[str], path: str) -> list[str]:
    """What is said of columns that were not used."""
    used = {*_PATH, *_INDEX, *_LABEL, *COUNT, *KNOWN, *FPS, *LENGTH, path}
    left = sorted(columns - used - _UNNEEDED)
    return [f"columns that are not used: {_listed(left)}"] if left else []


def _listed(words: Sequence[str]) -> str:
    return ", ".join(word[:40] for word in words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")


def unknown_columns(name: str, columns: Sequence[str]) -> str:
    """What is said of a list whose form is not known."""
    shown = ", ".join(columns)
    return (
        f"{name}: not an EPIC-Kitchens list, nor another that is known (its columns:"
        f" {shown[:120]}). Known are 'path label' and 'path num_frames label' with spaces, tabs or"
        " commas; CSV with a header; EPIC-Kitchens; Something-Something; Jester; Kinetics;"
        " Diving48; UCF101; HMDB51. --columns path,label names the columns of any other"
    )


def _generic(record: Mapping[str, Any], path: str, place: str, columns: set[str]) -> Row:
    file = _text(record.get(path))
    label, called = _labels(record)
    if "vid_name" in columns:
        return _diving(record, file, label, place)
    if not file or label is None or label == "":
        keys = " and ".join(repr(key) for key in (path, first_of(columns, (*_LABEL, *_INDEX))))
        return Row(place, file, (), None, fault=f"has no {keys}")
    if isinstance(label, str) and _NEGATIVE.fullmatch(label):
        return Row(place, file, (), None, fault=f"has the label {label}, which is no class")
    begin, end = (seconds(_value(record, names)) for names in (BEGIN, END))
    first, stop = (whole(_value(record, names)) for names in (START, STOP))
    offset, count = whole(_value(record, OFFSET)), whole(_value(record, COUNT))
    fps = decimal(_value(record, FPS)) or None
    files: tuple[str, ...] = (file,)
    id, cut = file, False
    if path == "youtube_id" and begin is not None and end is not None:
        id = f"{file}_{int(begin):06d}_{int(end):06d}"
        files, cut = (id, file), True
    elif begin is not None or first is not None:
        id = f"{file} {_value(record, BEGIN if first is None else START)}"
        id += f" to {_value(record, END if first is None else STOP)}"
    row = Row(place, id, files, label, count, fps=fps, maybe_cut=cut, called=called)
    if offset is not None and count is not None:
        return _with(row, first=offset, stop=offset + count, id=f"{file} {offset}")
    if (first_of(columns, START) and (first is None or stop is None or stop < first)) or (
        first_of(columns, BEGIN) and (begin is None or end is None or end <= begin)
    ):
        return _with(row, fault=f"has no part from a start to a later end ({id!r})")
    return _with(row, first=first, stop=stop, begin=begin, end=end)


def _labels(record: Mapping[str, Any]) -> tuple[int | str | None, str]:
    """A row's label, an index where it has one, and its class's name, where it has that beside."""
    given = [_label(record[key]) for key in (*_INDEX, *_LABEL) if _text(record.get(key))]
    names = [one for one in given if isinstance(one, str)]
    if not given:
        return None, ""
    return given[0], names[0] if names and isinstance(given[0], int) else ""


def _diving(record: Mapping[str, Any], file: str, label: Any, place: str) -> Row:
    """Diving48: the file is the clip; its frames are counted from the list's start to its end,
    which is the last frame or the one behind it.
    """
    if not file or not isinstance(label, int):
        return Row(place, file, (), None, fault="has no 'vid_name' and whole 'label'")
    first, stop = whole(record.get("start_frame")), whole(record.get("end_frame"))
    count = None if stop is None else max(0, stop - (first or 0))
    return Row(place, file, (file,), label, count, roughly=True)


def _based(rows: Sequence[Row]) -> tuple[list[Row], tuple[str, ...]]:
    """Rows whose frames are counted from 0 if 0 occurs, else from 1; the stop is included."""
    base = 0 if any(row.first == 0 for row in rows) else 1
    moved = [
        row
        if row.fault or row.first is None or row.stop is None
        else _with(row, first=row.first - base, stop=row.stop - base + 1, base=base)
        for row in rows
    ]
    return moved, (f"start and stop frames are read as counted from {base}, the stop included",)


def _epic(
    records: Sequence[tuple[int, Mapping[str, Any]]],
    columns: set[str],
    name: str,
    unit: str,
    target: Target,
) -> Rows:
    framed, timed = (
        first_of(columns, a) and first_of(columns, b) for a, b in ((START, STOP), (BEGIN, END))
    )
    if not framed and not timed:
        raise DataError(
            f"{name}: not an EPIC-Kitchens list; its columns must include start_frame and"
            " stop_frame beside video_id, verb_class and noun_class"
        )
    pairs = sorted(
        {
            (verb, noun)
            for _, record in records
            if (verb := whole(record.get("verb_class"))) is not None
            and (noun := whole(record.get("noun_class"))) is not None
        }
    )
    numbers = {pair: at for at, pair in enumerate(pairs)}
    rows = []
    for at, record in records:
        verb, noun = whole(record.get("verb_class")), whole(record.get("noun_class"))
        both = None if verb is None or noun is None else numbers[verb, noun]
        label = {"verb": verb, "noun": noun, "action": both}[target]
        rows.append(_epic_row(record, label, f"{name}, {unit} {at}", target, bool(framed)))
    labels = tuple(f"verb {verb}, noun {noun}" for verb, noun in pairs)
    return Rows(tuple(rows), labels if target == "action" else None, from_zero=True)


def _epic_row(
    record: Mapping[str, Any], label: int | None, place: str, target: Target, framed: bool
) -> Row:
    video, person = _text(record.get("video_id")), _text(record.get("participant_id"))
    start, stop = whole(_value(record, START)), whole(_value(record, STOP))
    begin, end = (seconds(_value(record, names)) for names in (BEGIN, END))
    given = _text(record.get("narration_id")) or _text(record.get("uid"))
    id = given or f"{video} {start if framed else begin} to {stop if framed else end}"
    row = Row(place, id, epic_files(video, person), label, begin=begin, end=end)
    if label is None:
        return _with(row, fault=f"has no whole {target} class")
    if not framed:
        timed = begin is not None and end is not None and end > begin
        return row if timed else _with(row, fault=f"has times {begin} to {end}")
    if start is None or stop is None or stop < start or start < 1:
        shown = [record.get(first_of(record, names) or "") for names in (START, STOP)]
        return _with(row, fault=f"has frames {shown[0]} to {shown[1]}")
    return _with(row, num_frames=stop - start + 1, first=start - 1, stop=stop)


def epic_files(video: str, person: str) -> tuple[str, ...]:
    """Where a video of EPIC-Kitchens may lie: as named, or as EPIC-100 (by participants) and
    EPIC-55 (by train and test) are downloaded.
    """
    person = person or video.split("_")[0]
    places = [
        *(f"{person}/videos/", f"{person}/rgb_frames/", f"{person}/"),
        *(f"videos/{part}/{person}/" for part in ("train", "test")),
        *(f"{top}rgb/{part}/{person}/" for top in ("frames_rgb_flow/", "")
          for part in ("train", "test")),
    ]  # fmt: skip
    return (video, *(place + video for place in places)) if video else ()


def _with(row: Row, **changes: Any) -> Row:
    return replace(row, **changes)


def _value(record: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((record[name] for name in names if name in record), None)


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def _label(value: Any) -> int | str | None:
    number = whole(value)
    if number is not None:
        return number
    return value.strip() if isinstance(value, str) and value.strip() else None
