"""How long synthetic clips take to make: whether they keep a training fed."""

from __future__ import annotations

from collections.abc import Callable

import torch

from gsm_model.benchmark.timing import Timing, in_turn
from gsm_model.data.synthetic_sets import Looks, SyntheticSet, synthetic_set
from gsm_model.video.sampling import segment_indices


def benchmark_synthetic(
    device: torch.device,
    segments: int = 8,
    side: int = 109,
    runs: int = 5,
    clips: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """A clip of ``segments`` frames of ``side`` × ``side`` pixels, the mean over ``clips`` (one of
    each class if not given): drawn (always on the CPU), and randomised with clutter 0 and 1 on
    ``device``. Ratios are to the drawn. Threads are torch's; a process that feeds a training has
    one.

    Raises:
        ValueError: if ``runs`` is not positive.
    """
    sets = {
        "drawn": synthetic_set("drawn"),
        "randomised, clutter 0": synthetic_set("randomised", Looks(clutter=0.0, device=device)),
        "randomised, clutter 1": synthetic_set("randomised", Looks(clutter=1.0, device=device)),
    }
    rounds = {
        name: _Round(one, clips or len(one.labels), segments, side) for name, one in sets.items()
    }
    found = in_turn(rounds, runs, device, progress)
    each = {name: seconds / rounds[name].count for name, seconds in found.items()}
    return [Timing(name, seconds, seconds / each["drawn"]) for name, seconds in each.items()]


class _Round:
    """Makes ``count`` clips, others each time."""

    def __init__(self, clips: SyntheticSet, count: int, segments: int, side: int) -> None:
        self.clips, self.count, self.segments, self.side = clips, count, segments, side
        self.next = 0

    def __call__(self) -> None:
        for index in range(self.next, self.next + self.count):
            clip = self.clips.draw("train", index)
            clip.frames(segment_indices(clip.num_frames, self.segments), self.side, self.side)
        self.next += self.count
