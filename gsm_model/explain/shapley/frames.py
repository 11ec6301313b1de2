"""What each frame of a clip is worth to a class: the frames as players of a game, whose worth is
the class's logit on the clip with only some of them.

Source: Price and Damen, "Play Fair: Frame Attributions in Video Models", ACCV 2020, whose game this
is with the frames that are left given to the network as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import scipy
import torch
from torch import Tensor

from gsm_model.explain.cam.evidence import Target, evidence_of_clips, rounding_of
from gsm_model.explain.cam.report import last_layer
from gsm_model.explain.order.report import MAX_FRAMES_A_PASS
from gsm_model.explain.shapley.values import (
    MOST_EXACT,
    MOST_EXACT_ORDERS,
    OrderRelations,
    ShapleyValues,
    order_relations,
    shapley_values,
)
from gsm_model.models.card import Card
from gsm_model.models.caution import Caution, caution_of
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.video_networks.network import shared_out
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order

# What stands where a frame is missing: nothing, or the nearest frame that is there.
Filling = Literal["left out", "nearest"]
FILLINGS: tuple[Filling, ...] = get_args(Filling)
PAIRS, ORDER_PAIRS = 32, 64


@dataclass(frozen=True)
class DeletionTest:
    """How well one attribution of T frames agrees with deleting them, filled as ``filling`` says.

    ``correlation`` is Spearman's, −1 … 1, with what the target loses by each frame alone (NaN where
    one of the two is the same for all frames); ``area`` the mean over 1 … T − 1 frames of the
    target with so many of the most important frames alone, less the target without them, in logits:
    higher is better.
    """

    attribution: str
    filling: Filling
    correlation: float
    area: float


def logit_text(value: float) -> str:
    """``+1.25``, with a sign if it is not shown as 0."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text


@dataclass(frozen=True)
class FrameShapley:
    """What each of T frames is worth to ``target``, in logits.

    ``game`` has the values, interactions and the two ends: ``full`` is the target's logit on the
    clip, ``empty`` on T mean pictures (zero after normalisation), which stand for no frame at all;
    it enters every value alike, with weight 1 / T. ``relations`` are the values of the order
    relations of all T frames. ``evidence`` (T,) float32 is Grad-CAM's by frame at the last block,
    ``tests`` how both agree with deletion. ``passes`` is what all that cost, in forward passes of
    the whole clip, ``drawn`` as in a `Prediction`.
    """

    card: Card
    target: Target
    order: Order
    filling: Filling
    frame_indices: np.ndarray
    game: ShapleyValues
    relations: OrderRelations | None
    evidence: np.ndarray
    tests: tuple[DeletionTest, ...]
    passes: float
    drawn: str | None = None

    @property
    def caution(self) -> Caution | None:
        """Why the values may mean little, if anything says so."""
        return caution_of(self.card, self.drawn)

    @property
    def target_name(self) -> str:
        """The target in words."""
        return self.target.name(self.card)

    @property
    def rounding(self) -> float:
        """Logits below which a value, interaction or relation is no more than rounding."""
        return rounding_of(self.game.empty, self.game.full)

    def shown(self, values: np.ndarray) -> np.ndarray:
        """``values``, in logits, as a picture shows them: 0 where they are no more than rounding,
        which would fill a scale of its own.
        """
        return np.where(np.abs(values) > self.rounding, values, 0.0)

    def agrees_better(self, filling: Filling) -> str | None:
        """Which attribution has the larger area under deletion with ``filling``; ``None`` where
        they are within a thousandth of each other, or differ by rounding.
        """
        found = sorted((test for test in self.tests if test.filling == filling), key=_area)
        if len(found) < 2:
            return None
        same = max(1e-3 * abs(found[-1].area), self.rounding)
        if found[-1].area - found[-2].area <= same:
            return None
        return found[-1].attribution


def _area(test: DeletionTest) -> float:
    return test.area


SHAPLEY, GRADCAM = "Shapley value", "Grad-CAM"


