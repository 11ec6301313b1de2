"""What one temporal layer does with one clip: how much of every frame comes from which other, and
for gated layers by which gates.

By a gated shift's own arithmetic (GSM paper, equations 2 to 5) the output at t is
(1 − g(t))·x(t) + g(t ± 1)·x(t ± 1): a gate of 0 leaves a feature, +1 swaps in the neighbour's,
+½ averages the two, −1 takes a difference (doubles its own and subtracts the neighbour's). For any
other layer the parts are what the output loses when a frame is blank
(`TemporalModule.contributions`), which for a gated shift comes to the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

# The second axis of every map: 0 comes from the frames after t, 1 from those before it.
DIRECTIONS = ("from the next frame", "from the previous frame")
REGIMES = ("difference", "leave", "average", "swap")
REGIME_EDGES = (-0.25, 0.25, 0.75)


@dataclass(frozen=True)
class Shares:
    """Where a layer's feature energy goes; the four add up to 1.

    Every output is a sum of parts, (1 − g)·x of its own frame and g·x of a neighbour. A part's
    energy is its sum of squares (what the parts have in common, the cross terms, is left out).
    ``stays`` is the share of own parts and of channels that no gate rules, ``next`` and
    ``previous`` of parts that arrive from that side, ``lost`` of parts that leave the clip at its
    end.
    """

    stays: float
    next: float
    previous: float
    lost: float

    @property
    def moves(self) -> float:
        """The share that arrives from another frame."""
        return self.next + self.previous


@dataclass(frozen=True)
class LayerExchange:
    """What one temporal layer did with one clip of T frames.

    ``name`` is the module's, ``title`` what people call it. ``reach`` is how many frames back and
    ahead of an output frame the input of the *network* can matter at this layer. ``crossing`` (T,)
    float32 ≥ 0 is what crosses time, f(x) − alone(x) (`TemporalModule.alone`), by frame: its sum of
    squares over that of the output; ``None`` where it was not asked for.
    """

    name: str
    title: str
    reach: tuple[int, int]
    crossing: np.ndarray | None

    # Whether `maps` are gates.
    is_gated = False

    @property
    def has_module(self) -> bool:
        """Whether a temporal module stands here, and not a block without any."""
        return True

    @property
    def maps(self) -> np.ndarray:
        """(T, 2, h, w) float32, second axis `DIRECTIONS`: what the viewer shows of the layer."""
        raise NotImplementedError

    def moving(self) -> np.ndarray:
        """(T, 2, h, w) float64 ≥ 0: the energy that moves, by place."""
        raise NotImplementedError

    def parts(self) -> dict[str, np.ndarray]:
        """The energy of every part, float64: ``own``, ``arrives``, ``lost`` (T, 2) and
        ``untouched`` (T,).

        ``arrives`` stands at the frame that receives, ``lost`` at the frame that the clip's end
        takes it from; ``own`` is what is left of features that could move, ``untouched`` what no
        gate rules.
        """
        raise NotImplementedError

    def shares(self) -> Shares:
        """Where the layer's energy goes, over all frames."""
        return shares_of(self.parts())

    def shares_by_frame(self) -> np.ndarray:
        """(T, 3) float64, rows add up to 1: what frame t's output is made of: own, from the next,
        from the previous frame.
        """
        parts = self.parts()
        made_of = np.column_stack([parts["own"].sum(1) + parts["untouched"], parts["arrives"]])
        return made_of / np.maximum(made_of.sum(1, keepdims=True), np.finfo(float).tiny)

    def arrows(self) -> np.ndarray:
        """(T, 2) float64 in 0 … 1: what frame t receives from each side, as a share of all the
        layer's energy.
        """
        parts = self.parts()
        return parts["arrives"] / max(_total(parts), np.finfo(float).tiny)


@dataclass(frozen=True)
class LayerGates(LayerExchange):
    """What one gated layer did, or a block without a module, which counts as gates of 0.

    ``gate`` (T, 2, h, w) float32 in [−1, 1], second axis `DIRECTIONS`; a fixed shift's gate is 1.
    ``energy`` (T, 2, h, w) float32 ≥ 0 is the sum of squares, over the channels that each gate
    rules, of the features that meet it; ``untouched`` (T,) that of the channels no gate rules, over
    all places. ``channels`` is the share of the channels that each gate rules: ½ in a GSM, ⅛ in a
    TSM, 0 in a block without a module. ``owed`` is what the output owes to which frame, where the
    gates alone do not say it (GSF).
    """

    gate: np.ndarray
    energy: np.ndarray
    untouched: np.ndarray
    channels: float
    owed: LayerContributions | None = None

    is_gated = True

    @property
    def has_module(self) -> bool:
        return self.channels > 0

    @property
    def maps(self) -> np.ndarray:
        return self.gate

    def own_weight(self) -> np.ndarray:
        """(T, 2) float64 in [0, 2]: the mean over places of 1 − g(t), the weight of the frame's own
        features.
        """
        return 1 - self.gate.mean((2, 3), dtype=np.float64)

    def neighbour_weight(self) -> np.ndarray:
        """(T, 2) float64 in [−1, 1]: the mean over places of g(t ± 1), the weight of the
        neighbour's; 0 where there is none.
        """
        return _arriving(self.gate.mean((2, 3), dtype=np.float64))

    def weighted_gate(self) -> np.ndarray:
        """(T, 2) float64 in [−1, 1]: the mean of g(t) over places, each weighted by its energy; 0
        for a frame without energy.
        """
        moved, whole = (
            (self.gate * self.energy).sum((2, 3), dtype=np.float64),
            self.energy.sum((2, 3), dtype=np.float64),
        )
        return np.divide(moved, whole, out=np.zeros_like(whole), where=whole > 0)

    def moving(self) -> np.ndarray:
        """(T, 2, h, w) float64: g²·e, the energy that leaves each place of each frame."""
        if self.owed is not None:
            return self.owed.moving()
        return self.gate.astype(np.float64) ** 2 * self.energy

    def parts(self) -> dict[str, np.ndarray]:
        if self.owed is not None:
            return self.owed.parts()
        found = energy_parts(self.gate, self.energy)
        return found | {"untouched": self.untouched.astype(np.float64)}


