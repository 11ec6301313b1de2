"""Encoding frames for people: H.264 that every browser plays, and GIF."""

from __future__ import annotations

import io
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from gsm_model.errors import VideoError


def to_mp4(frames: np.ndarray, fps: float, quality: int = 23, comment: str = "") -> bytes:
    """``(n, H, W, 3)`` uint8 RGB → an MP4 file's bytes: H.264, yuv420p, index in front. Odd sides
    lose one pixel.

    ``quality`` is x264's constant rate factor: 18 looks lossless, 28 is small. ``comment`` is kept
    in the file. The same frames give the same bytes.

    Raises:
        ValueError: if there is no frame, or a side is under 2 pixels.
        VideoError: if the system's temporary folder has no room, or is not there.
    """
    _require_frames(frames)
    height, width = frames.shape[1] // 2 * 2, frames.shape[2] // 2 * 2
    # Moving the index to the front needs a file that can be opened a second time, so not memory.
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip.mp4"
            _write(path, frames[:, :height, :width], fps, quality, comment)
            return path.read_bytes()
    except OSError as error:
        raise VideoError(
            f"a film of the clip cannot be made on this machine ({error.strerror or error}); make"
            " room in its temporary folder"
        ) from None


def to_gif(frames: np.ndarray, fps: float) -> bytes:
    """``(n, H, W, 3)`` uint8 RGB → an endless GIF's bytes, one palette for all frames; its steps of
    time are hundredths of a second.

    Raises:
        ValueError: as `to_mp4`.
    """
    _require_frames(frames)
    pictures = [Image.fromarray(frame) for frame in frames]
    palette = Image.fromarray(frames.reshape(-1, *frames.shape[2:])).quantize(
        256, dither=Image.Dither.NONE
    )
    indexed = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    file = io.BytesIO()
    indexed[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=indexed[1:],
        duration=10 * round(100 / fps),
        loop=0,
    )
    return file.getvalue()


def _require_frames(frames: np.ndarray) -> None:
    if frames.ndim != 4 or len(frames) == 0 or min(frames.shape[1:3]) < 2:
        raise ValueError(
            f"frames must be (n, H, W, 3) of at least 2 × 2 pixels, got {frames.shape}"
        )


def _write(path: Path, frames: np.ndarray, fps: float, quality: int, comment: str) -> None:
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        if comment:
            container.metadata["comment"] = comment
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.options = {"crf": str(quality), "threads": "1"}
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
                )
            )
        container.mux(stream.encode())
