"""Feeding a model: clips are decoded and transformed in other processes, ahead of need and in
order.

A file that takes its process down, or hangs, is named; the others go on.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from gsm_model.data.lists import Entry
from gsm_model.errors import DataError, VideoError
from gsm_model.motion.stored import Zero
from gsm_model.video.looks import ClipLook
from gsm_model.video.pool import DecoderPool
from gsm_model.video.sampling import Order, Sampling
from gsm_model.video.source import DATA_SET, Limits
from gsm_model.video.transforms import InputSpec
from gsm_model.video.views import ViewsWanted, read_flow_part, read_part

_log = logging.getLogger(__name__)
MOST_SAID = 10  # videos of which it is said what was inferred
MOST_CLIPS = 10  # of dense sampling
AHEAD = 3  # clips in the making for each process


@dataclass(frozen=True)
class Views:
    """How many clips and crops of a video are scored: ``clips`` 1 or 2, of dense sampling up to 10,
    ``crops`` 1, 3 or 10; ``segments`` frames a clip, ``None`` for as many as the model was trained
    with.
    """

    clips: int = 1
    crops: int = 1
    segments: int | None = None

    @classmethod
    def parse(cls, text: str) -> Views:
        """``"1"``, ``"2x1"``, ``"1x3"``, ``"2x3"`` or ``"1x10"``: clips × crops.

        Raises:
            DataError: for anything else.
        """
        clips, _, crops = text.partition("x")
        try:
            views = cls(int(clips), int(crops or 1))
        except ValueError:
            views = cls(0, 0)
        if not 1 <= views.clips <= MOST_CLIPS or views.crops not in (1, 3, 10):
            raise DataError(
                f"views {text!r}: give clips x crops, with 1 or 2 clips (of dense sampling up to"
                f" {MOST_CLIPS}) and 1, 3 or 10 crops, such as 2x3"
            )
        return views

    def checked(self, sampling: Sampling) -> Views:
        """These, if clips can be sampled so.

        Raises:
            DataError: if there is no rule for so many clips.
        """
        if sampling == "even" and self.clips > 2:
            raise DataError(
                f"views {self}: frames that are spread evenly make 1 or 2 clips; more are for"
                " models with dense sampling"
            )
        return self

    def __str__(self) -> str:
        frames = "" if self.segments is None else f" of {self.segments} frames"
        return f"{self.clips}x{self.crops}{frames}"


def read_frames(
    entry: Entry, sample: Callable[[int], np.ndarray], limits: Limits = DATA_SET
) -> np.ndarray:
    """Frames of the part of a video that ``entry`` names, decoded in this process:
    ``sample(count)`` says which of its ``count``; (n, H, W, 3) uint8.

    Raises:
        VideoError: if the video cannot be decoded, exceeds ``limits``, or is shorter than the part
            the list names.
    """
    return read_part(entry.path, entry.id, sample, entry.part, limits)


def read_flow(
    entry: Entry, sample: Callable[[int], np.ndarray], limits: Limits = DATA_SET
) -> tuple[np.ndarray, Zero] | None:
    """Stored flow of the part of a folder that ``entry`` names, as `read_flow_part`; ``None`` where
    it holds none.

    Raises:
        VideoError: as `read_frames`.
    """
    return read_flow_part(entry.path, entry.id, sample, entry.part, limits, entry.flow_zero)


def wanted_views(
    entry: Entry,
    num_segments: int,
    spec: InputSpec,
    views: Views,
    order: Order = "forward",
    seed: int = 0,
    limits: Limits = DATA_SET,
) -> ViewsWanted:
    """What is read of ``entry`` for a model of ``spec``; ``shuffled`` draws another shuffle for
    each entry from (``seed``, its id).
    """
    return ViewsWanted(
        entry.path,
        entry.id,
        spec,
        views.segments or num_segments,
        views.checked(spec.sampling).clips,
        views.crops,
        order,
        _shuffle_seed(entry.id, seed),
        entry.part,
        limits,
        zero=entry.flow_zero,
    )


@dataclass(frozen=True)
class FedClip:
    """A clip of a list with its views, ``(clips · crops, T, 3, S, S)`` uint8 in the order in which
    the model sees them, and how it looks; or with the message of what was wrong with it, and no
    look.
    """

    entry: Entry
    views: np.ndarray | str
    look: ClipLook | None = None


def feed(
    entries: Sequence[Entry],
    num_segments: int,
    spec: InputSpec,
    views: Views,
    workers: int,
    order: Order = "forward",
    seed: int = 0,
    limits: Limits = DATA_SET,
) -> Iterator[tuple[Entry, np.ndarray | str]]:
    """Each entry with its views or with the message of what was wrong with it, as `feed_clips`."""
    fed = feed_clips(entries, num_segments, spec, views, workers, order, seed, limits)
    with closing(fed):
        for clip in fed:
            yield clip.entry, clip.views


def feed_clips(
    entries: Sequence[Entry],
    num_segments: int,
    spec: InputSpec,
    views: Views,
    workers: int,
    order: Order = "forward",
    seed: int = 0,
    limits: Limits = DATA_SET,
) -> Generator[FedClip]:
    """Each entry as a model of ``spec`` sees it, in the order of ``entries``. What was inferred of
    a video is a warning of this module's logger, of the first ten videos.
    """
    said = 0
    requests = (
        wanted_views(entry, num_segments, spec, views, order, seed, limits).request()
        for entry in entries
    )
    with closing(DecoderPool(workers, reuse=True).ask_ahead(requests, AHEAD)) as answers:
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, VideoError):
                yield FedClip(entry, str(answer))
                continue
            if notes := answer.header["notes"]:
                said += 1
                if said <= MOST_SAID:
                    _log.warning("%s: %s", entry.id, "; ".join(notes))
            yield FedClip(entry, answer.arrays[0], ClipLook.of(answer.header["look"]))
    if said > MOST_SAID:
        _log.warning("the same or the like holds for %d more videos", said - MOST_SAID)


def _shuffle_seed(id: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{id}".encode()).digest()[:8], "big")
