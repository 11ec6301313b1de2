"""The views of one video of a data set: its part decoded, sampled, put in order and cut. Needs no
torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.video.clip_input import cut_clip
from gsm_model.video.decode import decode
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order
from gsm_model.video.source import Limits, VideoInfo
from gsm_model.video.transforms import InputSpec


@dataclass(frozen=True)
class ViewsWanted:
    """What a decoding process is asked for: ``clips`` × ``crops`` views of a video, each of
    ``num_segments`` frames in ``order`` (``seed`` picks the shuffle).

    ``name`` is what messages call the video. ``first`` and ``stop`` bound the part of it that
    counts, ``stop`` not included; without ``stop`` that is all of it.
    """

    path: Path
    name: str
    spec: InputSpec
    num_segments: int
    clips: int
    crops: int
    order: Order
    seed: int
    first: int
    stop: int | None
    limits: Limits

    def request(self) -> dict:
        """This as what a decoding process is sent."""
        return {**asdict(self), "path": str(self.path.absolute()), "kind": "views"}

    @classmethod
    def of(cls, request: dict) -> ViewsWanted:
        """What a decoding process was sent."""
        wanted = {key: value for key, value in request.items() if key != "kind"}
        wanted["path"] = Path(wanted["path"])
        wanted["spec"] = InputSpec(**wanted["spec"])
        wanted["limits"] = Limits(**wanted["limits"])
        return cls(**wanted)


def read_views(wanted: ViewsWanted) -> np.ndarray:
    """All views of one video, ``(clips · crops, T, 3, S, S)`` uint8, clip by clip.

    Raises:
        VideoError: if the video cannot be decoded, exceeds a limit, or is shorter than the part
            that is wanted.
    """
    t, clips = wanted.num_segments, wanted.clips

    def choose(info: VideoInfo) -> np.ndarray:
        check_part(wanted.name, wanted.stop, info)
        part = _video(wanted, info, np.zeros(0, np.int64), np.zeros((0, 2, 2, 3), np.uint8))
        return np.unique([part.clip_indices(t, 0, clip, clips) for clip in range(clips)])

    video = _video(wanted, *decode(wanted.path, choose, wanted.limits, wanted.name))
    return np.concatenate(
        [
            cut_clip(
                video, wanted.spec, t, wanted.order, wanted.crops, wanted.seed, clip, clips
            ).views
            for clip in range(clips)
        ]
    )


def _video(
    wanted: ViewsWanted, info: VideoInfo, indices: np.ndarray, frames: np.ndarray
) -> DecodedVideo:
    no_preview = np.zeros((0, 2, 2, 3), np.uint8), np.zeros(0, np.int64)
    return DecodedVideo(wanted.name, info, indices, frames, *no_preview, wanted.first, wanted.stop)


def read_part(
    path: Path,
    name: str,
    sample: Callable[[int], np.ndarray],
    first: int,
    stop: int | None,
    limits: Limits,
) -> np.ndarray:
    """Frames of a part of a video: ``sample(count)`` says which of its ``count``; (n, H, W, 3)
    uint8.

    Raises:
        VideoError: as `read_views`.
    """

    def choose(info: VideoInfo) -> np.ndarray:
        check_part(name, stop, info)
        return first + sample((info.num_frames if stop is None else stop) - first)

    return decode(path, choose, limits, name)[2]


def check_part(name: str, stop: int | None, info: VideoInfo) -> None:
    """Raise a `VideoError` if a list names frames that the video has not."""
    if stop is not None and stop > info.num_frames:
        raise VideoError(
            f"{name}: the list names frames up to {stop}, the video has {info.num_frames}"
        )
