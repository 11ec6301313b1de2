"""The channels of every block, pooled over space, for many clips; and how much of each a temporal
operator moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from gsm_model.explain.patching.features import Places, places_of
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.observers import observe_operators, observe_points, observe_readings
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.temporal import GatedModule, TemporalModule

# Where channels are read in a block: what enters and what leaves its temporal operator, or the
# place where one could stand; the block's output; and the learnt gates, one a direction.
Side = Literal["before", "after", "output", "gate"]
SIDES: tuple[Side, ...] = get_args(Side)
# What is taken of a channel over the T frames: its mean, which no order of them changes, and its
# slope, the least-squares change per frame, whose sign a reversal turns.
Summary = Literal["mean", "slope"]
SUMMARIES: tuple[Summary, ...] = get_args(Summary)
Key = tuple[str, Side]
BATCH_CLIPS = 8


@dataclass
class Pooled:
    """``values``: layer and side → (n, T, C) float32, means over space. ``moved``: layer → (C,)
    float64, the share of each output channel's energy that is what other frames change in it.
    """

    values: dict[Key, np.ndarray]
    moved: dict[str, np.ndarray]


@dataclass
class _Collected:
    values: dict[Key, list[Tensor]] = field(default_factory=dict)
    energy: dict[str, list[Tensor]] = field(default_factory=dict)


def pooled_channels(
    model: Recognizer,
    clips: Iterable[Tensor],
    sides: Sequence[Side] = SIDES,
    count: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Pooled:
    """The channels of all blocks for batches of clips (N, T, 3, S, S) float32 of as many frames as
    ``model`` was trained with, one forward pass each; ``progress`` is told clips of ``count``.
    Without gates among ``sides`` what is moved is not computed, for which each operator runs once
    more.

    Raises:
        ValueError: if there is no clip.
    """
    places, device = places_of(model), next(model.parameters()).device
    found, done = _Collected(), 0
    for batch in clips:
        with device_turn(device), torch.inference_mode(), _observed(model, places, sides, found):
            model(batch.to(device))
        done += len(batch)
        if progress is not None:
            progress(done, count)
    if not done:
        raise ValueError("there is no clip to read channels from")
    order = [(layer, side) for layer in places.layers for side in SIDES]
    values = {
        key: torch.cat(found.values[key]).cpu().numpy() for key in order if key in found.values
    }
    moved = {}
    for layer in places.layers:
        if layer in found.energy:
            changed, whole = torch.stack(found.energy[layer]).sum(0).cpu().numpy()
            moved[layer] = changed / np.maximum(whole, np.finfo(np.float64).tiny)
    return Pooled(values, moved)


@contextmanager
def _observed(
    model: Recognizer, places: Places, sides: Sequence[Side], found: _Collected
) -> Iterator[None]:
    """Collect into ``found`` what every pass of this thread inside the block shows."""
    titles: dict[nn.Module, str] = {
        layer.module: layer.title
        for layer in model.temporal_layers()
        if layer.module is not None and layer.title in places.layers
    }
    learnt = {
        module: title
        for module, title in places.gated.items()
        if isinstance(module, GatedModule) and module.is_learnt
    }
    frames = model.architecture.num_segments

    def see_point(host: nn.Module, point: str, x: Tensor) -> Tensor:
        layer, side = places.points.get((host, point), ("", ""))
        if side in sides:
            _add(found.values, (layer, side), x.float().mean((2, 3)).unflatten(0, (-1, frames)))
        return x

    def see_reading(module: nn.Module, name: str, value: Tensor) -> None:
        if name == "gate" and module in learnt:
            _add(found.values, (learnt[module], "gate"), value.float().mean((3, 4)))

    def see_operator(module: TemporalModule, x: Tensor, out: Tensor) -> Tensor:
        if module in titles:
            own, whole = module.own_output(module.alone(x)), module.own_output(out)
            parts = [part.double().square().sum((0, 1, 3, 4)) for part in (whole - own, whole)]
            _add(found.energy, titles[module], torch.stack(parts))
        return out

    with observe_points(see_point):
        if "gate" not in sides:
            yield
            return
        with observe_readings(see_reading), observe_operators(see_operator):
            yield


def _add(kept: dict, key: object, value: Tensor) -> None:
    kept.setdefault(key, []).append(value.detach())


def summarised(values: np.ndarray, summary: Summary) -> np.ndarray:
    """(n, T, C) → (n, C) float64: the mean over the frames, or the slope per frame."""
    exact = values.astype(np.float64)  # sums that do not depend on the order of the frames
    if summary == "mean":
        return exact.mean(1)
    times = np.arange(exact.shape[1]) - (exact.shape[1] - 1) / 2
    return np.einsum("t,ntc->nc", times, exact) / max((times**2).sum(), 1.0)
