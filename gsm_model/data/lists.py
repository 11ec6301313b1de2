"""Lists of labelled videos in the formats of the public data sets, every fault of a list found
before any work begins.

- text: ``path label`` or ``path num_frames label``, one a line, with spaces, tabs, commas or
  semicolons between, as the releases of GSM, TSM, TSN and SlowFast have them; a class's name may
  stand in the place of its index (Something-Something V1, Jester), or in the path (UCF101);
- CSV with a header: EPIC-Kitchens (verb, noun or action), Kinetics, or any whose columns say what
  they are;
- JSON: Something-Something V2 (``id``, ``template``), Diving48 (``vid_name``, ``label``), Kinetics;
- HMDB51's split files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gsm_model._moved import renamed
from gsm_model.data.find_videos import VideoFinder
from gsm_model.data.label_reader import LabelFile, read_label_file
from gsm_model.data.list_row import Row, Rows
from gsm_model.data.list_tables import Target, json_records, table_of, table_rows, unknown_columns
from gsm_model.data.list_text import UnknownColumns, hmdb_rows, hmdb_split, text_rows
from gsm_model.data.row_labels import indexed, is_of_ucf
from gsm_model.data.several_labels import check_text
from gsm_model.errors import DataError, VideoError
from gsm_model.io.text import decode_text
from gsm_model.motion.stored import Zero
from gsm_model.video.frame_folders import frames_of, is_pattern
from gsm_model.video.part import Part, locate
from gsm_model.video.source import VideoInfo

__all__ = ["Entry", "Fault", "Target", "VideoList", "read_video_list"]
# The releases drop shorter clips: their three-frame minimum holds an image, its successor and a
# spare.
MIN_FRAMES = 3
MAX_LIST_BYTES = 128 * 2**20
_SHOWN_FAULTS = 10
_SEPARATOR = re.compile(r"\s*sep=.\s*")
__getattr__ = renamed(__name__, {"VIDEO_SUFFIXES": "gsm_model.data.find_videos:VIDEO_SUFFIXES"})


@dataclass(frozen=True)
class Entry:
    """One clip of a list. ``label`` is a class index. ``first`` and ``stop`` bound the frames that
    count, 0-based, ``stop`` not included; both are ``None`` for the whole file. The rest is as in
    `gsm_model.video.part.Part`. ``flow``: whether its folder holds optical flow, beside pictures or
    alone; ``flow_zero`` is the byte of no motion in it, where it is known."""

    id: str
    path: Path
    label: int
    first: int | None = None
    stop: int | None = None
    begin: float | None = None
    end: float | None = None
    fps: float | None = None
    base: int = 1
    num_frames: int | None = None
    maybe_cut: bool = False
    flow: Literal["", "beside", "alone"] = ""
    flow_zero: Zero | None = None

    @property
    def part(self) -> Part:
        """Which frames of the file count."""
        return Part(
            self.first,
            self.stop,
            self.begin,
            self.end,
            self.fps,
            self.base,
            self.num_frames,
            self.maybe_cut,
        )


@dataclass(frozen=True)
class Fault:
    """What is wrong with one line or record: ``place`` names file and line. ``usable``: the clip is
    among the entries all the same, for only its number of frames is another than the list's.
    """

    place: str
    message: str
    usable: bool = False


@dataclass(frozen=True)
class VideoList:
    """A list that was read: its good entries, its faults, how many clips were too short to count,
    class names if it has them, sentences on what was inferred, and the folder of the videos.
    """

    name: str
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    too_short: int = 0
    labels: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    folder: Path | None = None

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
        used = (
            " Where only the number of frames differs, --skip-bad reads the frames that are there."
            if any(fault.usable for fault in self.faults)
            else ""
        )
        raise DataError(
            f"{self.name} has {len(self.faults)} faults: {shown}{rest}. Mend them, or skip these"
            f" clips with --skip-bad.{used}"
        )


def read_video_list(
    path: Path,
    videos: Path | None = None,
    labels: Path | None = None,
    target: Target = "verb",
    *,
    classes: Callable[[], Sequence[str] | None] | None = None,
    num_classes: Callable[[], int] | None = None,
    columns: Sequence[str] | None = None,
    first_label: int | None = None,
    series: str | None = None,
) -> VideoList:
    """Read a list in any of the known formats, told apart by their content.

    ``path`` is the list, or a folder that holds ``list.txt``. ``videos`` is the folder that its
    clips lie in, the list's own if not given. ``labels`` is a label file (`read_label_file`);
    without it, names of classes are looked up in what ``classes()`` gives, those of a model, which
    has ``num_classes()``.
    ``target`` is what an EPIC-Kitchens clip is labelled with; actions are numbered in the order of
    (verb, noun). ``columns`` names the columns of a list of another form, ``first_label`` is the
    index of its first class, ``series`` which pictures of folders with several are the video.

    Raises:
        DataError: if the file is missing, no list of a known format, or a label file is needed and
            not given.
    """
    if path.is_dir():
        labels = labels or (path / "labels.txt" if (path / "labels.txt").is_file() else None)
        path = path / "list.txt"
    finder = VideoFinder(videos or path.parent)
    text, notes = _read_text(path)
    found = _rows_of(text, path, target, columns, finder)
    notes += found.notes
    names = _names(found, labels, path, classes)
    notes += names.notes
    known = found.labels or names.names or None
    rows, more = indexed(found, known, path.name, first_label, num_classes)
    return _check(path.name, rows, finder, known, notes + more, series)


def _read_text(path: Path) -> tuple[str, tuple[str, ...]]:
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise DataError(f"{path.name}: too large for a list ({path.stat().st_size:,} bytes)")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name}: {getattr(error, 'strerror', None) or error}") from None
    try:
        decoded = decode_text(content, path.name)
    except DataError as error:
        raise DataError(
            f"{path.name}: not a text file in UTF-8 or another encoding that is known"
            f" ({str(error).removeprefix(f'{path.name}: ')})"
        ) from None
    return decoded.text, (decoded.note,) if decoded.note else ()


def _rows_of(
    text: str, path: Path, target: Target, columns: Sequence[str] | None, finder: VideoFinder
) -> Rows:
    name = path.name
    text = _without_remarks(text)
    if not text.strip():
        raise DataError(f"{name}: there is no clip in it")
    check_text(text, name)
    if text.lstrip().startswith(("[", "{")) or path.suffix.lower() == ".json":
        return table_rows(json_records(text, name), name, "entry", target)
    if split := hmdb_split(name):
        siblings = sorted(path.parent.glob(f"*_test_split{split[1]}.txt"))
        return hmdb_rows([(file.name, _read_text(file)[0]) for file in siblings])
    records = table_of(text, columns)
    if records is not None:
        return table_rows(records, name, "line", target)
    try:
        found = text_rows(text, name, finder.has)
    except UnknownColumns as unknown:
        raise DataError(unknown_columns(name, unknown.columns)) from None
    if found is None:
        raise DataError(unknown_columns(name, text.strip().splitlines()[0].split(",")))
    return found


def _without_remarks(text: str) -> str:
    """``text`` with empty lines in place of comments and of a spreadsheet's ``sep=;``."""
    lines = text.splitlines()
    plain = [
        "" if line.lstrip().startswith("#") or (at == 0 and _SEPARATOR.fullmatch(line)) else line
        for at, line in enumerate(lines)
    ]
    return "\n".join(plain)


