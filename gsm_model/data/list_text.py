"""Lists without a header: paths with numbers and labels, between any separators."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from gsm_model.data.find_videos import VIDEO_SUFFIXES
from gsm_model.data.list_row import Row, Rows, whole
from gsm_model.errors import DataError

SEPARATORS = ("\t", ";", ",", None)  # None: any white space
_NAMED_VIDEO = re.compile(
    r"(?P<path>.*(?:" + "|".join(map(re.escape, VIDEO_SUFFIXES)) + r"))\s+(?P<label>\S.*)",
    re.IGNORECASE,
)
_HMDB = re.compile(r"(?P<label>.+)_test_split(?P<split>[123])\.txt")
_FORMS = {1: "path label", 2: "path num_frames label"}


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    fields: tuple[str, ...]

    @property
    def numbers(self) -> int:
        """How many of the last fields are whole numbers, the first left aside."""
        count = 0
        for field in reversed(self.fields[1:]):
            if whole(field) is None:
                break
            count += 1
        return count

    def path(self, numbers: int, separator: str | None) -> str:
        """What stands before the last ``numbers`` fields."""
        fields = self.fields[: len(self.fields) - numbers]
        return bare((separator or " ").join(fields)) if separator else _before(self, numbers)


def text_rows(text: str, name: str, exists: Callable[[str], bool]) -> Rows | None:
    """The rows of a list without a header, or ``None`` if it is no such list. ``exists`` says
    whether a video lies where a list says it does.

    Raises:
        DataError: if the columns may mean several things.
    """
    lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    read = [
        (separator, [_Line(n, line.strip(), split(line, separator)) for n, line in lines])
        for separator in SEPARATORS
    ]
    separator, best = max(
        read,
        key=lambda one: (
            sum(line.numbers > 0 for line in one[1]),
            sum(min(line.numbers, 2) for line in one[1]),
        ),
    )
    if separator and sum(map(_has_name, best)) > len(best) / 2:
        return _named_and_counted(best, name)
    if any(line.numbers for line in best):
        return _numbered(best, separator, name, exists)
    found = _named(lines, name)
    if found is None and lines and all(_is_video(bare(line)) for _, line in lines):
        raise DataError(
            f"{name}: has no labels behind its videos; give a list with both, or name its"
            " columns, as with --columns label,path"
        )
    return found


def _is_video(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in VIDEO_SUFFIXES


def _has_name(line: _Line) -> bool:
    """Whether a line is a video, the name of its class, and numbers (Moments in Time)."""
    head, numbers = line.fields, line.numbers
    return len(head) == numbers + 2 > 2 and _is_video(head[0]) and bool(head[1])


def _named_and_counted(lines: Sequence[_Line], name: str) -> Rows:
    rows = [
        Row(f"{name}, line {line.number}", line.fields[0], (line.fields[0],), line.fields[1])
        if _has_name(line)
        else Row(f"{name}, line {line.number}", line.text, (), None, fault="is not 'path, label'")
        for line in lines
    ]
    return Rows(tuple(rows), notes=("the numbers behind the names of classes are not used",))


def split(line: str, separator: str | None) -> tuple[str, ...]:
    """The fields of a line; a quoted one may have separators in it."""
    if separator is None:
        quoted = re.fullmatch(r"""\s*(["'])(.*?)\1\s+(\S.*)""", line)
        if quoted:
            return (quoted[2], *quoted[3].split())
        return tuple(line.split())
    if separator not in line:
        return (line.strip(),)
    try:
        [fields] = csv.reader([line], delimiter=separator, skipinitialspace=True)
    except (csv.Error, ValueError):
        fields = line.split(separator)
    return tuple(field.strip() for field in fields)


def bare(text: str) -> str:
    """A path without quotes around it."""
    text = text.strip()
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'" else text


def _before(line: _Line, numbers: int) -> str:
    if line.text[0] in "\"'":
        return " ".join(line.fields[: len(line.fields) - numbers])
    return line.text.rsplit(maxsplit=numbers)[0]


def _numbered(
    lines: Sequence[_Line], separator: str | None, name: str, exists: Callable[[str], bool]
) -> Rows:
    counts = Counter(line.numbers for line in lines if line.numbers)
    usual = max(counts, key=lambda count: (counts[count], count))
    first, rest = lines[0], lines[1:]
    headed = bool(rest) and not first.numbers and all(line.numbers == usual for line in rest)
    if headed and {len(line.fields) for line in rest} == {len(first.fields)}:
        raise UnknownColumns(first.fields)
    # A path may end in a number itself: where the columns can be cut in two ways, the files say.
    cuts = [cut for cut in range(min(usual, 3), 0, -1)]
    hits = {cut: _hits(lines, cut, separator, exists) for cut in cuts}
    cut = max(cuts, key=lambda cut: (hits[cut], cut))
    if cut == 3:
        raise DataError(
            f"{name}: has three numbers behind each path, which may be an offset, a count and a"
            " label, or a start, a stop and a label (several labels a clip are not read); say which"
            " with --columns"
            " path,offset,num_frames,label or --columns path,start_frame,stop_frame,label"
        )
    return Rows(tuple(_row(line, cut, separator, name) for line in lines))


def _hits(
    lines: Sequence[_Line], cut: int, separator: str | None, exists: Callable[[str], bool]
) -> int:
    return sum(line.numbers >= cut and exists(line.path(cut, separator)) for line in lines[:50])


def _row(line: _Line, cut: int, separator: str | None, name: str) -> Row:
    place = f"{name}, line {line.number}"
    path = line.path(cut, separator) if line.numbers >= cut else ""
    if not path:
        several = "; several labels a clip are not read" if line.numbers else ""
        return Row(place, line.text, (), None, fault=f"is not '{_FORMS[cut]}'{several}")
    label = whole(line.fields[-1])
    num_frames = whole(line.fields[-2]) if cut == 2 else None
    return Row(place, path, (path,), label, num_frames)


def _named(lines: Sequence[tuple[int, str]], name: str) -> Rows | None:
    """Paths with the names of their classes, or paths alone in folders that are called like
    them.
    """
    for take in (_by_separator(";"), _by_separator("\t"), _by_separator(","), _by_suffix,
                 _behind_comma, _folder):  # fmt: skip
        found = [(number, line, take(line)) for number, line in lines]
        if found and sum(pair is not None for _, _, pair in found) > len(found) / 2:
            return Rows(tuple(_named_rows(found, name)))
    return None


def _named_rows(
    found: Sequence[tuple[int, str, tuple[str, str] | None]], name: str
) -> Iterator[Row]:
    for number, line, pair in found:
        place = f"{name}, line {number}"
        if pair is None:
            yield Row(place, line.strip(), (), None, fault="is not 'path label'")
        else:
            yield Row(place, pair[0], (pair[0],), pair[1])


def _by_separator(separator: str) -> Callable[[str], tuple[str, str] | None]:
    def take(line: str) -> tuple[str, str] | None:
        fields = split(line, separator)
        return (bare(fields[0]), fields[1]) if len(fields) == 2 and all(fields) else None

    return take


def _behind_comma(line: str) -> tuple[str, str] | None:
    """A video and the name of its class that has commas in it."""
    head, _, label = line.partition(",")
    return (bare(head), bare(label)) if _is_video(bare(head)) and label.strip() else None


def _by_suffix(line: str) -> tuple[str, str] | None:
    match = _NAMED_VIDEO.fullmatch(line.strip())
    return (bare(match["path"]), match["label"].strip()) if match else None


def _folder(line: str) -> tuple[str, str] | None:
    path = PurePosixPath(bare(line).replace("\\", "/"))
    if path.suffix.lower() not in VIDEO_SUFFIXES or len(path.parts) < 2:
        return None
    return bare(line), path.parts[-2]


class UnknownColumns(Exception):
    """The first line is a header, but of no columns that are known."""

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(", ".join(columns))
        self.columns = tuple(columns)


def hmdb_split(name: str) -> tuple[str, str] | None:
    """The class and the number of the split that a file of HMDB51 is named after."""
    match = _HMDB.fullmatch(name)
    return (match["label"], match["split"]) if match else None


def hmdb_rows(files: Sequence[tuple[str, str]]) -> Rows:
    """The test clips (marked 2) of one split of HMDB51: ``files`` are the names and texts of its
    files, one a class.
    """
    rows: list[Row] = []
    for name, text in files:
        found = hmdb_split(name)
        label = found[0] if found else ""
        for number, line in enumerate(text.splitlines(), start=1):
            fields = line.split()
            if not fields:
                continue
            place = f"{name}, line {number}"
            if len(fields) != 2 or fields[1] not in ("0", "1", "2"):
                rows.append(Row(place, line, (), None, fault="is not 'video 0', '1' or '2'"))
            elif fields[1] == "2":
                rows.append(Row(place, fields[0], (f"{label}/{fields[0]}", fields[0]), label))
    note = f"HMDB51: the {len(rows)} test clips of {len(files)} classes"
    return Rows(tuple(rows), notes=(note,))
