"""Reading an uploaded video in a process of its own: its crash, hang or hunger costs an error
message and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.motion.stored import Zero
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.modality import MAX_SEGMENTS
from gsm_model.video.pool import DecoderPool
from gsm_model.video.sampling import Sampling
from gsm_model.video.source import Limits, VideoInfo
from gsm_model.video.stored_flow import StoredFlow

LAST_FRAME = 2**31  # of any video: two years at 30 frames a second
# More decoders at once than processors would only wait for each other, and hold memory meanwhile.
_decoders = DecoderPool(max(2, os.cpu_count() or 1), reuse=False)


def read_video(
    path: Path,
    segments: Sequence[int] = (8,),
    limits: Limits | None = None,
    name: str | None = None,
    preview_frames: int = 0,
    preview_height: int = 240,
    shifts: Sequence[int] = (0,),
    neighbours: int = 0,
    clips: Sequence[tuple[Sampling, int]] = (("even", 1),),
    flow_zero: Zero | None = None,
) -> DecodedVideo:
    """Decode, in another process, the evaluation clips of every number of segments in ``segments``.

    ``shifts`` are numbers of frames by which those clips are wanted earlier (negative) or later
    too, ``clips`` the samplings and numbers of clips that they are wanted of. ``neighbours`` is how
    many frames after each are wanted with it, for models that see motion (`Modality.neighbours`).
    ``flow_zero`` is the byte of no motion in optical flow that lies in a folder; without it, it is
    read off the bytes.
    ``preview_frames`` is the most small pictures wanted beside them (0 for none),
    ``preview_height`` their height in pixels. ``name`` is what messages call the file.

    Raises:
        VideoError: if the file is no video, damaged, over a limit, or took the decoder down.
        ValueError: for a number of segments outside 1 … 64.
    """
    if not segments or not all(1 <= count <= MAX_SEGMENTS for count in segments):
        raise ValueError(f"segments must be 1 to {MAX_SEGMENTS}, got {list(segments)}")
    name = name or path.name
    request = {
        "path": str(path.absolute()),
        "name": name,
        "segments": list(segments),
        "shifts": list(shifts),
        "neighbours": neighbours,
        "clips": list(clips),
        "flow_zero": flow_zero,
        "limits": asdict(limits or Limits()),
        "preview_frames": preview_frames,
        "preview_height": preview_height,
    }
    answer = _decoders.ask(request)
    header, arrays = answer.header, answer.arrays
    for array in arrays:
        array.flags.writeable = False  # many threads share them
    preview = arrays[1] if header["preview"] else np.zeros((0, 2, 2, 3), np.uint8)
    info, flow = VideoInfo.of(header["info"]), None
    if header["flow"]:
        flow = StoredFlow.of(header["flow"], arrays[-1])
        info = replace(info, notes=(*info.notes, flow.note))
    return DecodedVideo(
        name,
        info,
        np.array(header["sampled"]),
        arrays[0],
        preview,
        np.array(header["preview"], dtype=np.int64),
        times=np.array(header["times"], dtype=np.float64),
        preview_times=np.array(header["preview_times"], dtype=np.float64),
        flow=flow,
    )


@dataclass(frozen=True)
class FramesRead:
    """``frames`` (n, H, W, 3) uint8 of a video's frames ``first`` to ``stop``, not included."""

    frames: np.ndarray
    info: VideoInfo
    first: int
    stop: int


def read_frames(
    path: Path,
    name: str,
    first: int | None = None,
    stop: int | None = None,
    most: int = 150,
    height: int = 240,
    limits: Limits | None = None,
) -> FramesRead:
    """Decode, in another process, at most ``most`` frames of ``path``, spread evenly over those
    from ``first`` to ``stop`` (not included; ``None``: from the beginning, to the end), and at most
    ``height`` pixels high. ``name`` is what messages call the file.

    Raises:
        VideoError: as `read_video`, or if it has not these frames.
    """
    request = {
        "kind": "frames",
        "path": str(path.absolute()),
        "name": name,
        "first": first,
        "stop": stop,
        "most": most,
        "height": height,
        "limits": asdict(limits or Limits()),
    }
    answer = _decoders.ask(request)
    header = answer.header
    return FramesRead(
        answer.arrays[0], VideoInfo.of(header["info"]), header["first"], header["stop"]
    )


@dataclass(frozen=True)
class VectorsRead:
    """The motion vectors of n frames of a file, with the sign of flow: ``flow`` (n, 2, H, W)
    float32 is the motion in pixels to the right and down, at the places of each frame and of the
    size that is stored, from the frame at ``since`` (n,) int64 to it. A frame that is coded alone
    has none and is its own ``since``.
    """

    flow: np.ndarray
    since: np.ndarray


def read_vectors(
    path: Path,
    indices: Sequence[int],
    accumulate: bool = False,
    limits: Limits | None = None,
    name: str | None = None,
) -> VectorsRead:
    """Read, in another process, the motion vectors that the file at ``path`` holds itself for the
    frames at ascending ``indices``: from the frame before each, or, to ``accumulate``, from the
    last frame that is coded alone, as CoViAR does (`gsm_model.video.own_vectors`).

    Raises:
        VideoError: as `read_video`, or if the file's codec has no such vectors.
        ValueError: for indices that are none, negative or do not ascend.
    """
    if max(indices, default=0) > LAST_FRAME:
        raise VideoError(
            f"{name or path.name}: frame {max(indices)} was asked for; no video has it"
        )
    chosen = np.asarray(indices, dtype=np.int64)
    if chosen.ndim != 1 or not len(chosen) or chosen[0] < 0 or (np.diff(chosen) <= 0).any():
        raise ValueError(f"ascending indices of frames are needed, got {list(indices)}")
    request = {
        "kind": "vectors",
        "path": str(path.absolute()),
        "name": name or path.name,
        "indices": chosen.tolist(),
        "accumulate": accumulate,
        "limits": asdict(limits or Limits()),
    }
    answer = _decoders.ask(request)
    steps = answer.arrays[0].view("<i2").astype(np.float32)
    return VectorsRead(
        steps / answer.header["steps"], np.array(answer.header["since"], dtype=np.int64)
    )


def keep_a_decoder_ready() -> None:
    """From now on have a decoding process started ahead of the next video, which saves its start (a
    quarter of a second).

    It serves one video, as every other, and ends with this process.
    """
    _decoders.keep_ready()
