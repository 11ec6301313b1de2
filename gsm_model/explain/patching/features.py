"""Features of one run: recorded, with their gradients where asked, and put in the place of another
run's, frame by frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from gsm_model.models.observers import observe_gates, observe_operators, observe_points
from gsm_model.models.recognizer import Recognizer, require_frames
from gsm_model.models.temporal import GatedModule, TemporalModule

# What is copied at a layer: the features that enter or leave its temporal operator, or its block's
# output; of a gated operator its gate, and what its output owes to other frames or to its own.
Side = Literal["before", "after", "output", "gate", "moved", "kept"]
SIDES: tuple[Side, ...] = get_args(Side)
GATED_SIDES: tuple[Side, ...] = ("gate", "moved", "kept")
Key = tuple[str, Side]  # a layer's title, and what of it


@dataclass(frozen=True)
class Places:
    """Where ``layers`` (L titles, in network order) are in a model: their points, and the gated
    module of each that has one.
    """

    layers: tuple[str, ...]
    points: dict[tuple[nn.Module, str], Key]
    gated: dict[nn.Module, str]

    @property
    def sides(self) -> tuple[Side, ...]:
        """What can be copied: gates and their parts only where there are some."""
        return SIDES if self.gated else SIDES[: -len(GATED_SIDES)]

    def has(self, layer: str, side: Side) -> bool:
        """Whether there is something to copy."""
        return side not in GATED_SIDES or layer in self.gated.values()


def places_of(model: Recognizer) -> Places:
    """Every block where a temporal module stands or could stand."""
    require_frames(model, "features of single frames to copy")
    points = model.feature_points()
    titles = [site.title for site in model.base_model.sites()]
    layers = tuple(name for name in points if name in titles)
    where: dict[tuple[nn.Module, str], Key] = {}
    for layer in layers:
        where[points[f"{layer}:before"]] = (layer, "before")
        where[points[f"{layer}:after"]] = (layer, "after")
        where[points[layer]] = (layer, "output")
    gated: dict[nn.Module, str] = {
        layer.module: layer.title
        for layer in model.temporal_layers()
        if isinstance(layer.module, GatedModule) and layer.title in layers
    }
    return Places(layers, where, gated)


@dataclass
class Run:
    """What one pass of one clip of T frames showed: ``values`` by layer and side, (T, C, h, w), of
    a gate (1, T, 2, h, w).
    """

    logits: Tensor
    values: dict[Key, Tensor] = field(default_factory=dict)


def record(model: Recognizer, clip: Tensor, places: Places, keys: Sequence[Key]) -> Run:
    """One pass of ``clip`` (T, 3, S, S), without gradients, and its features at ``keys``."""
    with torch.no_grad():
        run = _run(model, clip, places, set(keys))
    run.values = {key: value.detach() for key, value in run.values.items()}
    return run


def record_with_gradients(
    model: Recognizer, clip: Tensor, places: Places
) -> tuple[Run, dict[Key, Tensor]]:
    """One pass with its graph: all features, and those of them that a gradient is wanted of, which
    is of a moved or kept part that of the features behind the operator.
    """
    keys = {(layer, side) for layer in places.layers for side in places.sides}
    with torch.enable_grad():
        run = _run(model, clip.clone().requires_grad_(), places, keys)
    wanted = {key: value for key, value in run.values.items() if key[1] not in ("moved", "kept")}
    return run, wanted


def _run(model: Recognizer, clip: Tensor, places: Places, keys: set[Key]) -> Run:
    values: dict[Key, Tensor] = {}

    def see_point(host: nn.Module, point: str, x: Tensor) -> Tensor:
        key = places.points.get((host, point))
        if key not in keys or key is None:
            return x
        values[key] = x
        return x.clone()  # what follows may overwrite its input

    def see_gate(module: nn.Module, gate: Tensor) -> Tensor:
        layer = places.gated.get(module)
        if layer is None or (layer, "gate") not in keys:
            return gate
        if torch.is_grad_enabled() and not gate.requires_grad:  # a fixed shift's
            gate = gate.detach().clone().requires_grad_()
        values[layer, "gate"] = gate
        return gate

    def see_operator(module: TemporalModule, x: Tensor, out: Tensor) -> Tensor:
        layer = places.gated.get(module)
        if layer is not None and ((layer, "moved") in keys or (layer, "kept") in keys):
            with torch.no_grad():
                values[layer, "moved"], values[layer, "kept"] = _parts(module, x.detach())
        return out

    sees_gates = any(side == "gate" for _, side in keys)
    with observe_points(see_point), observe_operators(see_operator), _if(sees_gates, see_gate):
        logits = model(clip[None])[0]
    return Run(logits, values)


def _parts(module: TemporalModule, x: Tensor) -> tuple[Tensor, Tensor]:
    """What the output for ``x`` (1, T, …) owes to other frames, and what to its own (T, …)."""
    moved = kept = None
    for distance, targets, part in module.contributions(x):
        if distance == 0:
            kept = part[0]
            continue
        moved = torch.zeros_like(x[0], dtype=part.dtype) if moved is None else moved
        moved[targets] += part[0]
    assert kept is not None
    return torch.zeros_like(kept) if moved is None else moved, kept


@contextmanager
def _if(wanted: bool, observer: object) -> Iterator[None]:
    if not wanted:
        yield
        return
    with observe_gates(observer):  # type: ignore[arg-type]
        yield


@contextmanager
def patched(
    places: Places, key: Key, recipient: Tensor | None, donor: Tensor, masks: Tensor
) -> Iterator[None]:
    """Let every pass of this thread inside the block run with ``donor`` (T, …) at ``key``: in clip
    n of the batch at the frames where ``masks`` (N, T) bool says so. ``recipient`` (T, …) is what a
    moved or kept part is without it.
    """
    layer, side = key
    chosen = masks[:, :, None, None, None]

    def at_point(host: nn.Module, point: str, x: Tensor) -> Tensor:
        if places.points.get((host, point)) != key:
            return x
        by_clip = x.unflatten(0, masks.shape)
        return torch.where(chosen, donor[None].to(x.dtype), by_clip).flatten(0, 1)

    def at_gate(module: nn.Module, gate: Tensor) -> Tensor:
        if places.gated.get(module) != layer:
            return gate
        return torch.where(chosen, donor.to(gate.dtype), gate)

    def at_operator(module: TemporalModule, x: Tensor, out: Tensor) -> Tensor:
        if places.gated.get(module) != layer or recipient is None:
            return out
        return out + chosen * (donor - recipient)[None].to(out.dtype)

    if side == "gate":
        with observe_gates(at_gate):
            yield
    elif side in ("moved", "kept"):
        with observe_operators(at_operator):
            yield
    else:
        with observe_points(at_point):
            yield
