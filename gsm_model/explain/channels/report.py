"""What every channel and gate of a network says of what is pushed, its colour, where, and which way
it goes: static and dynamic channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from gsm_model.data.synthetic.factors import ALL_LEVELS, FACTORS, Factor, FactorClip, factor_clip
from gsm_model.evaluation.dataset import drawn_video, require_still_frames
from gsm_model.explain.channels.contrast import LEAST, Contrast, changed_in, contrast_of
from gsm_model.explain.channels.features import (
    BATCH_CLIPS,
    SUMMARIES,
    Key,
    Pooled,
    Side,
    Summary,
    pooled_channels,
    summarised,
)
from gsm_model.explain.channels.information import (
    PERMUTATIONS,
    Information,
    informations,
    labellings,
)
from gsm_model.explain.patching.features import places_of
from gsm_model.models.card import Card
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.clip_input import clip_input

CLIPS = 4 * ALL_LEVELS
DATA = "a hand pushes a thing, drawn clips"


@dataclass(frozen=True)
class ChannelReport:
    """What the channels of one model carry, over n clips of T frames in which every combination of
    the factors' levels is equally frequent.

    ``information``: by layer, side, summary and factor. ``moved``: layer → (C,), the share of each
    channel's energy behind the temporal operator that other frames change. ``pooled`` are the
    values all that is of: layer and side → (n, T, C).
    """

    card: Card
    n: int
    frames: int
    layers: tuple[str, ...]
    information: dict[tuple[str, Side, Summary, Factor], Information]
    moved: dict[str, np.ndarray]
    pooled: dict[Key, np.ndarray]

    def share(self, layer: str, side: Side, summary: Summary, factor: Factor) -> float:
        """The share of the channels that carry the factor: above what chance gives the best of
        them in 95 of 100 permutations.
        """
        return float(self.information[layer, side, summary, factor].carries.mean())

    def sides(self, layer: str) -> tuple[Side, ...]:
        """What was read of a layer."""
        return tuple(side for name, side in self.pooled if name == layer)

    def moved_with(self, layer: str, summary: Summary, factor: Factor) -> tuple[float, int]:
        """Spearman's correlation over a layer's C channels of the share that is moved with what
        the channel behind the operator says of the factor, and C; NaN where nothing is moved, or
        all alike.
        """
        moved = self.moved.get(layer)
        if moved is None or np.ptp(moved) == 0:
            return float("nan"), 0 if moved is None else len(moved)
        bits = self.information[layer, "after", summary, factor].bits
        if np.ptp(bits) == 0:
            return float("nan"), len(bits)
        return float(spearmanr(moved, bits).statistic), len(bits)


def passes_of_study(count: int = CLIPS) -> int:
    """About how many forward passes `study_channels` takes: for each clip one with all operators
    run twice, and one in each order of the contrast.
    """
    return round(4.2 * whole_sets(count))


def whole_sets(count: int) -> int:
    """``count`` clips, or as many more as hold every combination of levels equally often."""
    return -(-count // ALL_LEVELS) * ALL_LEVELS


def study_channels(
    model: Recognizer,
    count: int = CLIPS,
    permutations: int = PERMUTATIONS,
    least: float = LEAST,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[ChannelReport, Contrast]:
    """The mutual information of every channel of ``model``'s blocks with every factor, over
    ``count`` drawn clips (`factor_clip`), rounded up to whole sets of combinations; and which
    channels change when these clips are reversed or frozen.

    Any model of RGB frames can be read: its classes do not matter. A clip and its reversal are
    permuted together (`mutual_information`). Nothing is left on the model.

    Raises:
        DataError: if the model sees motion between frames.
        ValueError: if there is no clip.
    """
    require_still_frames(model, "what channels carry")
    count = whole_sets(count)
    clips = [factor_clip(index) for index in range(count)]
    changed: list[dict[str, np.ndarray]] = []

    def batches() -> Iterator[Tensor]:
        for batch in factor_batches(model, clips):
            changed.append(changed_in(model, batch))
            yield batch

    pooled = pooled_channels(model, batches(), count=count, progress=progress)
    layers = places_of(model).layers
    report = channel_report(model.card, layers, clips, pooled, permutations, seed)
    return report, contrast_of(model.card, changed, DATA, least, seed)


def factor_batches(model: Recognizer, clips: list[FactorClip]) -> Iterator[Tensor]:
    """``clips`` as ``model`` takes them, a few at a time: (N, T, 3, S, S) float32."""
    t = model.architecture.num_segments
    for start in range(0, len(clips), BATCH_CLIPS):
        videos = [drawn_video(one.clip, [t]) for one in clips[start : start + BATCH_CLIPS]]
        yield torch.cat([clip_input(model, video).views for video in videos])


def channel_report(
    card: Card,
    layers: tuple[str, ...],
    clips: list[FactorClip],
    pooled: Pooled,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> ChannelReport:
    """The report of what was read already: ``pooled`` of ``clips``, in their order."""
    levels = np.array([one.levels for one in clips])
    scenes = np.array([one.scene for one in clips])
    drawn = [
        labellings(levels[:, place], scenes, permutations, seed) for place in range(len(FACTORS))
    ]
    information = {
        (layer, side, summary, factor): found
        for (layer, side), values in pooled.values.items()
        for summary in SUMMARIES
        for factor, found in zip(
            FACTORS, informations(summarised(values, summary), drawn), strict=True
        )
    }
    frames = next(iter(pooled.values.values())).shape[1]
    return ChannelReport(card, len(clips), frames, layers, information, pooled.moved, pooled.values)
