"""Scoring attributions against what is known of a clip."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gsm_model.benchmark.attribution.clips import KnownClip, frames_with_action, known_clip
from gsm_model.data.synthetic.dataset import Split
from gsm_model.evaluation.dataset import drawn_origin, require_still_frames
from gsm_model.evaluation.intervals import measure_mean, measure_share
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.pointing import cell_weights
from gsm_model.explain.cam.sanity import rank_correlation
from gsm_model.models.card import Measure
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import Provenance

# A model, a clip (T, 3, S, S) float32 as the model takes it, and what is asked for → a map
# (T, h, w) of any size: what speaks for the target is positive.
Attribution = Callable[[Recognizer, Tensor, Target], np.ndarray]


@dataclass(frozen=True)
class MapScore:
    """One attribution on one clip. ``when``: the share of the map's positive values that is in the
    frames which show the action; ``where``: the share of these that is on what moves (both NaN for
    a map without positive values). ``further``: whether the map of the class sums to more than
    that of its time reversal; ``same``: whether the two maps are one and the same;
    ``correlation``: Spearman's of the two.
    """

    where: float
    when: float
    further: bool
    same: bool
    correlation: float


@dataclass(frozen=True)
class AttributionRow:
    """What `score_attributions` found of one attribution: means over clips with Student's, shares
    with Wilson's 95 % interval. ``where`` and ``when`` are over the clips on which the map has
    positive values, ``None`` if on none. ``same``: the share of clips on which class and reversal
    have one map; ``correlation``: the mean of the two maps'. ``cost``: the median time of a map
    over that of a forward pass of the clip.
    """

    method: str
    where: Measure | None
    when: Measure | None
    which_way: Measure
    same: float
    correlation: float
    cost: float


@dataclass(frozen=True)
class AttributionTable:
    """Attributions of one model on n clips. ``origin`` is what they are of, ``frames`` T and
    ``shown`` the frames of these that show the action; ``area`` the share of those that moves,
    which is what a map without knowledge reaches as *where*, as ``shown`` / T is as *when*.
    ``model``: how often its own answer on these clips is the class, either class of the pair, and
    how often the class scores above its reversal, which is what *which way* can reach.
    """

    origin: Provenance
    n: int
    frames: int
    shown: int
    area: Measure
    model: tuple[Measure, ...]
    rows: tuple[AttributionRow, ...]


def score_map(clip: KnownClip, own: np.ndarray, other: np.ndarray) -> MapScore:
    """The map ``own`` (T, h, w) of the clip's class, and ``other`` of its time reversal, against
    what is known of ``clip``; maps are laid over the frames bilinearly.

    Raises:
        ValueError: if a map is not (T, h, w) with a finite value everywhere.
    """
    for one in (own, other):
        if one.ndim != 3 or len(one) != len(clip.window) or not np.isfinite(one).all():
            raise ValueError(
                f"{clip.name}: a map has to be ({len(clip.window)}, h, w) and finite everywhere,"
                f" got {one.shape} with {int((~np.isfinite(one)).sum())} values that are not"
            )
    positive = np.maximum(own, 0).astype(np.float64)
    # (2, T): what of each frame's map is beside and on what moves.
    mass = (positive * cell_weights(clip.moving.astype(int), 2, *own.shape[1:])).sum((2, 3))
    there = mass[:, clip.window]
    return MapScore(
        where=float(there[1].sum() / there.sum()) if there.any() else float("nan"),
        when=float(there.sum() / mass.sum()) if mass.any() else float("nan"),
        further=float(own.sum(dtype=np.float64)) > float(other.sum(dtype=np.float64)),
        same=bool(np.array_equal(own, other)),
        correlation=rank_correlation(own, other),
    )


def score_attributions(
    model: Recognizer,
    methods: Mapping[str, Attribution],
    count: int = 60,
    split: Split = "test",
    progress: Callable[[int, int], None] | None = None,
) -> AttributionTable:
    """Score ``methods``, by name, for ``model`` on the first ``count`` clips of a drawn split, in
    each of which the action takes up some of the frames alone (`known_clip`).

    Each is asked for a map of the true class and for one of its time reversal.

    Raises:
        DataError: if the model's classes are not those of the drawn set, or it sees motion.
        ValueError: for a map that is none, or no clip.
    """
    require_still_frames(model, "the known-answer test")
    origin = drawn_origin(model, split, count)
    clips = (known_clip(model, split, index) for index in range(count))
    scores: dict[str, list[MapScore]] = {name: [] for name in methods}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    forwards, answers, areas = [], [], []
    for number, clip in enumerate(clips):
        _logits(model, clip)  # the first after drawing is slower, and not what is compared with
        logits, taken = _timed(lambda clip=clip: _logits(model, clip))  # type: ignore[misc]
        forwards.append(taken)
        answers.append(_right(logits, clip))
        areas.append(float(clip.moving[clip.window].mean()))
        for name, method in methods.items():
            view, target = clip.views[0], Target(clip.label)
            own, taken = _timed(lambda m=method, v=view, t=target: m(model, v, t))  # type: ignore[misc]
            seconds[name].append(taken)
            other = method(model, view, Target(clip.reverse))
            try:
                scores[name].append(score_map(clip, own, other))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        if progress is not None:
            progress(number + 1, count)
    t, forward = model.architecture.num_segments, float(np.median(forwards))
    rows = tuple(
        _row(name, scores[name], float(np.median(seconds[name])) / forward, origin.data)
        for name in methods
    )
    own_answers = zip(("top-1", "pair", "within pair"), np.array(answers).T, strict=True)
    return AttributionTable(
        origin,
        count,
        t,
        frames_with_action(t),
        measure_mean("area", np.array(areas), origin.data),
        tuple(measure_share(name, int(hit.sum()), count, origin.data) for name, hit in own_answers),
        rows,
    )


def _timed(do: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    started = time.perf_counter()
    found = do()
    return found, time.perf_counter() - started


def _logits(model: Recognizer, clip: KnownClip) -> np.ndarray:
    device = next(model.parameters()).device
    with torch.inference_mode():
        return model(clip.views.to(device))[0].float().cpu().numpy()


def _right(logits: np.ndarray, clip: KnownClip) -> tuple[bool, bool, bool]:
    answer = int(logits.argmax())
    own, other = logits[clip.label], logits[clip.reverse]
    return answer == clip.label, answer in (clip.label, clip.reverse), bool(own > other)


def _row(name: str, scores: Iterable[MapScore], cost: float, data: str) -> AttributionRow:
    found = list(scores)

    def mean(what: str) -> Measure | None:
        values = np.array([getattr(one, what) for one in found])
        values = values[np.isfinite(values)]
        return measure_mean(what, values, data) if len(values) else None

    further = sum(one.further for one in found)
    return AttributionRow(
        name,
        mean("where"),
        mean("when"),
        measure_share("which way", further, len(found), data),
        float(np.mean([one.same for one in found])),
        float(np.mean([one.correlation for one in found])),
        cost,
    )
