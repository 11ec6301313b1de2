"""Decoding: a video file, an animated picture, a picture or a folder of frames → RGB arrays.

This module and those it reads with need neither torch nor anything of the models, so that they can
run in a small process of their own (`gsm_model.video.isolate`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.video.flow_folders import flow_folder
from gsm_model.video.frame_folders import is_pattern
from gsm_model.video.pictures import is_picture, open_folder, open_picture
from gsm_model.video.source import Backend, Limits, Source, VideoInfo
from gsm_model.video.video_files import open_video

Choose = Callable[[VideoInfo], Sequence[int] | np.ndarray]


def decode(
    path: Path,
    choose: Choose,
    limits: Limits | None = None,
    name: str | None = None,
    backend: Backend | None = None,
) -> tuple[VideoInfo, np.ndarray, np.ndarray]:
    """Read the frames that ``choose`` names: (info, indices (n,) int64 as chosen, frames (n, H, W,
    3) uint8 RGB, upright).

    ``choose`` is given what the file says of itself and returns 0-based indices, in any order,
    repeats allowed. ``name`` is what messages call the file. ``backend`` forces one reader of video
    files.

    Raises:
        VideoError: if the file is no video or picture, is damaged, or exceeds ``limits``.
    """
    name = name or path.name
    source = open_source(path, limits or Limits(), name)
    return source.info, *read_chosen(source, choose, name, backend)


def read_chosen(
    source: Source, choose: Choose, name: str, backend: Backend | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Of an opened file the frames that ``choose`` names: their indices and they, as `decode`."""
    indices = np.asarray(choose(source.info), dtype=np.int64)
    if indices.size == 0 or indices.min() < 0 or indices.max() >= source.info.num_frames:
        raise VideoError(
            f"{name}: frames {indices.tolist()} were asked of a video of {source.info.num_frames}"
        )
    wanted = np.unique(indices)
    frames = source.read(wanted, backend)
    return indices, frames[np.searchsorted(wanted, indices)]


def open_source(path: Path, limits: Limits, name: str) -> Source:
    """Find out what ``path`` is and check it against ``limits``. A folder of pictures may be given
    with the series of them that is meant, as ffmpeg takes it: ``clip/img_%05d.jpg``; of optical
    flow in ``u/clip`` and ``v/clip`` also as ``clip`` (`flow_folder`).

    Raises:
        VideoError: as `decode`.
    """
    path = flow_folder(path) or path
    if path.is_dir():
        return open_folder(path, limits, name)
    if _names_series(path):
        return open_folder(path.parent, limits, name, path.name)
    if not path.is_file():
        raise VideoError(f"{name}: there is no such file")
    size = path.stat().st_size
    if size == 0:
        raise VideoError(f"{name}: the file is empty")
    if limits.max_bytes is not None and size > limits.max_bytes:
        raise VideoError(
            f"{name}: {size / 2**20:.0f} MB is more than the {limits.max_bytes / 2**20:.0f} MB"
            " allowed; cut or compress it"
        )
    with path.open("rb") as file:
        start = file.read(12)
    return (open_picture if is_picture(start) else open_video)(path, limits, name)


def _names_series(path: Path) -> bool:
    """Whether ``path`` is a series of pictures in a folder, and no file's name."""
    return is_pattern(path.name) and not path.exists() and path.parent.is_dir()
