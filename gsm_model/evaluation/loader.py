"""Feeding a model: clips are decoded and transformed in other processes, ahead of need and in
order.

A file that takes its process down, or hangs, is found out and named; the others go on.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np

from gsm_model.data.lists import Entry
from gsm_model.errors import DataError, VideoError
from gsm_model.video.source import VideoInfo
from gsm_model.video.transforms import InputSpec, view_bytes

AHEAD = 3  # clips in the making for each process
MAX_SECONDS_A_CLIP = 120


@dataclass(frozen=True)
class Views:
    """How many clips and crops of a video are scored: ``clips`` 1 or 2, ``crops`` 1, 3 or 10."""

    clips: int = 1
    crops: int = 1

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
        if views.clips not in (1, 2) or views.crops not in (1, 3, 10):
            raise DataError(
                f"views {text!r}: give clips x crops, with 1 or 2 clips and 1, 3 or 10 crops, such"
                " as 2x3"
            )
        return views

    def __str__(self) -> str:
        return f"{self.clips}x{self.crops}"


def read_frames(entry: Entry, sample: Callable[[int], np.ndarray]) -> np.ndarray:
    """Frames of the part of a video that ``entry`` names: ``sample(count)`` says which of its
    ``count``; (n, H, W, 3) uint8.

    Raises:
        VideoError: if the video cannot be decoded, or is shorter than the part the list names.
    """
    from gsm_model.video.decode import decode

    def choose(info: VideoInfo) -> np.ndarray:
        first, stop = entry.first or 0, entry.stop if entry.stop is not None else info.num_frames
        if stop > info.num_frames:
            raise VideoError(
                f"{entry.id}: the list names frames up to {stop}, the video has {info.num_frames}"
            )
        return first + sample(stop - first)

    _, _, frames = decode(entry.path, choose, name=entry.id)
    return frames


def read_views(entry: Entry, num_segments: int, spec: InputSpec, views: Views) -> np.ndarray:
    """All views of one video, ``(clips · crops, T, 3, S, S)`` uint8; runs in a process of the feed.

    Raises:
        VideoError: if the video cannot be decoded, or is shorter than the part the list names.
    """
    from gsm_model.video.sampling import segment_indices

    def sample(count: int) -> np.ndarray:
        return np.concatenate(
            [segment_indices(count, num_segments, clip, views.clips) for clip in range(views.clips)]
        )

    frames = read_frames(entry, sample)
    clips = frames.reshape(views.clips, num_segments, *frames.shape[1:])
    return np.concatenate([view_bytes(clip, spec, views.crops) for clip in clips])


def feed(
    entries: Sequence[Entry], num_segments: int, spec: InputSpec, views: Views, workers: int
) -> Iterator[tuple[Entry, np.ndarray | str]]:
    """Each entry with its views (as `read_views`), or with the message of what was wrong with it,
    in order.
    """
    pool = _pool(workers)
    waiting: deque[tuple[Entry, Future]] = deque()
    upcoming = iter(entries)

    def submit(entry: Entry) -> Future:
        return pool.submit(read_views, entry, num_segments, spec, views)

    try:
        while True:
            while len(waiting) < AHEAD * workers and (entry := next(upcoming, None)) is not None:
                waiting.append((entry, submit(entry)))
            if not waiting:
                return
            entry, future = waiting.popleft()
            try:
                yield entry, _result(future)
            except (BrokenProcessPool, FutureTimeout):
                # Any clip in the making may be the culprit: this one is tried alone, the rest
                # afresh.
                _end(pool)
                yield entry, _try_alone(entry, num_segments, spec, views)
                pool = _pool(workers)
                waiting = deque((other, submit(other)) for other, _ in waiting)
    finally:
        _end(pool)


def _result(future: Future) -> np.ndarray | str:
    try:
        return future.result(timeout=MAX_SECONDS_A_CLIP)
    except VideoError as error:
        return str(error)


def _try_alone(entry: Entry, num_segments: int, spec: InputSpec, views: Views) -> np.ndarray | str:
    pool = _pool(1)
    try:
        return _result(pool.submit(read_views, entry, num_segments, spec, views))
    except (BrokenProcessPool, FutureTimeout):
        return f"{entry.id}: the decoder stopped or hung while reading it; the file is damaged"
    finally:
        _end(pool)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not by fork: this process has threads, and a fork of one that holds a lock never ends.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _end(pool: ProcessPoolExecutor) -> None:
    for process in list((pool._processes or {}).values()):
        process.kill()
    pool.shutdown(wait=True, cancel_futures=True)