@dataclass(frozen=True)
class LayerContributions(LayerExchange):
    """What one layer without gates did.

    ``own`` (T, h, w) float32 ≥ 0 is the energy of what each place of each frame of the output owes
    to the same frame of the input, ``arriving`` (T, 2, h, w) of what it owes to later and to
    earlier frames.
    """

    own: np.ndarray
    arriving: np.ndarray

    @property
    def maps(self) -> np.ndarray:
        """The share of each place's energy that comes from later and from earlier frames, 0 … 1."""
        whole = self.own[:, None] + self.arriving.sum(1, keepdims=True)
        share = self.arriving / np.maximum(whole, np.finfo(np.float32).tiny)
        return share.astype(np.float32)

    def moving(self) -> np.ndarray:
        return self.arriving.astype(np.float64)

    def parts(self) -> dict[str, np.ndarray]:
        arrives = self.arriving.sum((2, 3), dtype=np.float64)
        nothing = np.zeros_like(arrives)
        own = self.own.sum((1, 2), dtype=np.float64)
        return {"own": nothing, "arrives": arrives, "lost": nothing, "untouched": own}


def energy_parts(gate: np.ndarray, energy: np.ndarray) -> dict[str, np.ndarray]:
    """The energy of every part of the outputs of clips: ``gate`` and ``energy`` (…, T, 2, h, w) →
    ``own``, ``arrives``, ``lost`` (…, T, 2) float64.

    A part's energy is (1 − g)²·e of its own frame and g²·e of a neighbour, summed over places.
    """
    gate, energy = gate.astype(np.float64), energy.astype(np.float64)
    leaving = (gate**2 * energy).sum((-2, -1))
    arrives = _arriving(leaving)
    lost = np.zeros_like(leaving)
    lost[..., 0, 0], lost[..., -1, 1] = leaving[..., 0, 0], leaving[..., -1, 1]
    return {"own": ((1 - gate) ** 2 * energy).sum((-2, -1)), "arrives": arrives, "lost": lost}


def _arriving(leaving: np.ndarray) -> np.ndarray:
    """What leaves each frame (…, T, 2), set down where it arrives: half 0 one frame earlier, half 1
    one frame later, 0 at the ends.
    """
    arrives = np.zeros_like(leaving)
    arrives[..., :-1, 0] = leaving[..., 1:, 0]
    arrives[..., 1:, 1] = leaving[..., :-1, 1]
    return arrives


def shares_of(parts: dict[str, np.ndarray]) -> Shares:
    """The shares of one clip's parts (`LayerGates.parts`); all stays where there is no energy."""
    total = _total(parts)
    if total == 0:
        return Shares(1.0, 0.0, 0.0, 0.0)
    from_next, from_previous = parts["arrives"].sum(0) / total
    lost = float(parts["lost"].sum() / total)
    return Shares(
        float((parts["own"].sum() + parts["untouched"].sum()) / total),
        float(from_next),
        float(from_previous),
        lost,
    )


def _total(parts: dict[str, np.ndarray]) -> float:
    return float(sum(part.sum() for part in parts.values()))


def regime_shares(gate: np.ndarray, edges: tuple[float, float, float] = REGIME_EDGES) -> np.ndarray:
    """Which share of the values of ``gate`` (any shape) does which of `REGIMES`: (4,) float64, adds
    up to 1.

    ``edges`` part them: below the first *difference*, then *leave*, *average*, and from the third
    on *swap*.

    Raises:
        ValueError: if the edges do not ascend or ``gate`` is empty.
    """
    if list(edges) != sorted(edges) or gate.size == 0:
        raise ValueError(
            f"edges must ascend and there must be gates, got {edges} and {gate.size} values"
        )
    counts = np.bincount(
        np.searchsorted(np.asarray(edges), gate.ravel(), side="right"), minlength=len(REGIMES)
    )
    return counts / gate.size


def motion_focus(layer: LayerExchange, frames: np.ndarray) -> float:
    """How much more a layer moves where the picture changes than elsewhere: 1 is the same
    everywhere, 4 only there, 0 not there.

    The energy that moves (`LayerExchange.moving`) in the quarter of the places where ``frames``
    (T, S, S, 3) uint8, as the model saw them, change most from one to the next, over a quarter of
    all that moves; 1 where nothing does.
    """
    t, _, h, w = layer.maps.shape
    if t < 2:
        return 1.0
    changes = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(-1)
    beside = np.maximum(
        np.pad(changes, ((0, 1), (0, 0), (0, 0))), np.pad(changes, ((1, 0), (0, 0), (0, 0)))
    )
    on_grid = np.stack(
        [np.asarray(Image.fromarray(one).resize((w, h), Image.Resampling.BOX)) for one in beside]
    ).ravel()
    leaving = layer.moving().sum(1).ravel()
    if leaving.sum() == 0:
        return 1.0
    most = np.argsort(-on_grid, kind="stable")[: max(1, len(on_grid) // 4)]
    return float(leaving[most].sum() / leaving.sum() * len(on_grid) / len(most))
