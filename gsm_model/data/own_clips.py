"""Which clips are this project's own: the samples by their hash, those of ``make-dataset`` by
drawing them again.

A file says which clip it claims to be (`mark_of`); only its frames decide. What is not recognised
counts as filmed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

import numpy as np

from gsm_model.bundled import assets, sample_clips
from gsm_model.data.synthetic_sets import Looks, Style, synthetic_set
from gsm_model.errors import VideoError
from gsm_model.io.hashing import sha256
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.isolate import read_video

SAME_PICTURE = 8.0  # mean difference of two pictures in 0 … 255: compression stays well below
_LOOKED_AT = 3  # frames that are drawn again
_LARGEST = 1280 * 960  # pixels of a frame that is drawn again
_SEARCHED = 2**18  # bytes of a file, from its start, in which its mark may stand
_NUMBER = rb"(\d(?:\.\d{1,9})?)"
_STYLES: dict[bytes, Style] = {style.encode(): style for style in get_args(Style)}
_MARK = re.compile(
    rb"Gate-Shift Lens clip ("
    + b"|".join(_STYLES)
    + rb") ([a-z]{1,16}) (\d{1,9}) clutter (?:usual|"
    + _NUMBER
    + rb") camera "
    + _NUMBER
    + rb" frames (\d{1,2})"
)


@dataclass(frozen=True)
class OwnClip:
    """A clip of a synthetic set: its style, split, number, and how it looks."""

    style: Style
    split: str
    index: int
    looks: Looks = field(default_factory=Looks)

    def mark(self) -> str:
        """What a file says that holds it."""
        looks = self.looks
        clutter = "usual" if looks.clutter is None else f"{looks.clutter:g}"
        return (
            f"Gate-Shift Lens clip {self.style} {self.split} {self.index} clutter {clutter} camera"
            f" {looks.camera:g} frames {looks.num_frames}"
        )


def mark_of(path: Path) -> OwnClip | None:
    """The clip that a file, or the first picture of a folder, claims to be; nothing is decoded."""
    try:
        file = next(iter(sorted(path.glob("*.jpg"))), path) if path.is_dir() else path
        with file.open("rb") as opened:
            found = _MARK.search(opened.read(_SEARCHED))
    except OSError:
        return None
    if found is None:
        return None
    style, split, index, clutter, camera, count = found.groups()
    looks = Looks(None if clutter is None else float(clutter), float(camera), int(count))
    return OwnClip(_STYLES[style], split.decode(), int(index), looks)


def recognised(video: DecodedVideo, path: Path) -> DecodedVideo:
    """``video``, decoded from ``path``, with what it shows in ``drawn`` if it is one of this
    project's clips.
    """
    shows = _sample(path) or _drawn_again(video, path)
    return video if shows is None else replace(video, drawn=shows)


def all_drawn(paths: Sequence[Path]) -> bool:
    """Whether the clips of a list are this project's own, as far as a few of them show."""
    looked_at = {len(paths) * number // _LOOKED_AT for number in range(_LOOKED_AT)}
    return bool(paths) and all(_is_drawn(paths[place]) for place in looked_at)


def _is_drawn(path: Path) -> bool:
    if _sample(path) is not None:
        return True
    if mark_of(path) is None:
        return False
    try:
        return recognised(read_video(path, (_LOOKED_AT,)), path).drawn is not None
    except VideoError:
        return False


def _sample(path: Path) -> str | None:
    """What the sample clip that is ``path``, byte for byte, shows."""
    try:
        known = _samples(assets()).get(path.stat().st_size) if path.is_file() else None
        return None if known is None else dict(known).get(sha256(path))
    except OSError:
        return None


@lru_cache(maxsize=4)
def _samples(folder: Path) -> dict[int, list[tuple[str, str]]]:
    """Size in bytes → (hash, label) of the sample clips of that size; ``folder`` is where they
    lie.
    """
    found: dict[int, list[tuple[str, str]]] = {}
    for clip in sample_clips().values():
        if clip.path.is_file():
            size = clip.path.stat().st_size
            found.setdefault(size, []).append((sha256(clip.path), clip.label))
    return found


def _drawn_again(video: DecodedVideo, path: Path) -> str | None:
    """What ``video`` shows, if it is frame by frame the clip that its file claims to be."""
    claimed = mark_of(path)
    info = video.info
    if claimed is None or info.width * info.height > _LARGEST or not len(video.indices):
        return None
    try:
        made = synthetic_set(claimed.style, claimed.looks)
        if claimed.split not in made.splits:
            return None
        clip = made.draw(claimed.split, claimed.index)
        if clip.num_frames != info.num_frames:
            return None
        places = np.unique(np.linspace(0, len(video.indices) - 1, _LOOKED_AT).astype(np.int64))
        again = clip.frames(video.indices[places], info.height, info.width)
    except ValueError:
        return None
    # Compression halves the colours' resolution, so it is the brightness that is compared.
    apart = np.abs(again.mean(axis=-1) - video.frames[places].mean(axis=-1)).mean((1, 2))
    return made.labels[clip.label] if apart.max() < SAME_PICTURE else None
