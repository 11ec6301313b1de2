"""When each frame is shown, and how long a video lasts: from time stamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# A pause between two frames beyond this is a fault of the time stamps.
_LONGEST_PAUSE = 600.0
# Gaps between frames within this share of their mean are those of a constant rate.
_EVEN = 0.05


@dataclass(frozen=True)
class Timing:
    """``times`` (n,) float64, seconds from the first frame to each; ``duration`` in seconds, to the
    end of the last; ``fps`` the mean rate; ``notes`` what is to be said of them.
    """

    times: np.ndarray
    duration: float
    fps: float
    notes: tuple[str, ...] = ()


def evenly(num_frames: int, fps: float, *notes: str) -> Timing:
    """Frames at a rate that is known or assumed."""
    return Timing(np.arange(num_frames) / fps, num_frames / fps, fps, notes)


def from_lengths(lengths: np.ndarray) -> Timing:
    """Frames of which each states how long it is shown: ``lengths`` (n,) in seconds."""
    micro = np.round(1e6 * lengths).astype(np.int64)  # whole numbers add up exactly
    ends = np.cumsum(micro)
    fps = float(1e6 * len(lengths) / ends[-1])
    return Timing((ends - micro) / 1e6, float(ends[-1] / 1e6), fps, _uneven(lengths))


def from_stamps(
    stamps: np.ndarray, last: float, rate: float, missing: int, tick: float = 0.0
) -> Timing:
    """Frames with time ``stamps`` (n,) in seconds, ascending; ``missing`` of them have none.

    ``last`` is how long the last frame is shown (0 where the file does not say), ``rate`` the
    frames a second that the file states, ``tick`` the step of its clock in seconds. Where stamps
    are missing, repeat or jump, times are even: over the span where there is one, else at ``rate``.
    """
    count = len(stamps)
    if missing == count:
        return evenly(count, rate, f"it has no time stamps: {rate:.4g} frames a second are assumed")
    gaps = np.diff(stamps)
    if count == 1:
        length = last or 1 / rate
        return Timing(np.zeros(1), length, 1 / length)
    pause = float(gaps.max())
    if pause > _LONGEST_PAUSE:
        return evenly(
            count,
            rate,
            f"its time stamps jump by {pause:,.0f} s: they are ignored, and {rate:.4g} frames a"
            " second are assumed",
        )
    repeated = int((gaps <= 0).sum())
    usual = float(np.median(gaps[gaps > 0])) if (gaps > 0).any() else 1 / rate
    last = last if last >= usual / 2 else usual
    duration = float(stamps[-1] - stamps[0] + last)
    if missing or repeated:
        fault = f"{missing} of its {count} frames have no time stamp" if missing else ""
        fault = fault or f"{repeated} of its {count} frames have the time stamp of another"
        if repeated > count // 2:
            return evenly(count, rate, f"{fault}: {rate:.4g} frames a second are assumed")
        note = f"{fault}: its frames are taken as evenly spaced in {duration:.1f} s"
        return evenly(count, count / duration, note)
    mean = float(gaps.mean())
    if np.abs(gaps - mean).max() > _EVEN * mean + tick:
        return Timing(stamps - stamps[0], duration, count / duration, _uneven(gaps))
    if abs(rate * mean - 1) <= 0.01 + tick / mean:
        return Timing(stamps - stamps[0], duration, rate)
    note = f"its header says {rate:.4g} frames a second, its time stamps {1 / mean:.4g}: they count"
    return Timing(stamps - stamps[0], duration, 1 / mean, (note,))


def _uneven(gaps: np.ndarray) -> tuple[str, ...]:
    shortest, longest = float(gaps.min()), float(gaps.max())
    if longest <= (1 + 2 * _EVEN) * shortest:
        return ()
    return (
        f"its frame rate varies: {_length(shortest)} to {_length(longest)} from frame to frame;"
        " clips are sampled evenly by frame, not by time",
    )


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
