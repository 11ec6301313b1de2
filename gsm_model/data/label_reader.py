"""Files of class names as people have them: one reader for commands, pages and lists.

The form is read off the content: names alone, an index before or behind each, columns with a
header, JSON either way. Where there are indices they are obeyed, and are no part of a name.
"""

from __future__ import annotations

import csv
import json
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsm_model.errors import DataError
from gsm_model.io.text import decode_text

_log = logging.getLogger(__name__)
MAX_LABEL_FILE_BYTES = 4_000_000
_SHOWN = 5
_COMMENT = re.compile(r"#\s")
_SEPARATOR = re.compile(r"\s*sep=.\s*")
_JSON = re.compile(r"\s*(\{|\[(?!\s*[0-9]+\s*\][ \t]*\S))")
_INDEX_COLUMNS = ("id", "index", "idx", "label_id", "class_id", "class_index", "verb_id", "noun_id")
_NAME_COLUMNS = (
    *(
        "name",
        "label",
        "class",
        "class_name",
        "label_name",
        "classname",
        "display_name",
    ),
    *("key", "class_key", "text", "action", "template", "category"),
)
# A first line of these alone is a header.
_HEADERS = frozenset(("name", "names", "label", "labels", "class", "classes", "class_name"))
_INTEGER = re.compile(r"-?[0-9]{1,9}")
# An index and a name, and whether more than space is between them; the first that fits is the form.
_FORMS = (
    (re.compile(r"(?P<index>[0-9]{1,9})\s*(?:[,;\t:=]|[=-]>)\s*(?P<name>.*\S)"), True),
    (re.compile(r"(?P<index>[0-9]{1,9})[.)]\s+(?P<name>.*\S)"), True),
    (re.compile(r"[(\[](?P<index>[0-9]{1,9})[)\]]\s*(?P<name>.*\S)"), True),
    (re.compile(r"(?P<name>.*\S)\s*[,;\t=]\s*(?P<index>[0-9]{1,9})"), True),
    (re.compile(r"(?P<index>[0-9]{1,9})\s+(?P<name>.*\S)"), False),
    (re.compile(r"(?P<name>.*\S)\s+(?P<index>[0-9]{1,9})"), False),
)


