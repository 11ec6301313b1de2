"""Where the videos of a list lie: as the list names them, with another suffix, in the folders that
the data sets are downloaded in, or under their name anywhere in the folder of the videos.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from gsm_model.video.flow_folders import flow_folder
from gsm_model.video.frame_folders import is_pattern

VIDEO_SUFFIXES = (
    *(".mp4", ".webm", ".avi", ".mkv", ".mov", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".ts"),
    *(".3gp", ".ogv", ".gif"),
)
ARCHIVES = (".tar", ".zip", ".tar.gz", ".tgz", ".rar")
# The folder with the pictures, in a folder of one clip's files (Diving48's frames, others').
_FRAMES = ("frames", "rgb", "img", "images", "RGB")
_DRIVE = re.compile(r"[A-Za-z]:/")
_FILE_URL = re.compile(r"^file:/{1,3}(?=\S)")
_MOST_ENTRIES = 1_000_000  # searched for a name


@dataclass(frozen=True)
class Found:
    """A video or folder of frames, or in ``fault`` why there is none. ``elsewhere``: it lies in
    another folder than the list says.
    """

    path: Path | None
    fault: str = ""
    elsewhere: bool = False


@dataclass
class VideoFinder:
    """Finds the files of a list in ``folder``, and remembers what lies there."""

    folder: Path
    _index: dict[str, list[Path]] | None = field(default=None, init=False)

    def find(self, names: Sequence[str]) -> Found:
        """The first of ``names`` that is there; the names are the ones a list may mean, the
        likeliest first.
        """
        clean = [_portable(name) for name in names]
        for name in clean:
            for candidate in self._candidates(name):
                if _exists(candidate):
                    return Found(_pictures_of(candidate))
                if flow := flow_folder(candidate):
                    return Found(flow)
        for name in filter(_is_absolute, clean):  # of the machine that the list was made on
            for tail in _tails(name):
                for candidate in self._candidates(tail):
                    if _exists(candidate):
                        return Found(_pictures_of(candidate), elsewhere=True)
        for name in clean:
            found = self._by_name(name)
            if len(found) == 1:
                return Found(_pictures_of(found[0]), elsewhere=True)
            if found:
                shown = " and ".join(str(path) for path in found[:2])
                return Found(None, f"{name!r} may be {shown}; give its folder in the list")
            if archive := self._archive(name):
                return Found(None, f"{archive.name!r} is packed; unpack it")
        return Found(None, f"there is no video or folder of frames for {names[0]!r}")

    def has(self, name: str) -> bool:
        """Whether a video lies where a list says, without looking through other folders."""
        return any(map(_exists, self._candidates(_portable(name))))

    def _candidates(self, name: str) -> list[Path]:
        path = Path(name) if Path(name).is_absolute() else self.folder / name
        if not path.name:
            return []
        stems = [path]
        if path.suffix.lower() in VIDEO_SUFFIXES:  # converted, or cut into frames
            stems.append(path.with_suffix(""))
        suffixes = [*VIDEO_SUFFIXES, *(suffix.upper() for suffix in VIDEO_SUFFIXES)]
        return [
            path,
            *(stem.with_name(stem.name + suffix) for stem in stems for suffix in suffixes),
            *stems[1:],
            *(stem.parent / "frames" / stem.name for stem in stems),
        ]

    def _archive(self, name: str) -> Path | None:
        path = self.folder / name
        if not path.name:
            return None
        packed = (path.with_name(path.name + suffix) for suffix in ARCHIVES)
        return next((candidate for candidate in packed if _exists(candidate)), None)

    def _by_name(self, name: str) -> list[Path]:
        """What bears this name in any folder under that of the videos."""
        if _is_absolute(name):
            return []
        if self._index is None:
            self._index = _named(self.folder)
        parts = PurePosixPath(name).parts
        if not parts:
            return []
        *folders, last = parts
        found = []
        for key in dict.fromkeys((last, _stem(last))):
            for path in self._index.get(key, []):
                tail = path.parent.parts[len(path.parent.parts) - len(folders) :]
                if tail == tuple(folders) and path not in found:
                    found.append(path)
            if found:
                break
        return found


def _named(folder: Path) -> dict[str, list[Path]]:
    """The videos and folders under ``folder`` by their names and by those without the suffix."""
    found: dict[str, list[Path]] = {}
    seen = 0
    for parent, folders, files in os.walk(folder):
        seen += len(folders) + len(files)
        if seen > _MOST_ENTRIES:
            break
        for name in folders:
            found.setdefault(name, []).append(Path(parent, name))
        for name in files:
            if _suffix(name).lower() in VIDEO_SUFFIXES:
                for key in (name, _stem(name)):
                    found.setdefault(key, []).append(Path(parent, name))
    return found


def _portable(name: str) -> str:
    """A name with forward slashes, and without the dot or the *file:* that begins some."""
    return _FILE_URL.sub("/", name.replace("\\", "/")).removeprefix("./")


def _is_absolute(name: str) -> bool:
    return name.startswith("/") or _DRIVE.match(name) is not None


def _tails(name: str) -> list[str]:
    """The ends of an absolute name, the longest first: ``b/c.mp4`` and ``c.mp4`` of ``/a/b/c.mp4``
    as long as that is no folder up.
    """
    parts = [part for part in name.split("/") if part][_DRIVE.match(name) is not None :]
    return ["/".join(parts[at:]) for at in range(len(parts)) if ".." not in parts[at:]] or [""]


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix


def _stem(name: str) -> str:
    return PurePosixPath(name).stem if _suffix(name).lower() in VIDEO_SUFFIXES else name


def _exists(path: Path) -> bool:
    try:
        return path.exists() or (is_pattern(path.name) and path.parent.is_dir())
    except (OSError, ValueError):  # a name too long, or with a zero byte
        return False


def _pictures_of(path: Path) -> Path:
    if path.is_dir():
        inner = [path / name for name in _FRAMES if (path / name).is_dir()]
        return inner[0] if inner else path
    return path
