"""The files of the clips in a table of predictions, within one folder and nowhere else.

A table may come from a stranger: what it says of files is only looked for in the folder that the
person who runs the app or the command has chosen, and what leads out of it, by ``..``, an absolute
path or a link, is treated as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gsm_model.data.find_videos import VIDEO_SUFFIXES, VideoFinder
from gsm_model.errors import VideoError
from gsm_model.predictions.table import Predictions
from gsm_model.video.encode import to_mp4
from gsm_model.video.isolate import read_frames
from gsm_model.video.source import DATA_SET, Limits

FILM_FRAMES, FILM_HEIGHT = 150, 240
FOLDER_RATE = 12.0  # frames a second at which folders of frames are played, as the releases cut
FILM_SECONDS = 30.0  # of processor time that decoding one clip may take
_MOST_ENTRIES = 100_000  # of a folder of frames that are looked at


@dataclass(frozen=True)
class ClipFile:
    """A clip's file, or its folder of frames, called ``name``: frames ``first`` to ``stop`` of it,
    0-based, ``stop`` not included; ``None`` for all.
    """

    path: Path
    name: str
    first: int | None = None
    stop: int | None = None


@dataclass(frozen=True)
class Film:
    """A clip as an H.264 file for browsers, ``content``; ``whole`` if the clip is all of a video
    file.
    """

    content: bytes
    whole: bool


@dataclass
class ClipFolder:
    """Finds clips in ``folder``, and remembers what lies there."""

    folder: Path
    _finder: VideoFinder = field(init=False)

    def __post_init__(self) -> None:
        self._finder = VideoFinder(self.folder)

    def find(self, models: Sequence[Predictions], row: int) -> ClipFile:
        """The file of the clip at ``row`` of one model's or several joined models' tables: the one
        that a table names, else the one that is called as the clip.

        Raises:
            VideoError: if there is none in the folder.
        """
        id = models[0].ids[row]
        for model in models:
            for path in self._named(model, row):
                if (found := self._inside(path)) is not None:
                    return _part(ClipFile(found, id), model, row)
        if not models[0].numbered:
            called = self._finder.find((id,)).path
            if called is not None and (found := self._inside(called)) is not None:
                return _part(ClipFile(found, id), models[0], row)
        raise VideoError(f"{id}: there is no video of it in the folder of clips")

    def _named(self, model: Predictions, row: int) -> Iterator[Path]:
        files = model.properties.get("file")
        name = "" if files is None or files.dtype.kind not in "UO" else str(files[row])
        if name:
            if model.origin.videos:
                yield Path(model.origin.videos, name)
            yield self.folder / name

    def _inside(self, path: Path) -> Path | None:
        """Where ``path`` really lies, if that is a video or a folder of frames in the folder."""
        try:
            root, found = self.folder.resolve(strict=True), path.resolve(strict=True)
            if not found.is_relative_to(root) or found == root:
                return None
            if found.is_dir():
                return found if _holds_no_link_out(found, root) else None
            return found if found.suffix.lower() in VIDEO_SUFFIXES and found.is_file() else None
        except (OSError, ValueError, RuntimeError):  # not there, too long, a zero byte, a loop
            return None


def _holds_no_link_out(folder: Path, root: Path) -> bool:
    for number, entry in enumerate(folder.iterdir()):
        if number > _MOST_ENTRIES:
            return False
        if entry.is_symlink() and not entry.resolve().is_relative_to(root):
            return False
    return True


def _part(found: ClipFile, model: Predictions, row: int) -> ClipFile:
    """``found`` with the frames that ``model``'s table names; all frames where it names none."""
    ends = [model.properties.get(name) for name in ("first", "stop")]
    values = [end[row] for end in ends if end is not None and end.dtype.kind == "f"]
    if len(values) < 2 or not all(0 <= value < 2**31 for value in values):
        return found
    return replace(found, first=int(values[0]), stop=int(values[1]))


def film(
    clip: ClipFile,
    frames: int = FILM_FRAMES,
    height: int = FILM_HEIGHT,
    limits: Limits | None = None,
) -> Film:
    """A clip as a film of at most ``frames`` frames, spread evenly, and at most ``height`` pixels
    high, that lasts as long as the clip (at 12 frames a second where no rate is known). It is
    decoded in a process of its own, within ``limits``.

    Raises:
        VideoError: if it cannot be decoded, or is over a limit.
    """
    limits = limits or replace(DATA_SET, max_decode_seconds=FILM_SECONDS)
    found = read_frames(clip.path, clip.name, clip.first, clip.stop, frames, height, limits)
    count = found.stop - found.first
    whole = found.info.kind == "video" and count == found.info.num_frames
    rate = found.info.fps if found.info.kind == "video" else FOLDER_RATE
    return Film(
        to_mp4(found.frames, float(np.clip(len(found.frames) * rate / count, 1, 60))), whole
    )
