"""The views of one video of a data set: its part decoded, sampled, put in order and cut. Needs no
torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.video.clip_input import cut_clip
from gsm_model.video.decode import Choose, open_source, read_chosen
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.looks import ClipLook, brightness_and_motion
from gsm_model.video.part import Part, Span, locate
from gsm_model.video.sampling import Order, Sampling
from gsm_model.video.source import Limits, Source, VideoInfo
from gsm_model.video.transforms import InputSpec

_FILE = "the file"  # what messages call a file before it is known which clip it is read for


@dataclass(frozen=True)
class ViewsWanted:
    """What a decoding process is asked for: ``clips`` × ``crops`` views of a video, each of
    ``num_segments`` frames in ``order`` (``seed`` picks the shuffle).

    ``name`` is what messages call the video, ``part`` which of its frames count. ``also`` are
    numbers of segments and samplings of which one clip each is wanted too, its centre crop.
    """

    path: Path
    name: str
    spec: InputSpec
    num_segments: int
    clips: int
    crops: int
    order: Order
    seed: int
    part: Part
    limits: Limits
    also: tuple[tuple[int, Sampling], ...] = ()

    def request(self) -> dict:
        """This as what a decoding process is sent."""
        return {**asdict(self), "path": str(self.path.absolute()), "kind": "views"}

    @classmethod
    def of(cls, request: dict) -> ViewsWanted:
        """What a decoding process was sent."""
        wanted = {key: value for key, value in request.items() if key != "kind"}
        wanted["path"] = Path(wanted["path"])
        wanted["spec"] = InputSpec.from_values(wanted["spec"])
        wanted["part"] = Part(**wanted["part"])
        wanted["limits"] = Limits(**wanted["limits"])
        wanted["also"] = tuple((count, sampling) for count, sampling in wanted["also"])
        return cls(**wanted)


@dataclass(frozen=True)
class ViewsRead:
    """The views of one video, ``(clips · crops, T, 3, S, S)`` uint8, clip by clip, of a model of
    motion with the planes of `CutClip`, how the clip looks, and sentences on what was inferred.
    ``also`` has one ``(1, T, 3, S, S)`` for each that was asked for too.
    """

    views: np.ndarray
    look: ClipLook
    notes: tuple[str, ...]
    also: tuple[np.ndarray, ...] = ()


def read_views(wanted: ViewsWanted) -> np.ndarray:
    """All views of one video, ``(clips · crops, T, 3, S, S)`` uint8, clip by clip.

    Raises:
        VideoError: as `views_and_notes`.
    """
    return views_and_notes(wanted).views


def views_and_notes(wanted: ViewsWanted) -> ViewsRead:
    """All views of one video, and what was inferred of it.

    Raises:
        VideoError: if the video cannot be decoded, exceeds a limit, or is shorter than the part
            that is wanted.
    """
    t, clips, sampling = wanted.num_segments, wanted.clips, wanted.spec.sampling
    spans: list[Span] = []
    shown: list[np.ndarray] = []

    def choose(info: VideoInfo) -> np.ndarray:
        spans[:] = [locate(wanted.part, info, _FILE)]
        nothing = np.zeros(0, np.int64), np.zeros((0, 2, 2, 3), np.uint8)
        part = _video(wanted.name, spans[0], info, *nothing)
        shown[:] = [part.clip_indices(t, 0, clip, clips, sampling) for clip in range(clips)]
        also = (part.clip_indices(count, sampling=how) for count, how in wanted.also)
        sampled = np.concatenate([*shown, *also])
        return np.union1d(sampled, part.stacks_at(sampled, wanted.spec.modality.neighbours))

    info, indices, frames = _decode(wanted.path, choose, wanted.limits, wanted.name)
    video = _video(wanted.name, spans[0], info, indices, frames)
    views = [
        cut_clip(video, wanted.spec, t, wanted.order, wanted.crops, wanted.seed, clip, clips).views
        for clip in range(clips)
    ]
    # What is to be said of folders is said of the whole list, before any is read.
    notes = () if info.kind == "folder" else (*info.notes, *spans[0].notes)
    also = tuple(
        cut_clip(video, replace(wanted.spec, sampling=how), count, wanted.order).views
        for count, how in wanted.also
    )
    look = _look(spans[0], info, wanted.part, video.frames_at(np.unique(np.concatenate(shown))))
    return ViewsRead(np.concatenate(views), look, notes, also)


def _look(span: Span, info: VideoInfo, part: Part, frames: np.ndarray) -> ClipLook:
    count = span.stop - span.first
    rate = {"video": info.fps, "folder": part.fps, "picture": None}[info.kind]
    whole = info.kind == "video" and count == info.num_frames
    seconds = info.seconds if whole else count / rate if rate else float("nan")
    return ClipLook(count, seconds, *brightness_and_motion(frames), span.first, span.stop)


def _video(
    name: str, span: Span, info: VideoInfo, indices: np.ndarray, frames: np.ndarray
) -> DecodedVideo:
    no_preview = np.zeros((0, 2, 2, 3), np.uint8), np.zeros(0, np.int64)
    return DecodedVideo(name, info, indices, frames, *no_preview, span.first, span.stop)


def read_part(
    path: Path,
    name: str,
    sample: Callable[[int], np.ndarray],
    part: Part,
    limits: Limits,
) -> np.ndarray:
    """Frames of a part of a video: ``sample(count)`` says which of its ``count``; (n, H, W, 3)
    uint8.

    Raises:
        VideoError: as `read_views`.
    """

    def choose(info: VideoInfo) -> np.ndarray:
        span = locate(part, info, _FILE)
        return span.first + sample(span.stop - span.first)

    return _decode(path, choose, limits, name)[2]


def _decode(
    path: Path, choose: Choose, limits: Limits, name: str
) -> tuple[VideoInfo, np.ndarray, np.ndarray]:
    """As `decode`; what there is in a file is found out once for clips that follow each other in a
    list, as those of an hour of EPIC-Kitchens do.
    """
    try:
        try:
            stat = path.stat()
        except OSError:  # no file, or a series of pictures in a folder
            source = open_source(path, limits, _FILE)
        else:
            source = _opened(str(path), (stat.st_mtime_ns, stat.st_size, stat.st_ino), limits)
        return source.info, *read_chosen(source, choose, _FILE)
    except VideoError as error:
        raise VideoError(name + str(error).removeprefix(_FILE)) from None


@lru_cache(maxsize=2)
def _opened(path: str, changed: tuple[int, int, int], limits: Limits) -> Source:
    return open_source(Path(path), limits, _FILE)
