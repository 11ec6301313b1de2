"""The views of one video of a data set: its part decoded, sampled, put in order and cut. Needs no
torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.motion.stored import Zero
from gsm_model.video.clip_input import cut_clip
from gsm_model.video.decode import open_source, read_chosen
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.looks import ClipLook, brightness_and_motion
from gsm_model.video.part import Part, Span, locate
from gsm_model.video.sampling import Order, Sampling
from gsm_model.video.source import Limits, Source, VideoInfo
from gsm_model.video.stored_flow import needs_pictures
from gsm_model.video.transforms import InputSpec

_FILE = "the file"  # what messages call a file before it is known which clip it is read for


@dataclass(frozen=True)
class ViewsWanted:
    """What a decoding process is asked for: ``clips`` × ``crops`` views of a video, each of
    ``num_segments`` frames in ``order`` (``seed`` picks the shuffle).

    ``name`` is what messages call the video, ``part`` which of its frames count. ``also`` are
    numbers of segments and samplings of which one clip each is wanted too, its centre crop.
    ``zero`` is the byte of no motion in optical flow that lies in a folder; without it, it is read
    off the folder.
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
    zero: Zero | None = None

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
    t, clips = wanted.num_segments, wanted.clips
    with _named(wanted.name):
        source = _source(wanted.path, wanted.limits)
        info, span = source.info, locate(wanted.part, source.info, _FILE)
        part = _video(wanted.name, span, info)
        sampling = wanted.spec.sampling
        shown = [part.clip_indices(t, 0, clip, clips, sampling) for clip in range(clips)]
        video = _read(wanted, source, part, shown)
    views = [
        cut_clip(video, wanted.spec, t, wanted.order, wanted.crops, wanted.seed, clip, clips).views
        for clip in range(clips)
    ]
    # What is to be said of folders is said of the whole list, before any is read.
    notes = () if info.kind == "folder" else (*info.notes, *span.notes)
    also = tuple(
        cut_clip(video, replace(wanted.spec, sampling=how), count, wanted.order).views
        for count, how in wanted.also
    )
    pictures = None if source.alone else video.frames_at(np.unique(np.concatenate(shown)))
    look = _look(span, info, wanted.part, pictures)
    return ViewsRead(np.concatenate(views), look, notes, also)


def _look(span: Span, info: VideoInfo, part: Part, frames: np.ndarray | None) -> ClipLook:
    count = span.stop - span.first
    rate = {"video": info.fps, "folder": part.fps, "picture": None}[info.kind]
    whole = info.kind == "video" and count == info.num_frames
    seconds = info.seconds if whole else count / rate if rate else float("nan")
    unknown = float("nan"), float("nan")  # of a folder of flow alone
    seen = unknown if frames is None else brightness_and_motion(frames)
    return ClipLook(count, seconds, *seen, span.first, span.stop)


def _read(
    wanted: ViewsWanted, source: Source, part: DecodedVideo, shown: Sequence[np.ndarray]
) -> DecodedVideo:
    """``part`` with the frames that are wanted of it, ``shown`` those of each clip; of stored flow,
    with that, and with what is ``shown``, if there are pictures.
    """
    modality = wanted.spec.modality
    also = (part.clip_indices(count, sampling=how) for count, how in wanted.also)
    sampled = np.concatenate([*shown, *also])
    stacks = part.stacks_at(sampled, modality.neighbours)
    pictures = np.union1d(sampled, stacks)
    if modality.kind == "flow" and source.flow is not None:
        part = replace(part, flow=source.flow.between(stacks, wanted.zero, source.alone))
        if source.alone:
            return part
        pictures = np.unique(np.concatenate(shown))
    _require_pictures(source)
    indices, frames = read_chosen(source, lambda _: pictures, _FILE)
    return replace(part, indices=indices, frames=frames)


def _require_pictures(source: Source) -> None:
    if source.alone and source.flow is not None:
        raise needs_pictures(_FILE, source.flow.name)


def _video(name: str, span: Span, info: VideoInfo) -> DecodedVideo:
    """A part of a video of which nothing is read yet."""
    nothing = np.zeros(0, np.int64), np.zeros((0, 2, 2, 3), np.uint8)
    return DecodedVideo(name, info, *nothing, *nothing[::-1], span.first, span.stop)


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
    with _named(name):
        source = _source(path, limits)
        _require_pictures(source)
        span = locate(part, source.info, _FILE)
        return read_chosen(source, lambda _: span.first + sample(span.stop - span.first), _FILE)[1]


def read_flow_part(
    path: Path,
    name: str,
    sample: Callable[[int], np.ndarray],
    part: Part,
    limits: Limits,
    zero: Zero | None = None,
) -> tuple[np.ndarray, Zero] | None:
    """Stored flow of a part of a video: ``sample(count)`` are the frames (T, 1 + L) of each of T
    segments, of its ``count``; (T·L, H, W, 3) uint8 as `StoredFlow.between`, and the byte of no
    motion. ``None`` for a video without stored flow.

    Raises:
        VideoError: as `read_views`.
    """
    with _named(name):
        source = _source(path, limits)
        if source.flow is None:
            return None
        span = locate(part, source.info, _FILE)
        stacks = span.first + sample(span.stop - span.first)
        stored = source.flow.between(stacks, zero, source.alone)
        known = stored.known_zero(_FILE)
        return stored.between(stacks), known


def flow_sample(path: Path, name: str, limits: Limits) -> np.ndarray | None:
    """Some of the flow that lies in a folder, (n, H, W, 2) uint8, to read off which byte is no
    motion; ``None`` for a video without.

    Raises:
        VideoError: as `read_views`.
    """
    with _named(name):
        source = _source(path, limits)
        return None if source.flow is None else source.flow.sample()


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Call the file ``name`` in errors."""
    try:
        yield
    except VideoError as error:
        raise VideoError(name + str(error).removeprefix(_FILE)) from None


def _source(path: Path, limits: Limits) -> Source:
    """The opened file; what there is in it is found out once for clips that follow each other in a
    list, as those of an hour of EPIC-Kitchens do.
    """
    try:
        stat = path.stat()
    except OSError:  # no file, or a series of pictures in a folder
        return open_source(path, limits, _FILE)
    return _opened(str(path), (stat.st_mtime_ns, stat.st_size, stat.st_ino), limits)


@lru_cache(maxsize=2)
def _opened(path: str, changed: tuple[int, int, int], limits: Limits) -> Source:
    return open_source(Path(path), limits, _FILE)
