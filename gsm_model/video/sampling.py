"""Temporal sampling: which frames of a video a clip is made of, and in which order it shows
them.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

Order = Literal["forward", "reversed", "shuffled", "frozen"]
ORDERS: tuple[Order, ...] = get_args(Order)
# even: over the whole video; dense: a window of 64 frames; every-second: a window of every second
# frame, as many as the clip has.
Sampling = Literal["even", "dense", "every-second"]
SAMPLINGS: tuple[Sampling, ...] = get_args(Sampling)
DENSE_WINDOW = 64


def segment_indices(
    num_frames: int, num_segments: int, clip: int = 0, num_clips: int = 1
) -> np.ndarray:
    """Frame indices of one evaluation clip, shape ``(num_segments,)``, int64, ascending, 0-based.

    One clip takes the middle frame of each of ``num_segments`` equal spans; of two clips the first
    takes each span's first frame, the second its middle one. Videos shorter than ``num_segments``
    repeat frames.

    Raises:
        ValueError: if a count is not positive, or ``num_clips`` is neither 1 nor 2.

    Source: the GSM release's test-time sampling; its validation of short videos repeats frame 0
    instead (`training_indices` has that rule).
    """
    _require_positive(num_frames=num_frames, num_segments=num_segments)
    if num_clips not in (1, 2) or not 0 <= clip < num_clips:
        raise ValueError(f"clip {clip} of {num_clips}: there are rules for one clip and for two")
    tick = num_frames / num_segments
    start = 0.0 if num_clips == 2 and clip == 0 else tick / 2
    return np.array([int(start + tick * k) for k in range(num_segments)], dtype=np.int64)


def clip_indices(
    num_frames: int, num_segments: int, clip: int, num_clips: int, sampling: Sampling = "even"
) -> np.ndarray:
    """Frame indices of one evaluation clip, shape ``(num_segments,)``, int64, as `segment_indices`
    or, of the other samplings, as `dense_indices`; a single dense clip is the middle window, where
    the releases take the first or a random one.

    Raises:
        ValueError: as those.
    """
    if sampling == "even":
        return segment_indices(num_frames, num_segments, clip, num_clips)
    stride = 2 if sampling == "every-second" else None
    if num_clips == 1:
        return dense_indices(num_frames, num_segments, 1, 3, stride)
    return dense_indices(num_frames, num_segments, clip, num_clips, stride)


def shifted(indices: np.ndarray, by: int, num_frames: int) -> np.ndarray:
    """``indices`` moved ``by`` frames, held within the video: the clip that would be seen had it
    begun so much later or earlier.
    """
    return np.clip(indices + by, 0, num_frames - 1)


def dense_indices(
    num_frames: int,
    num_segments: int,
    clip: int = 0,
    num_clips: int = 10,
    stride: int | None = None,
) -> np.ndarray:
    """Frame indices of one dense clip, shape ``(num_segments,)``, int64: a window of 64 frames,
    evenly strided, or one of every ``stride``-th frame.

    The ``num_clips`` windows start evenly over the video; indices past its end wrap to its start.

    Raises:
        ValueError: if a count is not positive, or ``clip`` is outside ``num_clips``.

    Source: the TSM release's dense test-time sampling.
    """
    _require_positive(num_frames=num_frames, num_segments=num_segments, num_clips=num_clips)
    if not 0 <= clip < num_clips:
        raise ValueError(f"clip {clip} of {num_clips}")
    window = DENSE_WINDOW if stride is None else stride * num_segments
    stride = stride or max(1, DENSE_WINDOW // num_segments)
    last_start = max(0, num_frames - window)
    start = int(np.linspace(0, last_start, num_clips)[clip])
    return (start + stride * np.arange(num_segments, dtype=np.int64)) % num_frames


def training_indices(num_frames: int, num_segments: int, rng: np.random.Generator) -> np.ndarray:
    """Frame indices of one training clip, shape ``(num_segments,)``, int64, ascending.

    One uniform draw in each of ``num_segments`` spans of ``num_frames // num_segments`` frames; a
    video shorter than that gives frame 0 throughout. Source: the GSM release's training sampling.
    """
    _require_positive(num_frames=num_frames, num_segments=num_segments)
    span = num_frames // num_segments
    if span == 0:
        return np.zeros(num_segments, dtype=np.int64)
    return np.arange(num_segments) * span + rng.integers(span, size=num_segments)


def order_positions(num_segments: int, order: Order, seed: int = 0) -> np.ndarray:
    """Positions of a clip's frames in the order in which a model sees them, shape
    ``(num_segments,)``, int64.

    ``shuffled`` is a permutation drawn from ``seed`` that is neither the forward nor the reversed
    order where there are three frames or more. ``frozen`` repeats the middle frame.

    Raises:
        ValueError: for an unknown order.
    """
    positions = np.arange(num_segments, dtype=np.int64)
    if order == "forward":
        return positions
    if order == "reversed":
        return positions[::-1].copy()
    if order == "frozen":
        return np.full(num_segments, num_segments // 2, dtype=np.int64)
    if order != "shuffled":
        raise ValueError(f"unknown order {order!r}; there are {', '.join(ORDERS)}")
    rng = np.random.default_rng(seed)
    while True:
        shuffled = rng.permutation(positions)
        sorted_either_way = np.array_equal(shuffled, positions) or np.array_equal(
            shuffled, positions[::-1]
        )
        if num_segments < 3 or not sorted_either_way:
            return shuffled


def _require_positive(**counts: int) -> None:
    for name, value in counts.items():
        if value <= 0:
            raise ValueError(f"{name} must be positive, got {value}")
