"""The attributions that are tested: this package's, and those that know nothing of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

import numpy as np
import torch
from torch import Tensor

from gsm_model.benchmark.attribution.packages import package_methods
from gsm_model.benchmark.attribution.score import Attribution
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.faithfulness import centre_blob, change_map
from gsm_model.explain.cam.names import Method
from gsm_model.explain.cam.report import cams_of_clips, last_layer
from gsm_model.explain.shapley.frames import positions_of
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.observers import observe_points
from gsm_model.models.recognizer import Recognizer, build_recognizer

GRID = 6  # a side: the grid of maps that know nothing of the model
AT_LAST: dict[str, Method] = {"Grad-CAM": "gradcam"}
AT_FINER: dict[str, Method] = {
    "Grad-CAM": "gradcam",
    "Grad-CAM++": "gradcam++",
    "HiResCAM": "hirescam",
    "LayerCAM": "layercam",
    "Eigen-CAM": "eigencam",
}


def own_methods(model: Recognizer) -> dict[str, Attribution]:
    """Name → this package's attributions: class activation maps of the last block and of the last
    one with a finer grid, and what the target loses without each frame.
    """
    last = last_layer(model)
    layers = [(AT_LAST, last)]
    if (finer := finer_layer(model)) is not None:
        layers.append((AT_FINER, finer))
    found: dict[str, Attribution] = {
        f"{name}, {layer}": partial(_cam, method, layer)
        for methods, layer in layers
        for name, method in methods.items()
    }
    return found | {"each frame without": without_frame}


def blind_methods(model: Recognizer, seed: int = 0) -> dict[str, Attribution]:
    """Name → attributions that know nothing of what ``model`` has learnt: even, the middle, the
    change between frames, and Grad-CAM of the same network with random weights.
    """
    random, layer = untrained(model, seed), last_layer(model)
    return {
        "the same everywhere": lambda model, clip, target: np.ones((len(clip), GRID, GRID)),
        "the middle of the picture": lambda model, clip, target: centre_blob(len(clip), GRID, GRID),
        "the change between frames": lambda model, clip, target: change_map(clip.cpu().numpy()),
        f"Grad-CAM of an untrained model, {layer}": lambda model, clip, target: _cam(
            "gradcam", layer, random, clip, target
        ),
    }


def finer_layer(model: Recognizer) -> str | None:
    """The last block whose features have more places than those of the last block of all, or
    ``None`` where there is none.
    """
    points = {point: name for name, point in model.feature_points().items() if ":" not in name}
    sides: dict[str, int] = {}

    def see(host: torch.nn.Module, point: str, x: Tensor) -> Tensor:
        if (host, point) in points:
            sides[points[host, point]] = x.shape[-1]
        return x

    device, size = next(model.parameters()).device, model.input.size
    planes = model.architecture.modality.planes
    with torch.inference_mode(), observe_points(see):
        model(torch.zeros(1, 1, planes, size, size, device=device))
    finest = sides[last_layer(model)]
    return next((name for name in reversed(list(sides)) if sides[name] > finest), None)


def _cam(method: Method, layer: str, model: Recognizer, clip: Tensor, target: Target) -> np.ndarray:
    return cams_of_clips(model, clip[None], target, method, [layer])[2][0].maps[0]


def without_frame(model: Recognizer, clip: Tensor, target: Target) -> np.ndarray:
    """(T, 1, 1): what the target loses, in logits, when each frame is replaced by its nearest
    neighbour, the earlier of two: T + 1 passes.
    """
    t = len(clip)
    kept = np.concatenate([np.ones((1, t), bool), ~np.eye(t, dtype=bool)])
    order = torch.tensor([positions_of(row, "nearest") for row in kept])
    device = next(model.parameters()).device
    with device_turn(device), torch.inference_mode():
        values = target.value(model(clip[order].to(device)).double()).cpu().numpy()
    return (values[0] - values[1:])[:, None, None]


def untrained(model: Recognizer, seed: int = 0) -> Recognizer:
    """The network of ``model`` with random weights."""
    built = {name: getattr(model.architecture, name) for name in asdict(model.architecture)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found = build_recognizer(**built).eval()
    found.input, found.card = model.input, model.card
    return found.to(next(model.parameters()).device)


def standard_methods(model: Recognizer) -> tuple[Mapping[str, Attribution], tuple[str, ...]]:
    """All attributions that are tested for ``model``, by name, and what is left out and why."""
    packaged, missing = package_methods(model)
    return own_methods(model) | packaged | blind_methods(model), missing
