"""Lists of labelled videos in the formats of the public data sets, every fault of a list found
before any work begins.

- the GSM and TSM releases' text lists: ``path num_frames label``, one a line;
- Something-Something V2's JSON (``id``, ``template``) with a label file in JSON;
- Diving48's JSON (``vid_name``, ``label``);
- EPIC-Kitchens' CSV with start and stop frames (verb, noun or action).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from gsm_model.data.labels import read_labels
from gsm_model.errors import DataError

Target = Literal["verb", "noun", "action"]
VIDEO_SUFFIXES = (".mp4", ".webm", ".avi", ".mkv", ".mov")
# The releases drop shorter clips: their three-frame minimum holds an image, its successor and a
# spare.
MIN_FRAMES = 3
_SHOWN_FAULTS = 10


@dataclass(frozen=True)
class Entry:
    """One clip of a list. ``label`` is a class index. ``first`` and ``stop`` bound the frames that
    count, 0-based, ``stop`` not included; both are ``None`` for the whole file."""

    id: str
    path: Path
    label: int
    first: int | None = None
    stop: int | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong with one line or record: ``place`` names file and line."""

    place: str
    message: str


@dataclass(frozen=True)
class VideoList:
    """A list that was read: its good entries, its faults, how many clips were too short to count,
    and class names if it has them.
    """

    name: str
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    too_short: int = 0
    labels: tuple[str, ...] | None = None

    def require_clean(self) -> VideoList:
        """This list, if it has no fault.

        Raises:
            DataError: with the first ten faults and the count of all.
        """
        if not self.faults:
            return self
        shown = "; ".join(
            f"{fault.place}: {fault.message}" for fault in self.faults[:_SHOWN_FAULTS]
        )
        more = len(self.faults) - _SHOWN_FAULTS
        rest = f"; and {more} more" if more > 0 else ""
        raise DataError(
            f"{self.name} has {len(self.faults)} faults: {shown}{rest}. Mend them, or skip these"
            " clips with --skip-bad."
        )


@dataclass(frozen=True)
class _Line:
    """One record before its file and label are looked at."""

    place: str
    id: str
    file: str
    label: int | None
    num_frames: int | None = None
    first: int | None = None
    stop: int | None = None
    fault: str = ""


def read_video_list(
    path: Path, videos: Path | None = None, labels: Path | None = None, target: Target = "verb"
) -> VideoList:
    """Read a list in any of the known formats, told apart by their content.

    ``path`` is the list, or a folder that holds ``list.txt``. ``videos`` is the folder that its
    clips lie in, the list's own if not given. ``labels`` is a label file (one name a line, or
    Something-Something's JSON of names and indices), which Something-Something V2 needs. ``target``
    is what an EPIC-Kitchens clip is labelled with; actions are numbered in the order of (verb,
    noun).

    Raises:
        DataError: if the file is missing, no list of a known format, or a label file is needed and
            not given.
    """
    if path.is_dir():
        labels = labels or (path / "labels.txt" if (path / "labels.txt").is_file() else None)
        path = path / "list.txt"
    text = _read_text(path)
    videos = videos or path.parent
    names = _read_label_names(labels) if labels is not None else None
    if path.suffix == ".csv":
        lines, names = _epic_lines(text, path.name, target, names)
    elif path.suffix == ".json":
        lines = _json_lines(text, path.name, names)
    else:
        lines = list(_release_lines(text, path.name))
    return _check(path.name, lines, videos, names)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path.name}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path.name}: not a text file in UTF-8") from None


def _read_label_names(path: Path) -> tuple[str, ...]:
    if path.suffix != ".json":
        return read_labels(path)
    try:
        indices = {str(name): int(index) for name, index in json.loads(_read_text(path)).items()}
    except (ValueError, TypeError, AttributeError):
        raise DataError(
            f"{path.name}: not a JSON object of class names and their indices"
        ) from None
    if sorted(indices.values()) != list(range(len(indices))):
        raise DataError(
            f"{path.name}: the class indices are not 0 to {len(indices) - 1}, each once"
        )
    return tuple(sorted(indices, key=indices.__getitem__))


def _whole(text: Any) -> int | None:
    """``text`` as a whole number that is not negative, or ``None``."""
    try:
        number = int(text)
    except (TypeError, ValueError):
        return None
    return number if number >= 0 else None


def _release_lines(text: str, name: str) -> Iterator[_Line]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        place = f"{name}, line {number}"
        # The path may have spaces in it; the last two fields have none.
        fields = line.strip().rsplit(maxsplit=2)
        num_frames, label = (
            (_whole(field) for field in fields[1:]) if len(fields) == 3 else (None, None)
        )
        if num_frames is None or label is None:
            yield _Line(place, line.strip(), "", None, fault="is not 'path num_frames label'")
        else:
            yield _Line(place, fields[0], fields[0], label, num_frames)


