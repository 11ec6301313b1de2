"""What maps of where a model looks are made of: a layer's features and the gradients of a target by
them, for whole clips.

All T frames go through the network together, so that gates and shifts see their real neighbours.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gsm_model.models.card import Card
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.observers import observe_points
from gsm_model.models.recognizer import Recognizer

Places = dict[tuple[nn.Module, str], str]
# A difference of logits below this share of them is rounding.
ROUNDING = 1e-4


@dataclass(frozen=True)
class Target:
    """What a map is evidence for: the logit of class ``index``, or, with ``versus``, that logit
    less the logit of class ``versus``.
    """

    index: int
    versus: int | None = None

    def value(self, logits: Tensor) -> Tensor:
        """(…, K) → (…): the number that the maps explain, in logits."""
        value = logits[..., self.index]
        return value if self.versus is None else value - logits[..., self.versus]

    def name(self, card: Card) -> str:
        """In words, such as *Unfolding something rather than Folding something*."""
        label = card.label(self.index)
        return label if self.versus is None else f"{label} rather than {card.label(self.versus)}"

    def check(self, num_classes: int) -> None:
        """Raises:
        ValueError: if the model has no such class, or a class is set against itself.
        """
        for index in (self.index, self.versus):
            if index is not None and not 0 <= index < num_classes:
                raise ValueError(f"there is no class {index}; the model knows {num_classes}")
        if self.index == self.versus:
            raise ValueError("a class cannot be set against itself")


def rounding_of(*logits: float) -> float:
    """What is no more than rounding in a difference of ``logits`` of about these sizes."""
    return ROUNDING * max(1.0, *map(abs, logits))


@dataclass(frozen=True)
class Evidence:
    """What maps of one layer are made of, for N clips: ``features`` (N, T, C, h, w) float32 and the
    ``gradients`` of the target by them.
    """

    layer: str
    features: np.ndarray
    gradients: np.ndarray

    def by_frame(self) -> np.ndarray:
        """(N, T) float32, in logits: gradient × feature summed over places and channels."""
        return np.einsum("ntchw,ntchw->nt", self.features, self.gradients).astype(np.float32)


def evidence_of_clips(
    model: Recognizer, clips: Tensor, targets: Sequence[Target | None], layers: Sequence[str]
) -> tuple[np.ndarray, list[tuple[Target, list[Evidence]]]]:
    """Frame logits (N, T, K) float32, and for every target the evidence of every layer: one forward
    pass, one backward pass a target.

    ``clips`` is (N, T, 3, S, S) float, normalised. ``None`` as a target is the answer to the first
    clip. A model in half precision is
    copied to float32 first: gradients need it. Nothing is left on the model: no hook, no gradient,
        no other mode.

    Raises:
        ValueError: for an unknown layer or class.
    """
    model, places = ready(model, layers)
    device, n = next(model.parameters()).device, len(clips)
    with device_turn(device):
        frame_logits, features = _forward(model, clips.to(device, torch.float32), places)
        answer = int(frame_logits[0].mean(0).argmax())
        inputs = [features[layer] for layer in layers]
        arrays = [_by_clip(x, n) for x in inputs]
        found = []
        for target in (Target(answer) if target is None else target for target in targets):
            target.check(model.architecture.num_classes)
            gradients = torch.autograd.grad(
                target.value(frame_logits.mean(1)).sum(), inputs, retain_graph=True
            )
            of = [
                Evidence(layer, x, _by_clip(one, n))
                for layer, x, one in zip(layers, arrays, gradients, strict=True)
            ]
            found.append((target, of))
    return frame_logits.detach().cpu().numpy(), found


def ready(model: Recognizer, layers: Sequence[str]) -> tuple[Recognizer, Places]:
    """The model in float32, and its points → the names of ``layers``."""
    if next(model.parameters()).dtype != torch.float32:
        model = copy.deepcopy(model).float()
    points = model.feature_points()
    for layer in layers:
        if layer not in points:
            raise ValueError(
                f"{model.card.name} has no layer {layer!r}; it has {', '.join(points)}"
            )
    return model, {points[layer]: layer for layer in layers}


def _by_clip(x: Tensor, n: int) -> np.ndarray:
    return x.detach().unflatten(0, (n, -1)).cpu().numpy()


def _forward(model: Recognizer, clips: Tensor, places: Places) -> tuple[Tensor, dict[str, Tensor]]:
    """Frame logits, and the features (N·T, C, h, w) of every layer, both with their graph."""
    features: dict[str, Tensor] = {}

    def keep(host: nn.Module, point: str, x: Tensor) -> Tensor:
        if (host, point) not in places:
            return x
        features[places[host, point]] = x
        return x.clone()  # what follows may overwrite its input

    with torch.enable_grad(), observe_points(keep):
        frame_logits = model.frame_logits(clips.clone().requires_grad_())
    return frame_logits, features
