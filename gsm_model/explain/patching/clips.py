"""Which features carry what two clips differ in: copied from the run of one into that of the other,
at one layer and frame, and how far the prediction goes along.

A clip and its reversal are the same pictures and opposite classes, so what moves the prediction is
the order alone. Sources: Vig and others, "Investigating gender bias in language models using causal
mediation analysis", 2020, and Meng and others, "Locating and editing factual associations in GPT",
2022 (patching); Nanda, "Attribution patching", 2023 (its linear estimate for all places at once).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import scipy
import torch
from torch import Tensor

from gsm_model.data.labels import reversed_classes
from gsm_model.explain.cam.evidence import Target, ready, rounding_of
from gsm_model.explain.order.report import MAX_FRAMES_A_PASS
from gsm_model.explain.patching.features import (
    Key,
    Side,
    patched,
    places_of,
    record,
    record_with_gradients,
)
from gsm_model.models.card import Card
from gsm_model.models.caution import Caution, caution_of
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo

# A frame takes the features of the frame at the same place, or of the one with the same picture.
Align = Literal["place", "picture"]
REVERSED = "its reversal"


@dataclass(frozen=True)
class ClipPair:
    """Two clips of T frames for one model, (T, 3, S, S) float32, normalised: ``donor``'s features
    are copied into the run of ``recipient``. ``is_reversal`` says that the donor is the recipient
    reversed, ``frame_indices`` (T,) are the recipient's frames, ``drawn`` as in a `Prediction`.
    """

    recipient: Tensor
    donor: Tensor
    frame_indices: np.ndarray
    donor_name: str = REVERSED
    is_reversal: bool = True
    drawn: str | None = None


def clip_pair(
    model: Recognizer,
    video: DecodedVideo,
    other: DecodedVideo | None = None,
    num_segments: int | None = None,
) -> ClipPair:
    """``video``'s clip and, without ``other``, its reversal.

    Raises:
        KeyError: if a video was not read for this number of segments.
    """
    clip = clip_input(model, video, num_segments=num_segments)
    view = clip.views[0]
    if other is None:
        donor = view.flip(0)
        if model.input.modality.neighbours:  # within a segment time runs backwards too
            donor = clip_input(model, video, "reversed", num_segments=num_segments).views[0]
        return ClipPair(view, donor, clip.frame_indices, drawn=video.drawn)
    donor = clip_input(model, other, num_segments=num_segments).views[0]
    return ClipPair(view, donor, clip.frame_indices, other.name, False, video.drawn)


@dataclass(frozen=True)
class Patching:
    """Effects of copying features of ``donor`` into a clip, by layer and frame.

    ``target`` is a difference of two logits; ``before`` and ``donor`` are its values for the clip
    and for the donor. An effect is how far copying takes it from the one to the other: 0 not at
    all, 1 all the way; it may go beyond. ``attribution`` has for each side the effects (L, T) that
    one backward pass estimates, ``exact`` those of patching (NaN where that was not done), and
    ``whole`` (L,) that of all frames at once. ``inputs`` (T,) are the effects of single input
    frames and ``whole_input`` that of all. Where the two clips give the same (``moves`` is false,
    as for a clip and its reversal in a TSN) there is nothing to move and all effects are 0.
    ``passes`` is the cost in forward passes of one clip, ``drawn`` as in a `Prediction`.
    """

    card: Card
    target: Target
    align: Align
    donor_name: str
    frame_indices: np.ndarray
    layers: tuple[str, ...]
    before: float
    donor: float
    attribution: dict[Side, np.ndarray]
    exact: dict[Side, np.ndarray] = field(default_factory=dict)
    whole: dict[Side, np.ndarray] = field(default_factory=dict)
    inputs: np.ndarray | None = None
    whole_input: float = 0.0
    passes: float = 0.0
    drawn: str | None = None

    @property
    def caution(self) -> Caution | None:
        """Why the effects may mean little, if anything says so."""
        return caution_of(self.card, self.drawn)

    @property
    def gap(self) -> float:
        """How far the prediction can go."""
        return self.donor - self.before

    @property
    def moves(self) -> bool:
        """Whether the two clips differ to the model."""
        return _moves(self.before, self.donor)

    def effect(self, side: Side) -> np.ndarray:
        """(L, T): exact where it was patched, else the estimate."""
        estimate = self.attribution[side]
        exact = self.exact.get(side)
        return estimate if exact is None else np.where(np.isfinite(exact), exact, estimate)

    def agreement(self, side: Side) -> tuple[float, int]:
        """Spearman's correlation of the estimates with the exact effects, and of how many cells it
        is; NaN where there are none or one of the two does not vary.
        """
        exact = self.exact.get(side, np.full_like(self.attribution[side], np.nan))
        there = np.isfinite(exact)
        a, b = self.attribution[side][there], exact[there]
        if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
            return float("nan"), int(there.sum())
        return float(scipy.stats.spearmanr(a, b).statistic), int(there.sum())


def _moves(before: float, donor: float) -> bool:
    return abs(donor - before) > rounding_of(before, donor)


def default_target(model: Recognizer, before: np.ndarray, donor: np.ndarray) -> Target:
    """The contrast of two clips with logits ``before`` and ``donor`` (K,): the answer to the first
    versus its time reversal, where that is a class, else versus the answer to the second, and
    where that is the same, versus the second likeliest.
    """
    answer = int(before.argmax())
    reverse = int(reversed_classes([model.card.label(k) for k in range(len(before))])[answer])
    others = [reverse, int(donor.argmax()), *np.argsort(-before, kind="stable").tolist()]
    return Target(answer, next(k for k in others if k >= 0 and k != answer))


def attribution_patching(
    model: Recognizer, pair: ClipPair, target: Target | None = None, align: Align = "place"
) -> Patching:
    """Every side, layer and frame by one backward pass: the gradient of the target by the clip's
    features times what copying would change of them.

    ``target`` defaults to `default_target`. ``align`` *picture* takes for each frame the donor's
    features of the same picture, which only a reversal has.

    Raises:
        ValueError: for an unknown class, a target that is no contrast of a model with one class, or
            *picture* with a clip that is no reversal.
    """
    return _Patcher(model, pair, target, align).estimate()


def patch(
    model: Recognizer,
    pair: ClipPair,
    target: Target | None = None,
    align: Align = "place",
    sides: Sequence[Side] = ("after",),
    cells: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Patching:
    """`attribution_patching`, and then the features of ``sides`` copied in truth: at the ``cells``
    layers and frames of the largest estimates, ``None`` for all, at all frames of each layer, and
    in the input.

    Raises:
        ValueError: as `attribution_patching`, or for a side that the model has not.
    """
    patcher = _Patcher(model, pair, target, align)
    return patcher.exact(patcher.estimate(), sides, cells, progress)


def cell_logits(
    model: Recognizer,
    pair: ClipPair,
    side: Side,
    layer: str,
    frames: Sequence[int],
    align: Align = "place",
) -> np.ndarray:
    """(K,) float32: the logits of the clip with the donor's features at ``layer`` and ``frames``.

    Raises:
        ValueError: for a layer or side that the model has not.
    """
    patcher = _Patcher(model, pair, Target(0, 1), align)
    mask = torch.zeros(1, len(pair.recipient), dtype=torch.bool)
    mask[:, list(frames)] = True
    return patcher.logits((layer, side), mask)[0].float().cpu().numpy()


def passes_needed(layers: int, t: int, sides: int = 1, cells: int | None = None) -> int:
    """About what `patch` costs, in forward passes of one clip."""
    each = layers * t if cells is None else min(cells, layers * t)
    return 6 + sides * (each + 2 * layers) + t + 1


class _Patcher:
    """One model and two clips, their runs recorded once."""

    def __init__(
        self, model: Recognizer, pair: ClipPair, target: Target | None, align: Align
    ) -> None:
        if align == "picture" and not pair.is_reversal:
            raise ValueError("only a clip and its reversal hold the same pictures")
        self.model, _ = ready(model, [])
        self.device = next(self.model.parameters()).device
        self.pair, self.align, self.target = pair, align, target
        self.clip = pair.recipient.to(self.device, torch.float32)
        self.other = pair.donor.to(self.device, torch.float32)
        self.places = places_of(self.model)
        self.passes = 0.0

    def _keys(self, sides: Sequence[Side]) -> list[Key]:
        return [
            (layer, side)
            for side in sides
            for layer in self.places.layers
            if self.places.has(layer, side)
        ]

    def _donor_frames(self, values: Tensor) -> Tensor:
        """What each of the T frames takes; the gates of a run are (1, T, …), all else (T, …)."""
        return values.flip(values.ndim - 4) if self.align == "picture" else values

    def estimate(self) -> Patching:
        """The estimates of all sides."""
        with device_turn(self.device):
            donor = record(self.model, self.other, self.places, self._keys(self.places.sides))
            run, wanted = record_with_gradients(self.model, self.clip, self.places)
            before = run.logits.detach().float().cpu().numpy()
            if self.target is None:
                self.target = default_target(self.model, before, donor.logits.float().cpu().numpy())
            self.target.check(self.model.architecture.num_classes)
            value = self.target.value(run.logits)
            slopes = torch.autograd.grad(value, list(wanted.values()), allow_unused=True)
            gradients = dict(zip(wanted, slopes, strict=True))
            ends = float(value.detach()), float(self.target.value(donor.logits))
            t, layers = len(self.clip), self.places.layers
            grids = {}
            for side in self.places.sides:
                grid = np.zeros((len(layers), t))
                for row, layer in enumerate(layers):
                    slope = gradients.get((layer, "after" if side in ("moved", "kept") else side))
                    if slope is None or not self.places.has(layer, side):
                        continue
                    change = self._donor_frames(donor.values[layer, side])
                    change = change - run.values[layer, side].detach()
                    each = (slope * change).reshape(t, -1)
                    grid[row] = each.sum(1).double().cpu().numpy()
                grids[side] = self._effects(grid, ends)
        self.passes += 5
        return Patching(
            self.model.card,
            self.target,
            self.align,
            self.pair.donor_name,
            self.pair.frame_indices,
            layers,
            *ends,
            grids,
            passes=self.passes,
            drawn=self.pair.drawn,
        )

    def _effects(self, change: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
        before, donor = ends
        return change / (donor - before) if _moves(before, donor) else np.zeros_like(change)

    def exact(
        self,
        found: Patching,
        sides: Sequence[Side],
        cells: int | None,
        progress: Callable[[int, int], None] | None,
    ) -> Patching:
        """``found`` with the exact effects of ``sides``."""
        assert self.target is not None
        ends = found.before, found.donor
        chosen = {side: _largest(found.attribution[side], cells) for side in sides}
        jobs = [(key, chosen[key[1]][found.layers.index(key[0])]) for key in self._keys(sides)]
        total = sum(int(row.sum()) + 1 for _, row in jobs) + len(self.clip) + 1
        done = 0
        t = len(self.clip)
        exact = {side: np.full_like(found.attribution[side], np.nan) for side in sides}
        whole = {side: np.zeros(len(found.layers)) for side in sides}
        for (layer, side), row in jobs:
            at = found.layers.index(layer)
            frames = np.flatnonzero(row)
            masks = torch.zeros(len(frames) + 1, t, dtype=torch.bool)
            masks[torch.arange(len(frames)), torch.from_numpy(frames)] = True
            masks[-1] = True
            if found.moves:
                values = self._values(self.logits((layer, side), masks))
                effects = self._effects(values - found.before, ends)
            else:
                effects = np.zeros(len(masks))
            exact[side][at, frames], whole[side][at] = effects[:-1], effects[-1]
            done += len(masks)
            if progress is not None:
                progress(done, total)
        inputs = self._inputs(found)
        if progress is not None:
            progress(total, total)
        return Patching(
            found.card,
            found.target,
            found.align,
            found.donor_name,
            found.frame_indices,
            found.layers,
            *ends,
            found.attribution,
            exact,
            whole,
            inputs[:-1],
            float(inputs[-1]),
            self.passes,
            found.drawn,
        )

    def _values(self, logits: Tensor) -> np.ndarray:
        assert self.target is not None
        return self.target.value(logits).double().cpu().numpy()

    def _inputs(self, found: Patching) -> np.ndarray:
        """(T + 1,): the effects of each input frame, and of all."""
        t = len(self.clip)
        if not found.moves:
            return np.zeros(t + 1)
        masks = torch.cat([torch.eye(t, dtype=torch.bool), torch.ones(1, t, dtype=torch.bool)])
        chosen = masks.to(self.device)[:, :, None, None, None]
        clips = torch.where(chosen, self._donor_frames(self.other)[None], self.clip[None])
        values = np.concatenate(
            [self._values(self._pass(part)) for part in clips.split(self._at_once())]
        )
        return self._effects(values - found.before, (found.before, found.donor))

    def _at_once(self) -> int:
        return max(1, MAX_FRAMES_A_PASS // len(self.clip))

    def _pass(self, clips: Tensor) -> Tensor:
        with device_turn(self.device), torch.no_grad():
            self.passes += len(clips)
            return self.model(clips)

    def logits(self, key: Key, masks: Tensor) -> Tensor:
        """(N, K): the clip with the donor's features at ``key`` and the frames of ``masks`` (N,
        T).
        """
        layer, side = key
        if layer not in self.places.layers or not self.places.has(layer, side):
            raise ValueError(
                f"{self.model.card.name} has nothing called {side!r} at {layer!r}; layers are"
                f" {', '.join(self.places.layers)}"
            )
        with device_turn(self.device):
            donor = record(self.model, self.other, self.places, [key]).values[key]
            own = None
            if side in ("moved", "kept"):
                own = record(self.model, self.clip, self.places, [key]).values[key]
        self.passes += 1 + (own is not None)
        donor = self._donor_frames(donor)
        found = []
        for part in masks.to(self.device).split(self._at_once()):
            with patched(self.places, key, own, donor, part):
                found.append(self._pass(self.clip.expand(len(part), *self.clip.shape)))
        return torch.cat(found)


def _largest(estimates: np.ndarray, cells: int | None) -> np.ndarray:
    """(L, T) bool: the ``cells`` of the largest estimates, ``None`` for all."""
    if cells is None or cells >= estimates.size:
        return np.ones(estimates.shape, bool)
    chosen = np.zeros(estimates.size, bool)
    chosen[np.argsort(-np.abs(estimates).ravel(), kind="stable")[:cells]] = True
    return chosen.reshape(estimates.shape)