def frame_shapley(
    model: Recognizer,
    video: DecodedVideo,
    target: Target | None = None,
    filling: Filling = "left out",
    order: Order = "forward",
    num_segments: int | None = None,
    pairs: int = PAIRS,
    order_pairs: int = ORDER_PAIRS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> FrameShapley:
    """The worth of every frame of ``video``'s clip, presented in ``order``, to ``target``, by
    default the answer.

    Exact over all subsets of at most `MOST_EXACT` frames, else from ``pairs`` antithetic
    permutations; relations from ``order_pairs`` orders with their reverses, none for 0. Nothing is
    left on the model. ``progress`` is told frames that went through the network, of about how many.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        ValueError: for an unknown filling or class.
    """
    if filling not in FILLINGS:
        raise ValueError(f"no filling {filling!r}; there are {', '.join(FILLINGS)}")
    clip = clip_input(model, video, order, num_segments=num_segments, seed=seed)
    view = clip.views[0]
    t = len(view)
    _, [(chosen, [evidence])] = evidence_of_clips(model, clip.views, [target], [last_layer(model)])
    expected = round(t * passes_needed(t, filling, pairs, order_pairs))
    game = _FrameGame(model, view, chosen, expected, progress)
    found = shapley_values(lambda sets: game.worths(sets, filling), t, pairs, seed)
    relations = None
    if order_pairs and t > 1:
        relations = order_relations(game.of_orders, t, order_pairs, seed)
    by_frame = shared_out(torch.from_numpy(evidence.by_frame()), t)[0].numpy()
    attributions = {SHAPLEY: found.values, GRADCAM: by_frame.astype(np.float64)}
    tests = _deletion_tests(game, attributions) if t > 1 else ()
    if progress is not None:
        progress(expected, expected)
    return FrameShapley(
        model.card,
        chosen,
        order,
        filling,
        clip.frame_indices,
        found,
        relations,
        by_frame,
        tests,
        game.frames / t + 2,
        video.drawn,
    )


def passes_needed(
    t: int, filling: Filling, pairs: int = PAIRS, order_pairs: int = ORDER_PAIRS
) -> float:
    """About what `frame_shapley` costs, in forward passes of the whole clip of ``t`` frames."""
    sets = 2**t if t <= MOST_EXACT else 2 * pairs * 2 * (t - 1)
    subsets = sets / 2 if filling == "left out" else sets
    orders = 2 * order_pairs
    if t <= MOST_EXACT_ORDERS:
        orders = int(np.prod(np.arange(1, t + 1)))
    return subsets + (orders if order_pairs and t > 1 else 0) + 6 * (t - 1) + 3


class _FrameGame:
    """The target on one clip with some of its frames, or with all in another order; nothing is
    asked twice.
    """

    def __init__(
        self,
        model: Recognizer,
        view: Tensor,
        target: Target,
        expected: int,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.model, self.view, self.target = model, view, target
        self.expected, self.progress = expected, progress
        self.frames = 0
        self.known: dict[tuple[int, ...], float] = {}

    def worths(self, sets: np.ndarray, filling: Filling) -> np.ndarray:
        """(m, T) bool → (m,) float64."""
        return self._of([positions_of(kept, filling) for kept in sets])

    def of_orders(self, orders: np.ndarray) -> np.ndarray:
        """(m, T) positions → (m,) float64."""
        return self._of([tuple(order.tolist()) for order in orders])

    def _of(self, clips: Sequence[tuple[int, ...]]) -> np.ndarray:
        wanted = [clip for clip in dict.fromkeys(clips) if clip not in self.known]
        for length in sorted({len(clip) for clip in wanted}, reverse=True):
            same = [clip for clip in wanted if len(clip) == length]
            at_once = max(1, MAX_FRAMES_A_PASS // max(length, 1))
            for start in range(0, len(same), at_once):
                self._run(same[start : start + at_once])
        return np.array([self.known[clip] for clip in clips])

    def _run(self, clips: Sequence[tuple[int, ...]]) -> None:
        none = torch.zeros_like(self.view)[None]
        given = self.view[torch.tensor(clips)] if clips[0] else none
        with device_turn(next(self.model.parameters()).device), torch.inference_mode():
            logits, _ = within_memory(self.model, given, self.model)
            found = self.target.value(logits.double()).cpu().tolist()
        self.known.update(zip(clips, found, strict=True))
        self.frames += given.shape[0] * given.shape[1]
        if self.progress is not None:
            self.progress(min(self.frames, self.expected), self.expected)


def positions_of(kept: np.ndarray, filling: Filling) -> tuple[int, ...]:
    """The positions that a network is given for the frames ``kept`` (T,) bool: these alone, or at
    each of the T places the nearest of them, the earlier of two. Empty where none is kept.
    """
    there = np.flatnonzero(kept)
    if filling == "left out" or not len(there):
        return tuple(there.tolist())
    nearest = np.abs(there[None, :] - np.arange(len(kept))[:, None]).argmin(1)
    return tuple(there[nearest].tolist())


def _deletion_tests(
    game: _FrameGame, attributions: dict[str, np.ndarray]
) -> tuple[DeletionTest, ...]:
    t = len(game.view)
    singles = ~np.eye(t, dtype=bool)
    tests = []
    for filling in FILLINGS:
        lost = game.worths(np.ones((1, t), bool), filling) - game.worths(singles, filling)
        for name, values in attributions.items():
            ranks = np.argsort(np.argsort(-values, kind="stable"))
            kept = ranks[None] < np.arange(1, t)[:, None]
            area = float((game.worths(kept, filling) - game.worths(~kept, filling)).mean())
            tests.append(DeletionTest(name, filling, _correlation(values, lost), area))
    return tuple(tests)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(scipy.stats.spearmanr(a, b).statistic)