def _names(
    found: Rows,
    labels: Path | None,
    path: Path,
    classes: Callable[[], Sequence[str] | None] | None,
) -> LabelFile:
    """The class names that names in the list are looked up in; none where none are needed."""
    if labels is not None:
        read = read_label_file(labels)
        return replace(read, notes=tuple(f"{labels.name}: {note}" for note in read.notes))
    called = any(isinstance(row.label, str) for row in found.rows)
    beside = path.parent / "classInd.txt"
    if beside.is_file() and any(map(is_of_ucf, found.rows)):
        read = read_label_file(beside)
        return LabelFile(read.names, ("the classes are numbered as in classInd.txt beside it",))
    if found.labels or not (called or any(row.called for row in found.rows)):
        return LabelFile(())
    known = classes() if classes is not None else None
    if not known and not called:
        return LabelFile(())
    if not known:
        raise DataError(
            f"{path.name}: its labels are names; give its label file as well, with --labels (of"
            " Something-Something: labels.json)"
        )
    said = ("its labels are looked up among the model's class names",)
    return LabelFile(tuple(known), said if called else ())


def _check(
    name: str,
    rows: Sequence[Row],
    finder: VideoFinder,
    names: tuple[str, ...] | None,
    notes: tuple[str, ...],
    series: str | None,
) -> VideoList:
    entries: list[Entry] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    taken: dict[Path, str] = {}  # files that lie elsewhere than the list says → their row
    too_short = elsewhere = 0
    looks: Counter[str] = Counter()
    for row in rows:
        id = row.id.replace("\\", "/")
        entry, fault = None, row.fault
        if not fault and id in seen:
            fault = f"{id!r} came before, at {seen[id]}"
        elif not fault and names is not None and row.label not in range(len(names)):
            fault = f"label {row.label} is none of the {len(names)} classes"
        elif not fault and row.num_frames == 0:
            fault = f"{id!r} has no frames"
        elif not fault:
            found = finder.find(row.files or (row.id,))
            fault, elsewhere = found.fault, elsewhere + found.elsewhere
            if found.path is not None and found.elsewhere and row.is_whole:
                if found.path in taken:
                    fault = f"for {id!r} there is only {found.path}, as for {taken[found.path]}"
                taken.setdefault(found.path, row.place)
            if not fault and found.path is not None and _is_empty_file(found.path):
                fault = f"{found.path.name!r} is empty"
            elif not fault and found.path is not None:
                entry = _entry(row, id, _of_series(found.path, series))
        seen.setdefault(id, row.place)
        if entry is None:
            faults.append(Fault(row.place, fault))
            continue
        look = _look(entry, row, looks)
        if look.fault:
            faults.append(Fault(row.place, look.fault, usable=look.count is not None))
        if look.fault and look.count is None:
            continue
        count = row.num_frames if look.count is None else look.count
        if count is not None and count < MIN_FRAMES:
            too_short += 1
        else:
            entries.append(replace(entry, flow=look.flow))
    if not rows:
        raise DataError(f"{name}: there is no clip in it")
    if too_short > max(1, len(rows) / 2) and not entries:
        raise DataError(
            f"{name}: says that all its clips have fewer than {MIN_FRAMES} frames, the first is"
            f" {_as_written(rows[0])}. Where these numbers are no numbers of frames, name the"
            " columns, as with --columns path,note,label; several labels a clip are not read"
        )
    if elsewhere:
        notes += (f"{elsewhere} videos were found by their names in other folders than the list's",)
    return VideoList(
        *(name, tuple(entries), tuple(faults), too_short, names, notes + _of_folders(looks)),
        finder.folder,
    )