@dataclass(frozen=True)
class LabelFile:
    """Class names in the order of the model's outputs, and sentences on what was inferred."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Given:
    """A class name with where it stands in the file, and its index where it has one."""

    name: str
    where: str
    index: int | None = None


def read_labels(path: Path) -> tuple[str, ...]:
    """The class names of a file in index order, as `read_label_file`; what was inferred is a
    warning of this module's logger.

    Raises:
        DataError: as `read_label_file`.
    """
    read = read_label_file(path)
    for note in read.notes:
        _log.warning("%s: %s", path.name, note)
    return read.names


def read_label_file(path: Path) -> LabelFile:
    """The class names of a file in the order of their indices, or of its lines where it has none.

    It may hold one name a line; an index before or behind each name, with a space, a tab, a comma,
    a semicolon or a colon between; columns with a header, of which one is the index; JSON: a list
    of names, or an object of names and indices either way round. Indices count from 0 or from 1.

    Raises:
        DataError: if the file cannot be read as text, is over 4 MB, or is empty; if a name or an
            index comes twice, or an index is missing.
    """
    try:
        size = path.stat().st_size
        if size > MAX_LABEL_FILE_BYTES:
            raise DataError(f"{path.name}: too large for a label file ({size:,} bytes)")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path.name}: not a readable text file ({error}); a label file has one class name a"
            " line"
        ) from None
    try:
        decoded = decode_text(content, path.name)
    except DataError as error:
        raise DataError(
            f"{path.name}: not a readable text file"
            f" ({str(error).removeprefix(f'{path.name}: ')}); a label file has one class name a"
            " line"
        ) from None
    found = parse_labels(decoded.text, path.name)
    return LabelFile(found.names, (*filter(None, [decoded.note]), *found.notes))


def parse_labels(text: str, source: str) -> LabelFile:
    """The class names in the ``text`` of a label file, as `read_label_file`; ``source`` is what
    messages call it.

    Raises:
        DataError: as `read_label_file`.
    """
    notes: tuple[str, ...] = ()
    if _JSON.match(text):
        given = _of_json(text, source)
    else:
        text, notes = _without_remarks(text)
        given = _of_columns(text, source)
        if not given:
            text, said = _without_header(text)
            notes += said
            given = _of_lines(text.rstrip(), source)
    if given and given[0].index is not None:
        found = _in_order(given, source)
        return LabelFile(found.names, (*notes, *found.notes))
    _require_distinct(given, source)
    return LabelFile(tuple(one.name for one in given), notes)


def _without_remarks(text: str) -> tuple[str, tuple[str, ...]]:
    """``text`` without comments and the *sep=;* at its beginning, and without the dashes of a
    list.
    """
    lines = text.splitlines()
    while lines and (_COMMENT.match(lines[0]) or _SEPARATOR.fullmatch(lines[0])):
        del lines[0]
    left = len(text.splitlines()) - len(lines)
    if len(lines) > 1 and all(line.startswith("- ") for line in lines if line.strip()):
        lines = [line.removeprefix("- ") for line in lines]
    said = ("a comment in its first line is no class",) if left and lines else ()
    return "\n".join(lines), said if _COMMENT.match(text) else ()


def _without_header(text: str) -> tuple[str, tuple[str, ...]]:
    first, _, rest = text.lstrip().partition("\n")
    if _key(first) not in _HEADERS or not rest.strip():
        return text, ()
    return rest, (f"its first line, {first.strip()!r}, is taken as a header",)


def checked_labels(labels: Sequence[str], source: str) -> tuple[str, ...]:
    """``labels`` as a tuple, if each is there and there once.

    Raises:
        DataError: if there is none, one is blank, or one comes twice.
    """
    given = [_Given(label, f"line {line}") for line, label in enumerate(labels, start=1)]
    _require_distinct(given, source)
    return tuple(labels)


def _require_distinct(given: Sequence[_Given], source: str) -> None:
    if not given:
        raise DataError(f"{source}: no labels in it; a label file has one class name a line")
    seen: dict[str, str] = {}
    for one in given:
        if not one.name:
            raise DataError(f"{source}: {one.where} is blank")
        if one.name in seen:
            raise DataError(
                f"{source}: {one.name!r} is on {seen[one.name]} and again on {one.where}"
            )
        seen[one.name] = one.where


def _in_order(given: Sequence[_Given], source: str) -> LabelFile:
    """Names in the order of their indices, which must be 0 to K − 1 or 1 to K, each once."""
    _require_distinct(given, source)
    by_index: dict[int, _Given] = {}
    for one in given:
        index = -1 if one.index is None else one.index
        if index < 0:
            raise DataError(f"{source}: {one.where}, {one.name!r}, has no index from 0 on")
        if index in by_index:
            other = by_index[index]
            raise DataError(
                f"{source}: index {index} is {other.name!r} on {other.where} and {one.name!r} on"
                f" {one.where}"
            )
        by_index[index] = one
    first = 0 if 0 in by_index else 1
    missing = _first_missing(by_index, first)
    if missing:
        raise DataError(
            f"{source}: its indices go from {min(by_index)} to {max(by_index)}, without"
            f" {missing}; every class needs its name. If the numbers are part of the names, write"
            " them as a JSON list of names"
        )
    names = tuple(by_index[index].name for index in sorted(by_index))
    if first == 0:
        return LabelFile(names)
    return LabelFile(
        names, (f"the indices count from 1: {names[0]!r}, index 1, is the model's class 0",)
    )


def _first_missing(present: Iterable[int], first: int) -> str:
    """The indices that lack between ``first`` and the largest: the first few, in words."""
    lacking: list[str] = []
    expected = first
    for index in sorted(present):
        if index > expected:
            last = index - 1
            lacking.append(str(expected) if last == expected else f"{expected} to {last}")
        expected = index + 1
    return ", ".join(lacking[:_SHOWN]) + (", …" if len(lacking) > _SHOWN else "")


def _of_lines(text: str, source: str) -> list[_Given]:
    lines = [(f"line {n}", _bare(line)) for n, line in enumerate(text.splitlines(), start=1)]
    for form, separated in _FORMS:
        matches = [(where, line, form.fullmatch(line)) for where, line in lines if line]
        fitting = [match for _, _, match in matches if match]
        if not fitting or not _are_indices(fitting, len(matches), separated):
            continue
        given = []
        for where, line, match in matches:
            if match is None:
                raise DataError(
                    f"{source}: {where}, {line!r}, has no index, as the other lines have"
                )
            given.append(_Given(_bare(match["name"]), where, int(match["index"])))
        _require_one_name(given, source)
        return given
    return [_Given(line, where) for where, line in lines]


def _are_indices(fitting: Sequence[re.Match[str]], lines: int, separated: bool) -> bool:
    """Whether numbers beside names are indices. Names may end in numbers themselves: *walk 1*,
    *walk 2* are two names, for what is beside the numbers is one.
    """
    names = [match["name"] for match in fitting]
    indices = [int(match["index"]) for match in fitting]
    if len(set(names)) <= len(names) / 2 and len(names) > 1:
        return False
    if len(fitting) == lines:
        return lines > 1 or indices[0] in (0, 1) or separated
    expected = sum(index in (at, at + 1) for at, index in enumerate(sorted(indices)))
    return len(fitting) > max(1, lines / 2) and (separated or expected > len(fitting) / 2)


def _require_one_name(given: Sequence[_Given], source: str) -> None:
    """A table without a header looks like an index and a name that has commas in it."""
    counts = {len(re.split("[,;\t]", one.name)) for one in given}
    if len(counts) == 1 and min(counts) > 1 and len(given) > 1:
        raise DataError(
            f"{source}: has {min(counts) + 1} columns and no header; name them in a first line,"
            " such as id,name"
        )


def _of_columns(text: str, source: str) -> list[_Given]:
    """The rows of a table whose first line names its columns; none if it does not."""
    first = text.split("\n", 1)[0].strip().lower()
    separator = max(",;\t", key=first.count)
    header = [_key(field) for field in first.split(separator)]
    name = next((header.index(key) for key in _NAME_COLUMNS if key in header), None)
    index = next((header.index(key) for key in _INDEX_COLUMNS if key in header), None)
    if name is None or index is None:
        return []
    given = []
    try:
        for number, row in enumerate(csv.reader(text.splitlines(), delimiter=separator), start=1):
            if number == 1 or not any(field.strip() for field in row):
                continue
            if len(row) <= max(name, index) or not _INTEGER.fullmatch(row[index].strip()):
                raise DataError(f"{source}: line {number} has no whole {header[index]!r}")
            given.append(_Given(_bare(row[name]), f"line {number}", int(row[index])))
    except csv.Error as error:
        raise DataError(f"{source}: not a table that can be read ({error})") from None
    return given


def _of_json(text: str, source: str) -> list[_Given]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source}: not JSON ({error})") from None
    while isinstance(value, dict):
        inner = [value[key] for key in ("id2label", "labels", "classes", "names") if key in value]
        if len(inner) != 1 or not isinstance(inner[0], (dict, list)):
            break
        value = inner[0]
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        return [_of_record(one, f"entry {at}", source) for at, one in enumerate(value, start=1)]
    if isinstance(value, list):
        return [_of_entry(one, f"entry {at}", source) for at, one in enumerate(value, start=1)]
    return _of_object(value, source)


def _of_entry(entry: Any, where: str, source: str) -> _Given:
    """A name, or the parts of one: Diving48's vocabulary has four of each dive."""
    parts = entry if isinstance(entry, list) and entry else [entry]
    if not all(isinstance(part, str) for part in parts):
        raise DataError(f"{source}: {where} is no class name: {json.dumps(entry)[:60]}")
    return _Given(", ".join(_bare(part) for part in parts), where)


