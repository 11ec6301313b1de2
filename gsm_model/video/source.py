"""What a source of frames is, whatever kind of file it comes from, and the limits on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.video.stored_flow import FlowFiles

Backend = Literal["decord", "pyav"]
# What is said of a file whose frames are of several sizes.
SIZE_CHANGES = "its picture size changes midway; export it at one size"


@dataclass(frozen=True)
class Limits:
    """What may be read, and what reading it may cost. Settings, not properties of any model.

    ``max_bytes``, ``max_seconds`` and ``max_frames`` bound the file and its length, ``None`` for no
    bound: they are meant for uploads (the defaults), and a data set has none of them
    (`DATA_SET`), since only few frames of a long video are decoded. ``max_memory`` bytes and
    ``max_decode_seconds`` of processor time bound the process that decodes one video.
    """

    max_bytes: int | None = 300 * 2**20
    max_seconds: float | None = 600.0
    max_frames: int | None = 36_000
    max_width: int = 4096
    max_height: int = 4096
    max_pixels: int = 4096 * 2304
    max_memory: int = 6 * 2**30
    max_decode_seconds: float = 60.0

    def with_side(self, side: int) -> Limits:
        """These limits with pictures of up to ``side`` pixels a side, and of 16 : 9 at that
        side.
        """
        pixels = max(self.max_pixels, side * side * 9 // 16)
        return replace(self, max_width=side, max_height=side, max_pixels=pixels)


# The limits on the videos of a data set.
DATA_SET = Limits(max_bytes=None, max_seconds=None, max_frames=None, max_decode_seconds=120.0)


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of itself.

    ``width`` and ``height`` in pixels are those of the frames as they are shown: upright, and with
    square pixels. ``rotation`` (degrees, anticlockwise) and then ``mirrored`` (left for right) are
    what was done to the stored picture. ``fps`` is the mean rate; ``duration`` in seconds, from
    the first frame to the end of the last, comes from the time stamps and is ``None`` where there
    are none. ``notes`` are sentences on what was inferred, converted or ignored. ``runs`` are the
    numbers in the names of a folder's files, as ``(first, last)`` of each run without a gap.
    """

    num_frames: int
    fps: float
    width: int
    height: int
    rotation: int = 0
    kind: Literal["video", "picture", "folder"] = "video"
    mirrored: bool = False
    duration: float | None = None
    notes: tuple[str, ...] = ()
    runs: tuple[tuple[int, int], ...] = ()

    @property
    def seconds(self) -> float:
        """How long it lasts: as its time stamps say, or as its rate does."""
        return self.num_frames / self.fps if self.duration is None else self.duration

    @classmethod
    def of(cls, sent: dict) -> VideoInfo:
        """What a decoding process sent, as JSON has it."""
        runs = tuple((first, last) for first, last in sent["runs"])
        return cls(**{**sent, "notes": tuple(sent["notes"]), "runs": runs})


@dataclass(frozen=True)
class Source:
    """An opened file: what it says of itself, and how to read ascending, distinct frame indices of
    it.

    ``times`` (n,) float64 are the seconds from the first frame to each; ``None`` where frames
    follow each other at the stated rate. ``flow`` is the optical flow that a folder holds; it is
    ``alone`` where there are no pictures beside it, and what is read is the flow drawn as colours.
    """

    info: VideoInfo
    read: Callable[[np.ndarray, Backend | None], np.ndarray]
    times: np.ndarray | None = None
    flow: FlowFiles | None = None
    alone: bool = False

    def times_at(self, indices: np.ndarray) -> np.ndarray:
        """The seconds from the first frame to those at ``indices``, float64."""
        return indices / self.info.fps if self.times is None else self.times[indices]


def fits(width: int, height: int, limits: Limits) -> bool:
    """Whether a picture of ``width`` × ``height`` pixels is within ``limits``."""
    within = width <= limits.max_width and height <= limits.max_height
    return within and width * height <= limits.max_pixels


def check_size(width: int, height: int, limits: Limits, name: str) -> None:
    """Raise a `VideoError` if a picture of ``width`` × ``height`` pixels is empty or over
    ``limits``.
    """
    if width < 1 or height < 1:
        raise VideoError(f"{name}: the file states no picture size")
    if not fits(width, height, limits):
        raise VideoError(
            f"{name}: {width} × {height} pixels are more than allowed ({limits.max_pixels:,} in"
            " all); make it smaller"
        )


def reason(error: BaseException) -> str:
    """The first line of an error's text, for a message."""
    text = getattr(error, "strerror", None) or str(error)
    return text.splitlines()[0][:120] if text else type(error).__name__
