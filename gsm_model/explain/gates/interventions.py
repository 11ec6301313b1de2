"""Experiments on gates: hold them at a value, at a mean, at another clip's, or shuffle them, and
see what the answer does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gsm_model.explain.gates.clamps import CLAMPS, NEEDS_VALUES, Clamp
from gsm_model.models.observers import observe_gates, observe_operators
from gsm_model.models.recognizer import Recognizer, require_frames
from gsm_model.models.temporal import GatedModule, TemporalModule
from gsm_model.predict import Prediction, predict
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order


@dataclass(frozen=True)
class Intervention:
    """What is done to which gates.

    ``layers`` names temporal layers, ``None`` for all it can act on; ``directions`` are indices
    into `DIRECTIONS`. ``seed`` picks a shuffle. ``values`` holds an array a layer: for *data mean*
    (2,), for *other clip* (T, 2, h, w), or (N, T, 2, h, w) to give each clip of a batch its own.
    """

    clamp: Clamp
    layers: tuple[str, ...] | None = None
    directions: tuple[int, ...] = (0, 1)
    seed: int = 0
    values: Mapping[str, np.ndarray | Tensor] | None = None


@dataclass(frozen=True)
class FrameOrder:
    """The frames of a clip in another order, or some of them more than once: ``positions`` are
    their places in the clip, in the order in which the model sees them.
    """

    positions: tuple[int, ...]


@contextmanager
def intervene(model: Recognizer, intervention: Intervention) -> Iterator[None]:
    """Let every forward of this thread inside the block run with ``intervention`` on ``model``'s
    gates.

    The gate that is held is the one computed from the features as they are, changed by the layers
    before. It is averaged and shuffled clip by clip. A fixed shift (TSM) counts as a gate of 1.
    *Closed* acts on every temporal module: nothing crosses time there (`TemporalModule.cut`).
    Nothing is left on the model, also after an error; blocks may be nested, the inner one acting on
    what the outer one made.

    Raises:
        ValueError: for an unknown clamp, direction or layer, or where ``values`` lacks a layer or
            has another shape.
    """
    gated, others = _chosen(model, intervention)
    change = _change(intervention)
    from_next, from_previous = (way in intervention.directions for way in (0, 1))

    def hold(module: nn.Module, gate: Tensor) -> Tensor:
        if module not in gated:
            return gate
        changed = change(gated[module], gate).to(gate).expand_as(gate)
        kept = torch.ones(2, dtype=torch.bool, device=gate.device)
        kept[list(intervention.directions)] = False
        return torch.where(kept.view(2, 1, 1), gate, changed)

    def cut(module: TemporalModule, x: Tensor, out: Tensor) -> Tensor:
        return module.cut(x, from_next, from_previous) if module in others else out

    with observe_gates(hold), observe_operators(cut):
        yield


def possible_clamps(model: Recognizer) -> tuple[Clamp, ...]:
    """The experiments that can act on ``model``: all where it has gates, *closed* where something
    else crosses time, none where nothing does.
    """
    modules = [layer.module for layer in model.temporal_layers() if layer.module is not None]
    if any(isinstance(module, GatedModule) for module in modules):
        return CLAMPS
    return ("closed",) if modules else ()


def _chosen(
    model: Recognizer, intervention: Intervention
) -> tuple[dict[nn.Module, str], dict[nn.Module, str]]:
    """The modules that are meant, by name: those that ``intervention`` acts on by their gates, and
    the others.
    """
    clamp, layers, directions = intervention.clamp, intervention.layers, intervention.directions
    if clamp not in CLAMPS or not directions or not set(directions) <= {0, 1}:
        raise ValueError(
            f"no clamp {clamp!r} of directions {directions}; clamps are {', '.join(CLAMPS)}"
        )
    require_frames(model, "a temporal module that could be changed")
    known = {layer.name: layer.module for layer in model.temporal_layers()}
    names = list(known) if layers is None else list(layers)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"{model.card.name} has no layer {unknown[0]!r}; it has {', '.join(known)}"
        )
    gated: dict[nn.Module, str] = {}
    others: dict[nn.Module, str] = {}
    for name in names:
        module = known[name]
        if module is not None:
            by_gates = isinstance(module, GatedModule) and (
                module.is_pure_shift or clamp != "closed"
            )
            (gated if by_gates else others)[module] = name
    if layers is None and gated and clamp != "closed":
        others = {}  # all means all that it can act on
    if others and clamp != "closed":
        raise ValueError(
            f"{model.card.name}: {next(iter(others.values()))!r} has no gates, so {clamp!r} cannot"
            " act on it; only 'closed' can"
        )
    if clamp in NEEDS_VALUES and (
        missing := [name for name in gated.values() if name not in (intervention.values or {})]
    ):
        raise ValueError(f"{clamp!r} needs values for {missing[0]!r}")
    return gated, others


def _change(intervention: Intervention) -> Callable[[str, Tensor], Tensor]:
    """The new gate, or one that broadcasts to it, as a function of a layer's name and its gate (N,
    T, 2, h, w).
    """
    constants = {"closed": 0.0, "open": 1.0, "negative": -1.0}
    axes = {"clip mean": (1, 3, 4), "spatial mean": (3, 4), "temporal mean": (1,)}
    clamp = intervention.clamp
    if clamp in constants:
        return lambda name, gate: torch.full_like(gate, constants[clamp])
    if clamp in axes:
        return lambda name, gate: gate.mean(axes[clamp], keepdim=True)
    if clamp in NEEDS_VALUES:
        values = intervention.values or {}
        return lambda name, gate: _given(name, gate, values[name])
    return lambda name, gate: _shuffled(gate, clamp == "shuffled in time", intervention.seed)


def _given(name: str, gate: Tensor, values: np.ndarray | Tensor) -> Tensor:
    held = torch.as_tensor(values, dtype=gate.dtype, device=gate.device)
    held = held.view(2, 1, 1) if held.ndim == 1 else held
    if held.shape not in (gate.shape, gate.shape[1:], (2, 1, 1)):
        raise ValueError(
            f"{name}: a gate of {tuple(gate.shape[1:])} cannot take values of {tuple(held.shape)}"
        )
    return held


def _shuffled(gate: Tensor, in_time: bool, seed: int) -> Tensor:
    """The same permutation for every clip, so that a batch gives what its clips give alone."""
    h, w = gate.shape[3:]
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(gate.shape[1] if in_time else h * w, generator=generator).to(gate.device)
    return gate[:, order] if in_time else gate.flatten(3)[..., order].view_as(gate)


def predict_under(
    model: Recognizer,
    video: DecodedVideo,
    interventions: Sequence[Intervention],
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Prediction]:
    """``model``'s answer to ``video`` under each of ``interventions``, one forward pass each. Other
    arguments and errors as `predict` and `intervene`.
    """
    answers = []
    for intervention in interventions:
        with intervene(model, intervention):
            answers.append(predict(model, video, order, num_segments, seed))
        if progress is not None:
            progress(len(answers), len(interventions))
    return answers


def every_clamp(
    values: Mapping[str, np.ndarray | Tensor] | None = None,
    seed: int = 0,
    clamps: Sequence[Clamp] = CLAMPS,
) -> dict[str, Intervention]:
    """Each of ``clamps`` (`possible_clamps` of a model) on all layers, by name; *data mean* only
    with its ``values``, and no other clip's gates.
    """
    plan: dict[str, Intervention] = {
        clamp: Intervention(clamp, seed=seed) for clamp in clamps if clamp not in NEEDS_VALUES
    }
    if values is not None and "data mean" in clamps:
        plan["data mean"] = Intervention("data mean", values=values)
    return plan


def every_layer(model: Recognizer) -> dict[str, Intervention]:
    """Which layer carries the order: each layer alone closed, each alone working, and closed up to
    it and from it on, by name.

    Layers without a temporal module are left out.
    """
    layers = [layer for layer in model.temporal_layers() if layer.module is not None]
    names, titles = [layer.name for layer in layers], [layer.title for layer in layers]
    plan: dict[str, Intervention] = {}
    for place, title in enumerate(titles):
        groups = {
            f"{title} alone closed": names[place : place + 1],
            f"{title} alone working": names[:place] + names[place + 1 :],
            f"closed up to {title}": names[: place + 1],
            f"closed from {title} on": names[place:],
        }
        plan |= {name: Intervention("closed", tuple(group)) for name, group in groups.items()}
    return plan
