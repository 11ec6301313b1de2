"""Is a map to be believed? What becomes of the answer when what it marks is taken away, against
maps that know nothing of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import Tensor

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.imputation import filled_in
from gsm_model.explain.cam.methods import MAX_FRAMES_A_PASS
from gsm_model.explain.cam.scale import upsampled
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.recognizer import Recognizer

STEPS = 16  # levels of a deletion or insertion curve after the first
RANDOM_MAPS = 5
ROAD_SHARES = (0.25, 0.5, 0.75)
ROAD_PIXELS = (
    96  # a side: filling in larger pictures takes minutes, and what is filled in is smooth
)
BLUR = 0.12  # of the side of the picture: what is left of a place that is taken away
OURS, RANDOM, CENTRE, CHANGE = "this map", "random maps", "centre", "change between frames"


@dataclass(frozen=True)
class Curves:
    """One map's curves. ``shares`` (s,) of the clip's places and frames, 0 … 1; ``deletion`` and
    ``insertion`` (s,): the probability of the target when that share, most important first, is
    blurred, or is all that is not blurred. ``road``: how much more the target's probability falls
    when the most important places are filled in from their neighbours than when the least important
    are, halved, −½ … ½; ``None`` where it was not computed.

    ``area`` = area under insertion less area under deletion, −1 … 1; higher is better.
    """

    name: str
    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    road: float | None

    @property
    def area(self) -> float:
        """Area under insertion less area under deletion."""
        return float(np.trapezoid(self.insertion - self.deletion, self.shares))


@dataclass(frozen=True)
class Trial:
    """A map and the maps that know nothing of the model, on one clip. ``random`` are several."""

    ours: Curves
    centre: Curves
    change: Curves
    random: tuple[Curves, ...]

    @property
    def passed(self) -> bool:
        """Whether the map's area is above that of every map that knows nothing of the model."""
        return self.ours.area > max(one.area for one in (self.centre, self.change, *self.random))

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest probability on any of the curves: where they are close,
        nothing can be told.
        """
        values = np.concatenate(
            [
                np.r_[one.deletion, one.insertion]
                for one in (self.ours, self.centre, self.change, *self.random)
            ]
        )
        return float(values.min()), float(values.max())

    def rows(self) -> list[dict]:
        """A row a map: name, area, areas under deletion and insertion, ROAD; random ones by their
        means.
        """
        named = [
            (OURS, [self.ours]),
            (RANDOM, self.random),
            (CENTRE, [self.centre]),
            (CHANGE, [self.change]),
        ]
        return [
            {
                "map": name,
                "area": float(np.mean([one.area for one in curves])),
                "deletion": float(
                    np.mean([np.trapezoid(one.deletion, one.shares) for one in curves])
                ),
                "insertion": float(
                    np.mean([np.trapezoid(one.insertion, one.shares) for one in curves])
                ),
                "road": curves[0].road,
            }
            for name, curves in named
        ]


def try_map(
    model: Recognizer,
    clip: Tensor,
    target: Target,
    maps: np.ndarray,
    road: bool = True,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Trial:
    """Try ``maps`` (T, h, w) of ``clip`` (T, 3, S, S), and beside it five random maps on the same
    grid, a blob in the centre, and the change from frame to frame.

    Places are taken away over space and time at once: the most important of all frames first, so
    that what goes are tubes through the clip. Sources: Petsiuk and others, *RISE*, 2018 (deletion,
    insertion); Rong and others, *ROAD*, 2022 (`filled_in`).
    """
    _, height, width = maps.shape
    others = [(OURS, maps), *blind_maps(clip, height, width, seed)]
    found = []
    for number, (name, one) in enumerate(others):
        # One random map stands for all of them in ROAD, which is slow.
        found.append(
            curves_of(
                model, clip, target, name, one, road and number <= len(others) - RANDOM_MAPS, seed
            )
        )
        if progress is not None:
            progress(number + 1, len(others))
    ours, centre, change, *rest = found
    return Trial(ours, centre, change, tuple(rest))


def blind_maps(clip: Tensor, h: int, w: int, seed: int = 0) -> list[tuple[str, np.ndarray]]:
    """Maps of ``clip`` (T, 3, S, S) that know nothing of a model, by name: the centre, the change
    between frames, then random ones (T, h, w).
    """
    rng, t = np.random.default_rng(seed), len(clip)
    random = [(RANDOM, rng.random((t, h, w))) for _ in range(RANDOM_MAPS)]
    return [(CENTRE, centre_blob(t, h, w)), (CHANGE, change_map(clip.cpu().numpy())), *random]


def centre_blob(t: int, h: int, w: int) -> np.ndarray:
    """(t, h, w): a Gaussian in the middle of every frame, a quarter of the side wide."""
    y, x = np.mgrid[:h, :w]
    blob = np.exp(-(((y - (h - 1) / 2) / (h / 4)) ** 2 + ((x - (w - 1) / 2) / (w / 4)) ** 2) / 2)
    return np.repeat(blob[None], t, 0)


def change_map(clip: np.ndarray) -> np.ndarray:
    """(T, 3, S, S) → (T, S, S): how much each place differs from the frames beside it, the mean
    over the planes and both neighbours.
    """
    step = np.abs(np.diff(clip, axis=0)).mean(1)
    if not len(step):
        return np.zeros((1, *clip.shape[2:]))
    return np.concatenate([step[:1], (step[1:] + step[:-1]) / 2, step[-1:]])


def probability(target: Target, logits: Tensor) -> Tensor:
    """(N, K) → (N,): the class's probability, or, for a contrast, the probability that the two
    would share out.
    """
    if target.versus is None:
        return logits.softmax(1)[:, target.index]
    return torch.sigmoid(target.value(logits))


def curves_of(
    model: Recognizer,
    clip: Tensor,
    target: Target,
    name: str,
    maps: np.ndarray,
    road: bool = False,
    seed: int = 0,
) -> Curves:
    """The curves of one of the maps of `try_map`."""
    importance = upsampled(maps, clip.shape[-1])
    order = _ranks(importance, seed)  # 0 for the most important place of the clip
    shares = np.linspace(0, 1, STEPS + 1)
    blurred = torch.from_numpy(
        gaussian_filter(clip.cpu().numpy(), (0, 0, *[BLUR * clip.shape[-1]] * 2))
    ).to(clip)
    taken = torch.from_numpy(order[None] < shares[:, None, None, None]).to(clip.device)[
        :, :, None
    ]  # (s, T, 1, S, S)
    deletion = _probabilities(model, target, (torch.where(one, blurred, clip) for one in taken))
    insertion = _probabilities(model, target, (torch.where(one, clip, blurred) for one in taken))
    found = _road(model, clip, target, order, seed) if road else None
    return Curves(name, shares, deletion, insertion, found)


def _ranks(importance: np.ndarray, seed: int) -> np.ndarray:
    """(T, S, S) → the share of all places that are more important than each, 0 … 1; equals are put
    in an order by chance.
    """
    flat = importance.ravel()
    order = np.lexsort((np.random.default_rng(seed).random(flat.size), -flat))
    ranks = np.empty(flat.size)
    ranks[order] = np.arange(flat.size) / flat.size
    return ranks.reshape(importance.shape)


def _probabilities(model: Recognizer, target: Target, clips: Iterable[Tensor]) -> np.ndarray:
    """(s,) float64: the target's probability for each of ``clips`` (T, 3, S, S), a few at a
    time.
    """
    device = next(model.parameters()).device
    found: list[np.ndarray] = []
    batch: list[Tensor] = []

    def run() -> None:
        with device_turn(device), torch.inference_mode():
            found.append(
                probability(target, model(torch.stack(batch).to(device))).double().cpu().numpy()
            )
        batch.clear()

    for clip in clips:
        batch.append(clip)
        if len(batch) * len(clip) >= MAX_FRAMES_A_PASS:
            run()
    if batch:
        run()
    return np.concatenate(found)


def _road(model: Recognizer, clip: Tensor, target: Target, order: np.ndarray, seed: int) -> float:
    """ROAD: (least important first − most important first) / 2, the mean over the shares."""
    frames = clip.cpu()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        filled = [
            torch.stack(
                [
                    _filled(frame, torch.from_numpy(keep))
                    for frame, keep in zip(frames, kept, strict=True)
                ]
            )
            for share in ROAD_SHARES
            for kept in (order >= share, order < 1 - share)
        ]
    values = _probabilities(model, target, filled).reshape(len(ROAD_SHARES), 2)
    return float((values[:, 1] - values[:, 0]).mean() / 2)


def _filled(frame: Tensor, keep: Tensor) -> Tensor:
    if keep.all():
        return frame
    if not keep.any():  # nothing to fill in from
        return frame.mean((1, 2), keepdim=True).expand_as(frame).clone()
    side = frame.shape[-1]
    if side <= ROAD_PIXELS:
        return filled_in(frame, keep)
    small = F.interpolate(frame[None], (ROAD_PIXELS, ROAD_PIXELS), mode="area")[0]
    known = F.interpolate(keep[None, None].float(), (ROAD_PIXELS, ROAD_PIXELS), mode="nearest")[
        0, 0
    ]
    if not known.any():
        return torch.where(keep, frame, frame.mean((1, 2), keepdim=True))
    filled = F.interpolate(filled_in(small, known.bool())[None], (side, side), mode="bilinear")[0]
    return torch.where(keep, frame, filled)
