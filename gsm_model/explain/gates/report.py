"""What the temporal modules do with one clip: their gates, and how much of every frame they move
where.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gsm_model.explain.gates.layers import LayerContributions, LayerExchange, LayerGates
from gsm_model.explain.gates.readings import (
    ClipReadings,
    clip_readings,
    record_clip_readings,
)
from gsm_model.models.card import Card
from gsm_model.models.observers import observe_features, observe_operators, observe_readings
from gsm_model.models.recognizer import Recognizer, TemporalLayer, require_frames
from gsm_model.models.temporal import GatedModule, TemporalModule
from gsm_model.predict import Prediction, predict
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order


@dataclass(frozen=True)
class GateReport:
    """One model's answer to one clip, and what each of its temporal layers did meanwhile, in
    network order. ``readings`` is what they show of the clip in addition, where they do.
    """

    prediction: Prediction
    layers: tuple[LayerExchange, ...]
    readings: tuple[ClipReadings, ...] = ()

    @property
    def card(self) -> Card:
        return self.prediction.card

    @property
    def is_gated(self) -> bool:
        """Whether all layers are gated, or blocks without a module, so that they have gates."""
        return all(layer.is_gated for layer in self.layers)


@dataclass
class Routed:
    """What one gated layer did in the last forward pass, tensors of the model's device: ``gate``
    and ``energy`` (N, T, 2, h, w), ``untouched`` (N, T), ``crossing`` (N, T) or ``None``; ``owed``
    where the gates alone do not say what comes from which frame.
    """

    gate: Tensor
    energy: Tensor
    untouched: Tensor
    crossing: Tensor | None = None
    owed: Contributed | None = None

    def of_clip(self, clip: int, layer: _Described) -> LayerGates:
        """Those of one clip of the batch, on the CPU."""
        gate, energy, untouched = (
            part[clip].float().cpu().numpy() for part in (self.gate, self.energy, self.untouched)
        )
        crossing = None if self.crossing is None else self.crossing[clip].float().cpu().numpy()
        return LayerGates(
            layer.layer.name,
            layer.layer.title,
            layer.within(len(untouched)),
            crossing,
            gate,
            energy,
            untouched,
            layer.channels,
            None if self.owed is None else self.owed.of_clip(clip, layer),
        )


@dataclass
class Contributed:
    """What one layer without gates did in the last forward pass: ``own`` (N, T, h, w), ``arriving``
    (N, T, 2, h, w), ``crossing`` (N, T) or ``None``.
    """

    own: Tensor
    arriving: Tensor
    crossing: Tensor | None = None

    def of_clip(self, clip: int, layer: _Described) -> LayerContributions:
        """Those of one clip of the batch, on the CPU."""
        own, arriving = (part[clip].float().cpu().numpy() for part in (self.own, self.arriving))
        crossing = None if self.crossing is None else self.crossing[clip].float().cpu().numpy()
        title, reach = layer.layer.title, layer.within(len(own))
        return LayerContributions(layer.layer.name, title, reach, crossing, own, arriving)


@dataclass(frozen=True)
class _Described:
    """What the weights alone say of a layer: the share of channels that a gate rules, and how many
    frames back and ahead the layers up to it reach.
    """

    layer: TemporalLayer
    channels: float
    reach: tuple[int, int]

    def within(self, num_frames: int) -> tuple[int, int]:
        """The reach within a clip."""
        back, ahead = (min(far, num_frames - 1) for far in self.reach)
        return back, ahead


Recorded = Routed | Contributed


@contextmanager
def record_routing(model: Recognizer, crossing: bool = False) -> Iterator[dict[str, Recorded]]:
    """Collect what ``model``'s temporal layers do: layer name → `Routed` or `Contributed`, in
    network order; with ``crossing`` also how much of the output crosses time.

    Each forward inside the block replaces what the one before recorded. Only forwards of this
    thread are seen, and nothing is left on the model, also after an error.
    """
    require_frames(model, "gates, or an exchange between frames of its own")
    layers = model.temporal_layers()
    by_module = {layer.module: layer.name for layer in layers if layer.module is not None}
    by_site: dict[tuple[nn.Module, str], str] = {
        (layer.host, layer.conv): layer.name for layer in layers if layer.module is None
    }
    # Beside modules without gates a fixed shift is shown as they are, by what arrives.
    mixed = any(not isinstance(module, GatedModule) for module in by_module)
    found: dict[str, Recorded] = {}
    gates: dict[nn.Module, Tensor] = {}

    def see_reading(module: nn.Module, name: str, value: Tensor) -> None:
        if name == "gate":
            gates[module] = value.detach()

    def see_operator(module: TemporalModule, x: Tensor, out: Tensor) -> Tensor:
        if module not in by_module:
            return out
        with torch.no_grad():
            if isinstance(module, GatedModule) and (module.is_learnt or not mixed):
                routed = _routed(module, module.own_input(x), gates.pop(module))
                routed.owed = None if module.is_pure_shift else _contributed(module, x)
                what: Recorded = routed
            else:
                what = _contributed(module, x)
            if crossing:
                what.crossing = _crossing(module, x, out)
        found[by_module[module]] = what
        return out

    def see_features(host: nn.Module, conv: str, features: Tensor) -> None:
        if (host, conv) in by_site:
            still = features.new_zeros(*features.shape[:2], 2, *features.shape[3:])
            nothing = features.new_zeros(features.shape[:2]) if crossing else None
            whole = _energy(features).sum((2, 3))
            found[by_site[host, conv]] = Routed(still, still, whole, nothing)

    with (
        observe_readings(see_reading),
        observe_operators(see_operator),
        observe_features(see_features),
    ):
        yield found


def _routed(module: GatedModule, x: Tensor, gate: Tensor) -> Routed:
    halves = module.gated_channels(x.shape[2])
    energy = torch.stack([_energy(x[:, :, half]) for half in halves], dim=2)
    return Routed(gate, energy, _energy(x[:, :, halves[1].stop :]).sum((2, 3)))


def _contributed(module: TemporalModule, x: Tensor) -> Contributed:
    own: Tensor | None = None
    arriving: Tensor | None = None
    for distance, frames, parts in module.contributions(x):
        energy = _energy(parts)
        if own is None or arriving is None:
            own = energy.new_zeros(*x.shape[:2], *energy.shape[2:])
            arriving = energy.new_zeros(*x.shape[:2], 2, *energy.shape[2:])
        if distance == 0:
            own[:, frames] += energy
        else:
            arriving[:, frames, 0 if distance > 0 else 1] += energy
    assert own is not None and arriving is not None  # a frame contributes to itself at least
    return Contributed(own, arriving)


def _crossing(module: TemporalModule, x: Tensor, out: Tensor) -> Tensor:
    """‖f(x) − alone(x)‖² / ‖f(x)‖² by frame, (N, T)."""
    own = module.own_output(out)
    difference = own - module.own_output(module.alone(x))
    whole = _energy(own).sum((2, 3))
    return _energy(difference).sum((2, 3)) / whole.clamp_min(torch.finfo(torch.float32).tiny)


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
    """``model``'s answer to ``video`` and what its temporal layers did meanwhile, from one forward
    pass. Arguments and errors as `predict`.
    """
    with record_routing(model, crossing=True) as found, record_clip_readings(model) as read:
        prediction = predict(model, video, order, num_segments, seed)
    return GateReport(prediction, layer_gates(model, found), clip_readings(model, read))


def layer_gates(
    model: Recognizer, found: dict[str, Recorded], clip: int = 0
) -> tuple[LayerExchange, ...]:
    """What `record_routing` collected of one ``clip`` of the batch, in network order."""
    return tuple(found[one.layer.name].of_clip(clip, one) for one in _described(model))


def gates_of_batch(
    model: Recognizer, found: dict[str, Recorded]
) -> Iterator[tuple[LayerExchange, ...]]:
    """`layer_gates` of every clip of the batch; what the weights alone say is looked up once."""
    described = _described(model)
    first = next(iter(found.values()))
    clips = len(first.untouched if isinstance(first, Routed) else first.own)
    for clip in range(clips):
        yield tuple(found[one.layer.name].of_clip(clip, one) for one in described)


def _described(model: Recognizer) -> list[_Described]:
    back, ahead, described = 0, 0, []
    for layer in model.temporal_layers():
        if layer.module is not None:
            more_back, more_ahead = layer.module.reach()
            back += more_back
            ahead += more_ahead
        described.append(_Described(layer, _gated_share(layer), (back, ahead)))
    return described


def _gated_share(layer: TemporalLayer) -> float:
    if not isinstance(layer.module, GatedModule):
        return 0.0
    of = 64  # any number that every rule divides
    half = layer.module.gated_channels(of)[1]  # of as many channels as the other, if that has any
    return (half.stop - half.start) / of