def _as_written(row: Row) -> str:
    return f"{row.id!r} with {row.num_frames} and the label {row.label}"


def _entry(row: Row, id: str, path: Path) -> Entry:
    return Entry(
        id,
        path,
        row.label if isinstance(row.label, int) else -1,
        row.first,
        row.stop,
        row.begin,
        row.end,
        row.fps,
        row.base,
        None if row.first is not None or row.roughly else row.num_frames,
        row.maybe_cut,
    )


def _of_series(path: Path, series: str | None) -> Path:
    return path / series if series and path.is_dir() else path


@dataclass(frozen=True)
class _Look:
    """What a look at a row's folder shows: how many frames count, what is wrong, and whether it
    holds optical flow.
    """

    count: int | None = None
    fault: str = ""
    flow: Literal["", "beside", "alone"] = ""


def _look(entry: Entry, row: Row, looks: Counter[str]) -> _Look:
    """What is wrong with a folder of frames; what is to be said of it is counted in ``looks``."""
    path, wanted = entry.path, None
    if is_pattern(path.name) and path.parent.is_dir() and not path.exists():
        path, wanted = path.parent, path.name
    if not path.is_dir():
        return _Look()
    try:
        frames = frames_of(path, path.name, wanted)
    except VideoError as error:
        return _Look(fault=str(error))
    looks.update(frames.notes)
    there = frames.count
    flow: Literal["", "beside", "alone"] = "" if frames.flow is None else "beside"
    flow = "alone" if frames.alone else flow
    if entry.first is not None or entry.end is not None:
        try:
            info = VideoInfo(there, 1.0, 1, 1, kind="folder", runs=frames.runs)
            looks.update(locate(entry.part, info, entry.id).notes)
        except VideoError:  # as a video without this part: a row with its error
            pass
        return _Look(flow=flow)
    if row.num_frames is not None:
        if row.roughly:
            if abs(there - row.num_frames) > 1:
                looks["start and end in the list make another number of frames"] += 1
            return _Look(row.num_frames, flow=flow)
        # A list may count the files of flow, which are one fewer than the frames.
        if row.num_frames not in {there, there - frames.alone}:
            fault = f"says {row.num_frames} frames, the folder {path.name!r} has {there}"
            return _Look(there, fault, flow)
    return _Look(there, flow=flow)


def _of_folders(looks: Counter[str]) -> tuple[str, ...]:
    shown = [
        f"{count} folder{'s' if count > 1 else ''} of frames: {note}"
        for note, count in looks.most_common(_SHOWN_FAULTS)
    ]
    more = len(looks) - len(shown)
    return (*shown, *((f"and {more} more remarks on folders of frames",) if more > 0 else ()))


def _is_empty_file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0
