"""Attributions of other packages, as they are used on their own: grad-cam and Captum.

Neither knows of clips: grad-cam is given the T frames as T pictures, and rescales the map of each
to 0 … 1 by itself; Captum is given the clip as one input.
"""

from __future__ import annotations

import importlib
from functools import partial
from importlib import metadata
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gsm_model.benchmark.attribution.score import Attribution
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.package import PackageError, load_package
from gsm_model.explain.cam.report import last_layer
from gsm_model.models.recognizer import Recognizer

STEPS = 8  # of the integral of integrated gradients
GET_CAPTUM = "Captum is not installed, so its attributions are left out. Run 'pip install captum'."


def package_methods(model: Recognizer) -> tuple[dict[str, Attribution], tuple[str, ...]]:
    """Name → attributions of the packages that can be imported, and a sentence for each of what is
    left out.
    """
    found: dict[str, Attribution] = {}
    missing: list[str] = []
    for methods in (gradcam_methods, captum_methods):
        try:
            found |= methods(model)
        except PackageError as error:
            missing.append(str(error))
    return found, tuple(missing)


def gradcam_methods(model: Recognizer) -> dict[str, Attribution]:
    """The Grad-CAM of the package grad-cam, from end to end, at the last block.

    Raises:
        PackageError: if it cannot be imported, or has no module to hook into there.
    """
    load_package()
    layer = last_layer(model)
    _module_at(model, layer)
    return {f"grad-cam's GradCAM, {layer}": partial(_gradcam, layer)}


def captum_methods(model: Recognizer) -> dict[str, Attribution]:
    """Captum's input × gradient and integrated gradients of the pixels, summed over the planes.

    Raises:
        PackageError: if it cannot be imported.
    """
    package = load_captum()
    return {
        "Captum's InputXGradient": partial(_captum, package.InputXGradient, {}),
        f"Captum's IntegratedGradients, {STEPS} steps": partial(
            _captum, package.IntegratedGradients, {"n_steps": STEPS, "internal_batch_size": 4}
        ),
    }


def load_captum() -> ModuleType:
    """The module ``captum.attr``.

    Raises:
        PackageError: if it cannot be imported.
    """
    try:
        return importlib.import_module("captum.attr")
    except ImportError:
        raise PackageError(GET_CAPTUM) from None


def package_versions() -> dict[str, str]:
    """Name → version of the packages whose attributions are tested, of those that are there."""
    found = {}
    for name in ("grad-cam", "captum"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _captum(
    method: type, options: dict[str, Any], model: Recognizer, clip: Tensor, target: Target
) -> np.ndarray:
    device = next(model.parameters()).device
    given = clip[None].to(device).clone().requires_grad_()
    attribute = method(lambda clips: target.value(model(clips))).attribute
    return attribute(given, **options)[0].sum(1).detach().float().cpu().numpy()


class _ByFrame(nn.Module):
    """A recogniser as a package for pictures wants a network: T frames (T, 3, S, S) → their own
    scores (T, K). They go through the network together.
    """

    def __init__(self, model: Recognizer) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor) -> Tensor:
        return self.model.frame_logits(frames[None])[0]


def _gradcam(layer: str, model: Recognizer, clip: Tensor, target: Target) -> np.ndarray:
    frames = clip.to(next(model.parameters()).device)
    share = [lambda scores: target.value(scores) / len(frames)] * len(frames)
    kind = load_package().GradCAM
    with torch.enable_grad(), kind(_ByFrame(model), [_module_at(model, layer)]) as cam:
        return np.asarray(cam(input_tensor=frames, targets=share))


def _module_at(model: Recognizer, layer: str) -> nn.Module:
    """The module whose output is that of the block ``layer``.

    Raises:
        PackageError: if it is none's.
    """
    host, point = model.feature_points()[layer]
    if point:
        raise PackageError(
            f"grad-cam hooks into modules, and in {model.card.name} no module gives what leaves"
            f" {layer}, so its attributions are left out."
        )
    return host
