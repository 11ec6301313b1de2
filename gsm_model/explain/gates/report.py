"""What the temporal modules do with one clip: their gates, and how much of every frame they move
where.

By the module's own arithmetic (paper, equations 2 to 5) the output at t is (1 − g(t))·x(t) + g(t ±
1)·x(t ± 1): a gate of 0 leaves a feature, +1 swaps in the neighbour's, +½ averages the two, −1
takes a difference (doubles its own and subtracts the neighbour's).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from gsm_model.models.card import Card
from gsm_model.models.recognizer import Recognizer, TemporalLayer, watch_features, watch_routes
from gsm_model.predict import Prediction, predict
from gsm_model.video.isolate import DecodedVideo
from gsm_model.video.sampling import Order

# The second axis of every gate: half 0 comes from t + 1, half 1 from t − 1.
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
class LayerGates:
    """What one temporal layer did with one clip of T frames.

    ``gate`` (T, 2, h, w) float32 in [−1, 1], second axis `DIRECTIONS`; a fixed shift's gate is 1,
    where there is no module it is 0. ``energy`` (T, 2, h, w) float32 ≥ 0 is the sum of squares,
    over the channels that each gate rules, of the features that meet it; ``untouched`` (T,) that of
    the channels no gate rules, over all places. ``channels`` is the share of the channels that each
    gate rules: ½ in a GSM, ⅛ in a TSM. ``reach`` is how many frames back and ahead of an output
    frame the input of the *network* can matter at this layer.
    """

    name: str
    title: str
    gate: np.ndarray
    energy: np.ndarray
    untouched: np.ndarray
    channels: float
    reach: tuple[int, int]

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

    def parts(self) -> dict[str, np.ndarray]:
        """The energy of every part, float64: ``own``, ``arrives``, ``lost`` (T, 2) and
        ``untouched`` (T,).

        ``arrives`` stands at the frame that receives, ``lost`` at the frame that the clip's end
        takes it from.
        """
        return energy_parts(self.gate, self.energy) | {
            "untouched": self.untouched.astype(np.float64)
        }

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
class GateReport:
    """One model's answer to one clip, and what each of its temporal layers did meanwhile, in
    network order.
    """

    prediction: Prediction
    layers: tuple[LayerGates, ...]

    @property
    def card(self) -> Card:
        return self.prediction.card


@dataclass
class Routed:
    """What one layer did in the last forward pass, tensors of the model's device: ``gate`` and
    ``energy`` (N, T, 2, h, w), ``untouched`` (N, T).
    """

    gate: Tensor
    energy: Tensor
    untouched: Tensor


@contextmanager
def record_routing(model: Recognizer) -> Iterator[dict[str, Routed]]:
    """Collect what ``model``'s temporal layers do: layer name → `Routed`, one entry a site, in
    network order.

    Each forward inside the block replaces what the one before recorded. Only forwards of this
    thread are seen, and nothing is left on the model, also after an error.
    """
    layers = model.temporal_layers()
    by_module = {layer.module: layer.name for layer in layers if layer.module is not None}
    by_site = {(layer.host, layer.conv): layer.name for layer in layers if layer.module is None}
    found: dict[str, Routed] = {}

    def see_route(module: nn.Module, x: Tensor, gate: Tensor) -> None:
        if module in by_module:
            halves = module.gated_channels(x.shape[2])
            energy = torch.stack([_energy(x[:, :, half]) for half in halves], dim=2)
            found[by_module[module]] = Routed(
                gate.detach(), energy, _energy(x[:, :, halves[1].stop :]).sum((2, 3))
            )

    def see_features(host: nn.Module, conv: str, features: Tensor) -> None:
        if (host, conv) in by_site:
            still = features.new_zeros(*features.shape[:2], 2, *features.shape[3:])
            found[by_site[host, conv]] = Routed(still, still, _energy(features).sum((2, 3)))

    with watch_routes(see_route), watch_features(see_features):
        yield found


def _energy(x: Tensor) -> Tensor:
    """The sum of squares over the channels: (N, T, C, H, W) → (N, T, H, W) float32."""
    return torch.linalg.vector_norm(x.detach().float(), dim=2).square()


def report_gates(
    model: Recognizer,
    video: DecodedVideo,
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
) -> GateReport:
    """``model``'s answer to ``video`` and the gates that it comes about by, from one forward pass.
    Arguments and errors as `predict`.
    """
    with record_routing(model) as found:
        prediction = predict(model, video, order, num_segments, seed)
    return GateReport(prediction, layer_gates(model, found))


def layer_gates(
    model: Recognizer, found: dict[str, Routed], clip: int = 0
) -> tuple[LayerGates, ...]:
    """What `record_routing` collected of one ``clip`` of the batch, in network order."""
    return _of_clip(_described(model), found, clip)


def gates_of_batch(model: Recognizer, found: dict[str, Routed]) -> Iterator[tuple[LayerGates, ...]]:
    """`layer_gates` of every clip of the batch; what the weights alone say is looked up once."""
    described = _described(model)
    for clip in range(len(next(iter(found.values())).untouched)):
        yield _of_clip(described, found, clip)


def _described(model: Recognizer) -> list[tuple[TemporalLayer, float, tuple[int, int]]]:
    """Each layer with the share of channels that a gate rules, and how far back and ahead the
    layers up to it reach.
    """
    back, ahead, described = 0, 0, []
    for layer in model.temporal_layers():
        if layer.module is not None:
            back, ahead = (
                far + more for far, more in zip((back, ahead), layer.module.reach(), strict=True)
            )
        described.append((layer, _gated_share(layer), (back, ahead)))
    return described


def _of_clip(
    described: list[tuple[TemporalLayer, float, tuple[int, int]]],
    found: dict[str, Routed],
    clip: int,
) -> tuple[LayerGates, ...]:
    layers = []
    for layer, channels, reach in described:
        routed = found[layer.name]
        gate, energy, untouched = (
            part[clip].float().cpu().numpy()
            for part in (routed.gate, routed.energy, routed.untouched)
        )
        back, ahead = (min(far, len(untouched) - 1) for far in reach)
        layers.append(
            LayerGates(layer.name, layer.title, gate, energy, untouched, channels, (back, ahead))
        )
    return tuple(layers)


def _gated_share(layer: TemporalLayer) -> float:
    if layer.module is None:
        return 0.0
    of = 64  # any number that every rule divides
    half = layer.module.gated_channels(of)[0]
    return (half.stop - half.start) / of


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


def motion_focus(layer: LayerGates, frames: np.ndarray) -> float:
    """How much more a layer moves where the picture changes than elsewhere: 1 is the same
    everywhere, 4 only there, 0 not there.

    The energy that leaves its frame (g²·e) in the quarter of the places where ``frames`` (T, S, S,
    3) uint8, as the model saw them, change most from one to the next, over a quarter of all that
    leaves; 1 where nothing does.
    """
    t, _, h, w = layer.gate.shape
    if t < 2:
        return 1.0
    changes = np.abs(np.diff(frames.astype(np.float32), axis=0)).mean(-1)
    beside = np.maximum(
        np.pad(changes, ((0, 1), (0, 0), (0, 0))), np.pad(changes, ((1, 0), (0, 0), (0, 0)))
    )
    on_grid = np.stack(
        [np.asarray(Image.fromarray(one).resize((w, h), Image.Resampling.BOX)) for one in beside]
    ).ravel()
    leaving = (layer.gate.astype(np.float64) ** 2 * layer.energy).sum(1).ravel()
    if leaving.sum() == 0:
        return 1.0
    most = np.argsort(-on_grid, kind="stable")[: max(1, len(on_grid) // 4)]
    return float(leaving[most].sum() / leaving.sum() * len(on_grid) / len(most))
