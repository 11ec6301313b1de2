"""Small video files made for the tests, each with the property that its name says."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write_video(
    path: Path,
    frames: np.ndarray,
    fps: int = 10,
    codec: str = "libx264",
    options: dict | None = None,
    rotation: int = 0,
    durations: list[int] | None = None,
    pix_fmt: str = "yuv420p",
) -> Path:
    """Encode ``frames`` (n, H, W, 3). ``durations`` (in ticks of 1/1000 s) makes the rate vary;
    ``rotation`` is metadata.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            codec,
            rate=fps,
            options={"crf": "5", **(options or {})} if codec == "libx264" else options or {},
        )
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = pix_fmt
        if rotation:
            stream.set_display_rotation(rotation)
        ticks = 0
        if durations:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            if durations:
                picture.pts, picture.time_base = ticks, Fraction(1, 1000)
                ticks += durations[number]
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def constant_rate(path: Path, frames: np.ndarray) -> Path:
    return write_video(path, frames, options={"bf": "0"})


def variable_rate(path: Path, frames: np.ndarray) -> Path:
    return write_video(
        path, frames, durations=[40 if number % 3 else 170 for number in range(len(frames))]
    )


def rotated(path: Path, frames: np.ndarray) -> Path:
    return write_video(path, frames, rotation=90)


def b_frames(path: Path, frames: np.ndarray) -> Path:
    return write_video(path, frames, options={"bf": "3", "g": "6", "x264-params": "b-adapt=0"})


def open_groups(path: Path, frames: np.ndarray) -> Path:
    """Key frames at which a decoder cannot start afresh."""
    return write_video(
        path, frames, options={"bf": "3", "g": "6", "x264-params": "b-adapt=0:open-gop=1"}
    )


KINDS = {
    "constant rate": constant_rate,
    "variable rate": variable_rate,
    "rotated": rotated,
    "B-frames": b_frames,
    "open groups": open_groups,
}
DECORD_IS_TRUSTED_WITH = ("constant rate", "variable rate", "B-frames")
