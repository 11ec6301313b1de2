"""Labelled clips to run a model on, drawn or from a list, as one model wants to see them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from torch import Tensor

from gsm_model.data.lists import Entry, VideoList
from gsm_model.data.own_clips import all_drawn
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.dataset import FPS, Split, draw_clip
from gsm_model.data.synthetic_sets import Style, SyntheticClip, synthetic_set
from gsm_model.errors import DataError
from gsm_model.evaluation.loader import Views, feed
from gsm_model.models.caution import caution_of_list
from gsm_model.models.recognizer import Recognizer
from gsm_model.predict import Average
from gsm_model.predictions.table import Provenance
from gsm_model.video.clip_input import cut_clip
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.modality import stacks
from gsm_model.video.motion_planes import alike
from gsm_model.video.sampling import segment_indices
from gsm_model.video.source import VideoInfo
from gsm_model.video.transforms import normalise

HEIGHT, WIDTH = 120, 160  # pixels of a drawn clip


@dataclass(frozen=True)
class ClipSet:
    """n clips for one model: what they are of, their ``ids`` and ``labels`` (n,) int64.

    ``read(start)`` yields for each clip from ``start`` on its one view (T, 3, S, S) uint8, or the
    message of what was wrong with it.
    """

    origin: Provenance
    ids: tuple[str, ...]
    labels: np.ndarray
    read: Callable[[int], Iterator[np.ndarray | str]]


def require_still_frames(model: Recognizer, what: str) -> None:
    """Raises:
    DataError: if ``model`` sees motion between frames, which other orders of the frames that were
        cut for ``what`` do not give.
    """
    if model.input.modality.neighbours:
        raise DataError(
            f"{model.card.name} sees motion between frames; {what} puts the frames of a clip in"
            " other orders, for models of RGB frames alone"
        )


@dataclass(frozen=True)
class Batch:
    """Consecutive clips: ``errors`` is empty for those that were read, which ``clips`` (m, T, 3, S,
    S) float32 holds at ``rows`` (m,).
    """

    ids: tuple[str, ...]
    labels: np.ndarray
    errors: tuple[str, ...]
    rows: np.ndarray
    clips: Tensor | None


def batches(model: Recognizer, clip_set: ClipSet, start: int, size: int) -> Iterator[Batch]:
    """The clips of ``clip_set`` from ``start`` on, ``size`` at a time, normalised, on ``model``'s
    device.
    """
    device = next(model.parameters()).device
    upcoming = clip_set.read(start)
    while found := list(islice(upcoming, size)):
        stop = start + len(found)
        rows = [row for row, one in enumerate(found) if not isinstance(one, str)]
        views = alike([one for one in found if not isinstance(one, str)], model.input)
        clips = normalise(np.stack(views), model.input).to(device) if rows else None
        errors = tuple(one if isinstance(one, str) else "" for one in found)
        yield Batch(
            clip_set.ids[start:stop],
            clip_set.labels[start:stop],
            errors,
            np.array(rows, dtype=np.int64),
            clips,
        )
        start = stop


def drawn_clips(model: Recognizer, split: Split, count: int) -> ClipSet:
    """Clips 0 … ``count`` − 1 of a split of the drawn set, at 160 × 120.

    Raises:
        DataError: if the model's classes are not those of the drawn set, in order.
    """
    origin = drawn_origin(model, split, count)
    t, neighbours = model.architecture.num_segments, model.input.modality.neighbours

    def read(start: int) -> Iterator[np.ndarray]:
        for index in range(start, count):
            video = drawn_video(draw_clip(split, index), [t], neighbours=neighbours)
            yield cut_clip(video, model.input, t).views[0]

    labels = np.arange(count, dtype=np.int64) % len(LABELS)
    return ClipSet(origin, drawn_ids(split, count), labels, read)


def listed_clips(model: Recognizer, videos: VideoList, workers: int = 1) -> ClipSet:
    """The clips of a list, decoded ahead of need by ``workers`` processes, one centre crop of one
    clip each.

    Raises:
        DataError: if the list names classes the model has not.
    """
    entries = videos.entries

    def read(start: int) -> Iterator[np.ndarray | str]:
        for _, views in feed(
            entries[start:], model.architecture.num_segments, model.input, Views(), workers
        ):
            yield views if isinstance(views, str) else views[0]

    origin = list_origin(model, videos, str(Views()), "forward")
    return ClipSet(
        origin,
        tuple(entry.id for entry in entries),
        np.array([entry.label for entry in entries], dtype=np.int64),
        read,
    )


def drawn_video(
    clip: SyntheticClip,
    segments: Iterable[int],
    labels: Sequence[str] = LABELS,
    neighbours: int = 0,
) -> DecodedVideo:
    """The evaluation clips of a synthetic clip of one of ``labels`` for every number of segments in
    ``segments``, drawn at 160 × 120, as a video that was decoded for them and for models that need
    so many ``neighbours`` of a frame.
    """
    sampled = np.concatenate([segment_indices(clip.num_frames, count) for count in segments])
    wanted = np.union1d(sampled, stacks(sampled, neighbours, 0, clip.num_frames))
    none = np.zeros((0, 2, 2, 3), np.uint8)
    return DecodedVideo(
        labels[clip.label],
        VideoInfo(clip.num_frames, FPS, WIDTH, HEIGHT),
        wanted,
        clip.frames(wanted, HEIGHT, WIDTH),
        none,
        np.zeros(0, np.int64),
        drawn=labels[clip.label],
    )


def drawn_ids(split: str, count: int, style: Style = "drawn") -> tuple[str, ...]:
    """What the clips of a split are called in tables."""
    folder = split if style == "drawn" else f"{style}/{split}"
    return tuple(f"{folder}/{index:06d}" for index in range(count))


def drawn_origin(
    model: Recognizer, split: str, count: int, order: str = "forward", style: Style = "drawn"
) -> Provenance:
    """What a table of ``model`` on the first ``count`` clips of ``split`` is of.

    Raises:
        DataError: if the model's classes do not begin with those of the set, in order, or the set
            has no such split.
    """
    made = synthetic_set(style)
    made.require_split(split)
    labels = model.card.labels
    if labels is None or labels[: len(made.labels)] != made.labels:
        raise DataError(
            f"{model.card.title} was not trained on the {style} set as it is now: its classes are"
            " others"
        )
    data = f"{made.title}, {split} split"
    digest = hashlib.sha256(f"{data}, {count} clips, {made.labels}".encode()).hexdigest()
    return Provenance(
        labels,
        model.card.title,
        model.card.sha256,
        data,
        digest,
        order,
        "1x1",
        model.precision or "float32",
    )


def list_origin(
    model: Recognizer, videos: VideoList, views: str, order: str, average: Average = "logits"
) -> Provenance:
    """What a table of ``model`` on ``videos`` is of.

    Raises:
        DataError: if the list is empty or names classes the model has not.
    """
    card, k = model.card, model.architecture.num_classes
    if videos.labels is not None and card.labels is not None and videos.labels != card.labels:
        raise DataError(
            f"{videos.name}: its classes are not those of {card.name}, or in another order"
        )
    if not videos.entries:
        raise DataError(f"{videos.name}: no clip is left to score")
    largest = max(entry.label for entry in videos.entries)
    if largest >= k:
        raise DataError(
            f"{videos.name}: has class {largest}, but {card.name} knows {k} classes; if its labels"
            " count from 1, give --first-label 1"
        )
    labels = card.labels or videos.labels or tuple(card.label(index) for index in range(k))
    return Provenance(
        labels,
        card.title,
        card.sha256,
        videos.name,
        _digest(videos.entries),
        order,
        views,
        model.precision or "float32",
        average,
        caution_of_list(card, lambda: all_drawn([entry.path for entry in videos.entries])),
        "" if videos.folder is None else str(videos.folder.absolute()),
    )


def _digest(entries: Sequence[Entry]) -> str:
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(f"{entry.id}\0{entry.label}\0{entry.first}\0{entry.stop}\n".encode())
        if entry.end is not None:
            digest.update(f"{entry.begin}\0{entry.end}\0{entry.fps}\n".encode())
    return digest.hexdigest()