def _json_lines(text: str, name: str, names: Sequence[str] | None) -> list[_Line]:
    try:
        records = json.loads(text)
    except ValueError as error:
        raise DataError(f"{name}: not JSON ({error})") from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise DataError(f"{name}: not a JSON list of clips")
    if any("vid_name" in record for record in records):
        return [
            _diving_line(record, f"{name}, entry {number}")
            for number, record in enumerate(records, start=1)
        ]
    if names is None:
        raise DataError(
            f"{name}: Something-Something's labels are names; give its label file (labels.json) as"
            " well"
        )
    indices = {label: index for index, label in enumerate(names)}
    return [
        _something_line(record, indices, f"{name}, entry {number}")
        for number, record in enumerate(records, start=1)
    ]


def _diving_line(record: dict, place: str) -> _Line:
    id, label = str(record.get("vid_name", "")), _whole(record.get("label"))
    if not id or label is None:
        return _Line(place, id, "", None, fault="has no 'vid_name' and whole 'label'")
    first, stop = _whole(record.get("start_frame")), _whole(record.get("end_frame"))
    return _Line(place, id, id, label, None if stop is None else stop - (first or 0))


def _something_line(record: dict, indices: dict[str, int], place: str) -> _Line:
    id, template = str(record.get("id", "")), str(record.get("template", ""))
    label = template.replace("[", "").replace("]", "")
    if not id or not template:
        return _Line(place, id, "", None, fault="has no 'id' and 'template'")
    if label not in indices:
        return _Line(place, id, id, None, fault=f"has the unknown label {label!r}")
    return _Line(place, id, id, indices[label])


def _epic_lines(
    text: str, name: str, target: Target, names: Sequence[str] | None
) -> tuple[list[_Line], tuple[str, ...] | None]:
    rows = list(csv.DictReader(text.splitlines()))
    columns = {"narration_id", "video_id", "start_frame", "stop_frame", "verb_class", "noun_class"}
    if not rows or not columns <= set(rows[0]):
        raise DataError(
            f"{name}: not an EPIC-Kitchens list; its columns must include"
            f" {', '.join(sorted(columns))}"
        )
    pairs = sorted(
        {(_whole(row["verb_class"]), _whole(row["noun_class"])) for row in rows} - {(None, None)},
        key=str,
    )
    pairs = sorted(pair for pair in pairs if None not in pair)
    lines = []
    for number, row in enumerate(rows, start=2):
        verb, noun = _whole(row["verb_class"]), _whole(row["noun_class"])
        label = {
            "verb": verb,
            "noun": noun,
            "action": pairs.index((verb, noun)) if (verb, noun) in pairs else None,
        }[target]
        start, stop = _whole(row["start_frame"]), _whole(row["stop_frame"])
        place, fault = f"{name}, line {number}", ""
        if label is None:
            fault = f"has no whole {target} class"
        elif start is None or stop is None or stop < start or start < 1:
            fault = f"has frames {row['start_frame']} to {row['stop_frame']}"
        line = _Line(place, row["narration_id"], row["video_id"] or "", label, fault=fault)
        if not fault and start is not None and stop is not None:
            line = replace(line, num_frames=stop - start + 1, first=start - 1, stop=stop)
        lines.append(line)
    if target == "action":
        names = tuple(f"verb {verb}, noun {noun}" for verb, noun in pairs)
    return lines, None if names is None else tuple(names)


def _check(
    name: str, lines: Sequence[_Line], videos: Path, names: tuple[str, ...] | None
) -> VideoList:
    entries: list[Entry] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    too_short = 0
    for line in lines:
        found = None if line.fault else _find_video(videos, line.file)
        fault = line.fault
        if not fault and line.id in seen:
            fault = f"{line.id!r} came before, at {seen[line.id]}"
        elif not fault and names is not None and line.label not in range(len(names)):
            fault = f"label {line.label} is none of the {len(names)} classes"
        elif not fault and line.num_frames == 0:
            fault = f"{line.file!r} has no frames"
        elif not fault and found is None:
            fault = f"there is no video or folder of frames for {line.file!r}"
        elif not fault and found is not None and _is_empty_file(found):
            fault = f"{found.name!r} is empty"
        seen.setdefault(line.id, line.place)
        if fault or found is None or line.label is None:
            faults.append(Fault(line.place, fault))
        elif line.num_frames is not None and line.num_frames < MIN_FRAMES:
            too_short += 1
        else:
            entries.append(Entry(line.id, found, line.label, line.first, line.stop))
    if not lines:
        raise DataError(f"{name}: there is no clip in it")
    return VideoList(name, tuple(entries), tuple(faults), too_short, names)


def _is_empty_file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def _find_video(videos: Path, file: str) -> Path | None:
    """The file or folder of frames that a list means: with or without suffix, Diving48's frames
    under ``frames``.
    """
    path = Path(file) if Path(file).is_absolute() else videos / file
    candidates = [
        path,
        *(path.with_name(path.name + suffix) for suffix in VIDEO_SUFFIXES),
        path.parent / "frames" / path.name,
    ]
    found = next((candidate for candidate in candidates if candidate.exists()), None)
    if found is not None and found.is_dir() and (found / "frames").is_dir():
        return found / "frames"
    return found
