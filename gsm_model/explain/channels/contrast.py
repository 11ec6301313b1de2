"""Which channels change when a clip is reversed, and which when it is frozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch import Tensor

from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import ClipSet, batches, require_still_frames
from gsm_model.explain.channels.features import BATCH_CLIPS, pooled_channels, summarised
from gsm_model.models.card import Card
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.sampling import Order, order_positions

ORDERS: tuple[Order, ...] = ("forward", "reversed", "frozen")
LEAST = 0.25  # of a channel's standard deviation between clips: less is no change
DRAWS = 500
PASSES = len(ORDERS)  # a clip


@dataclass(frozen=True)
class Contrast:
    """How the channels of L blocks' outputs, pooled over space and averaged over time, change over
    ``n`` clips of ``data``.

    ``reversed`` and ``frozen``: layer → (C,), the root mean square change over the clips with the
    frames in reverse order, and with the middle frame throughout, in standard deviations of the
    channel between clips. ``shares``: layer → (3, 2), the share of channels that change by more
    than ``least`` in each (first row), with the ends of 95 % bootstrap intervals over the clips.
    """

    card: Card
    data: str
    n: int
    layers: tuple[str, ...]
    reversed: dict[str, np.ndarray]
    frozen: dict[str, np.ndarray]
    shares: dict[str, np.ndarray]
    least: float = LEAST

    def kinds(self, layer: str) -> dict[str, float]:
        """The share of a layer's channels that change with the order (reversed), with motion alone
        (frozen and not reversed), and with neither.
        """
        order = self.reversed[layer] > self.least
        motion = (self.frozen[layer] > self.least) & ~order
        return {
            "order": float(order.mean()),
            "motion": float(motion.mean()),
            "static": float((~order & ~motion).mean()),
        }


def contrast_of_clips(
    model: Recognizer,
    clip_set: ClipSet,
    least: float = LEAST,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Contrast:
    """The contrast of reversed and frozen clips over ``clip_set``; clips that cannot be read are
    left out.

    Raises:
        DataError: if fewer than two clips could be read, or the model sees motion between frames.
    """
    require_still_frames(model, "the contrast of reversed and frozen clips")

    found, done = [], 0
    for batch in batches(model, clip_set, 0, BATCH_CLIPS):
        done += len(batch.ids)
        if batch.clips is not None:
            found.append(changed_in(model, batch.clips))
        if progress is not None:
            progress(done, len(clip_set.ids))
    return contrast_of(model.card, found, clip_set.origin.data, least, seed)


def changed_in(model: Recognizer, clips: Tensor) -> dict[str, np.ndarray]:
    """Layer → (3, N, C): the mean over time of its block's output, in each of `ORDERS`, for
    ``clips`` (N, T, 3, S, S) float32.
    """
    of = []
    for order in ORDERS:
        positions = order_positions(clips.shape[1], order).tolist()
        values = pooled_channels(model, [clips[:, positions]], ("output",)).values
        of.append({layer: summarised(one, "mean") for (layer, _), one in values.items()})
    return {layer: np.stack([one[layer] for one in of]) for layer in of[0]}


def contrast_of(
    card: Card,
    found: Sequence[dict[str, np.ndarray]],
    data: str,
    least: float = LEAST,
    seed: int = 0,
) -> Contrast:
    """The contrast over batches that `changed_in` has read, of clips called ``data``.

    Raises:
        DataError: if there are fewer than two clips.
    """
    n = sum(next(iter(one.values())).shape[1] for one in found)
    if n < 2:
        raise DataError(f"{data}: {n} clips could be read; a contrast needs two at least")
    layers = tuple(found[0])
    changes = {
        layer: _changes(np.concatenate([one[layer] for one in found], axis=1)) for layer in layers
    }
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(n, np.full(n, 1 / n), DRAWS) / n
    even = np.full((1, n), 1 / n)
    exact = {layer: change(even)[:, 0] for layer, change in changes.items()}  # (2, C)
    shares = {}
    for layer, change in changes.items():
        drawn = (change(weights) > least).mean(2)  # (2, draws)
        low, high = np.percentile(drawn, [2.5, 97.5], axis=1)
        shares[layer] = np.stack([(exact[layer] > least).mean(1), low, high])
    return Contrast(
        card,
        data,
        n,
        layers,
        {layer: one[0] for layer, one in exact.items()},
        {layer: one[1] for layer, one in exact.items()},
        shares,
        least,
    )


def _changes(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """``values`` (3, n, C) in each of `ORDERS` → what gives for weights of the clips (D, n) the
    changes (2, D, C) in standard deviations between clips.
    """
    forward = values[0] - values[0].mean(0)
    squares = (values[1:] - values[0]) ** 2
    return partial(_weighed, forward, squares)


def _weighed(forward: np.ndarray, squares: np.ndarray, weights: np.ndarray) -> np.ndarray:
    spread = weights @ forward**2 - (weights @ forward) ** 2
    tiny = np.finfo(np.float64).tiny
    change = np.sqrt(np.stack([weights @ one for one in squares]))
    return np.where(spread > tiny, change / np.sqrt(np.maximum(spread, tiny)), 0.0)