def _of_record(record: dict, where: str, source: str) -> _Given:
    keys = {_key(str(key)): key for key in record}
    name = next((record[keys[key]] for key in _NAME_COLUMNS if key in keys), None)
    index = next((record[keys[key]] for key in _INDEX_COLUMNS if key in keys), None)
    if not isinstance(name, str) or index is None or not _is_integer(index):
        raise DataError(f"{source}: {where} has no 'name' and whole 'id'")
    return _Given(_bare(name), where, int(index))


def _of_object(value: Any, source: str) -> list[_Given]:
    if not isinstance(value, dict) or not value:
        raise DataError(f"{source}: not a JSON object of class names and their indices")
    indexed = all(_is_integer(index) for index in value.values())
    indexes = all(_is_integer(key) for key in value)
    if indexed and indexes:
        raise DataError(
            f"{source}: its names and its indices are both numbers; write a JSON list of names"
        )
    take: Callable[[str, Any], _Given]
    if indexed:
        take = lambda key, index: _Given(_bare(key), f"entry {key!r}", int(index))  # noqa: E731
    elif indexes and all(isinstance(name, (str, list)) for name in value.values()):
        take = lambda key, name: _Given(  # noqa: E731
            _of_entry(name, f"entry {key!r}", source).name, f"entry {key!r}", int(key)
        )
    else:
        raise DataError(f"{source}: not a JSON object of class names and their indices")
    return [take(key, one) for key, one in value.items()]


def _is_integer(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return False
    return _INTEGER.fullmatch(str(value).strip()) is not None


def _key(column: str) -> str:
    return re.sub(r"[\s-]+", "_", column.strip().strip("\"'").lower())


def _bare(name: str) -> str:
    """A name without the quotes that some writers put around it."""
    name = name.strip()
    if len(name) > 2 and name[0] == name[-1] and name[0] in "\"'" and name[0] not in name[1:-1]:
        return name[1:-1].strip()
    return name
