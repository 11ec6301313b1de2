"""How maps are made of evidence: the formulas of the package grad-cam, given a clip's features and
gradients frame by frame, and the methods that run the network once for every channel."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from torch import Tensor, nn

from gsm_model.explain.cam.evidence import Evidence, Places, Target, ready
from gsm_model.explain.cam.names import Method
from gsm_model.explain.cam.package import import_with_torchvision
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.recognizer import Recognizer, tap_features

_CLASSES = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "xgradcam": "XGradCAM",
}
MAX_FRAMES_A_PASS = 64


def cam_of_evidence(method: Method, evidence: Evidence) -> np.ndarray:
    """(N, T, h, w) float32: the maps of a method that needs no further pass of the network.

    Raises:
        ValueError: for one of the slow methods.
    """
    if method == "eigencam":
        return np.stack([_first_component(one) for one in evidence.features]).astype(np.float32)
    if method not in _CLASSES:
        raise ValueError(f"{method} needs the network")
    n, t = evidence.features.shape[:2]
    flat = [
        array.reshape(n * t, *array.shape[2:]) for array in (evidence.features, evidence.gradients)
    ]
    return _by_gradient(method, *flat).reshape(n, t, *flat[0].shape[2:]).astype(np.float32)


class _Formula(Protocol):
    """What is used of the package's classes."""

    def get_cam_image(
        self,
        input_tensor: None,
        target_layer: None,
        targets: None,
        activations: np.ndarray,
        grads: np.ndarray,
        eigen_smooth: bool,
    ) -> np.ndarray: ...


class _NoModel(nn.Module):
    """Stands where the package wants a model to hook into: its formulas need only features and
    gradients.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(0))


@cache
def _formula(method: Method) -> _Formula:
    package = import_with_torchvision("pytorch_grad_cam")
    return getattr(package, _CLASSES[method])(_NoModel(), [])


def _by_gradient(method: Method, features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """(N·T, C, h, w) features and gradients → (N·T, h, w), before any rectifier and rescaling."""
    return _formula(method).get_cam_image(None, None, None, features, gradients, False)


def _first_component(features: np.ndarray) -> np.ndarray:
    """(T, C, h, w) → (T, h, w): the features' first principal component over all frames and places
    of the clip, so that its sign is the same in all frames; turned so that its largest value is
    positive (EigenCAM, Muhammad and Yeasin, 2020)."""
    t, c, h, w = features.shape
    rows = features.transpose(0, 2, 3, 1).reshape(-1, c).astype(np.float64)
    # Without the mean taken off the component would be the mean itself.
    component = PCA(1, svd_solver="full" if c > len(rows) else "covariance_eigh").fit(rows)
    projected = (rows - component.mean_) @ component.components_[0]
    if -projected.min() > projected.max():
        projected = -projected
    return projected.reshape(t, h, w)


def cam_by_channel(
    model: Recognizer,
    clips: Tensor,
    target: Target,
    method: Method,
    evidence: Evidence,
    frame_logits: np.ndarray,
    progress: Callable[[int, int], None] | None,
) -> np.ndarray:
    """(N, T, h, w): features weighted by what becomes of the target without all else (ScoreCAM) or
    without the channel (AblationCAM).

    A channel is taken in all frames at once, so that C passes are needed and not C·T. Sources: Wang
    and others, *Score-CAM*, 2020, whose weights are the softmax of the scores; Desai and Ramaswamy,
    *Ablation-CAM*, 2020, equation 2, with |y| below the line so that a negative score does not turn
    the map over.
    """
    model, places = ready(model, [evidence.layer])
    device = next(model.parameters()).device
    (n, t, c), done = evidence.features.shape[:3], 0
    scores = torch.empty(n, c)
    for clip in range(n):
        frames, features = (
            clips[clip].to(device, torch.float32),
            torch.from_numpy(evidence.features[clip]).to(device),
        )
        for channels in torch.arange(c).split(max(1, MAX_FRAMES_A_PASS // t)):
            with device_turn(device), torch.inference_mode():
                logits = (
                    _masked(model, frames, features[:, channels])
                    if method == "scorecam"
                    else _ablated(model, frames, channels, places)
                )
            scores[clip, channels] = target.value(logits.cpu())
            done += len(channels)
            if progress is not None:
                progress(done, n * c)
    value = target.value(torch.from_numpy(frame_logits).mean(1))[:, None]
    weights = (
        scores.softmax(1)
        if method == "scorecam"
        else (value - scores) / value.abs().clamp_min(1e-12)
    )
    return np.einsum("nc,ntchw->nthw", weights.numpy(), evidence.features).astype(np.float32)


def _masked(model: Recognizer, clip: Tensor, features: Tensor) -> Tensor:
    """(B, K): the logits of ``clip`` (T, 3, S, S) seen through each channel of ``features`` (T, B,
    h, w), scaled to 0 … 1 over the clip.
    """
    masks = F.interpolate(features, clip.shape[-2:], mode="bilinear", align_corners=True).transpose(
        0, 1
    )  # (B, T, S, S)
    low, high = masks.amin((1, 2, 3), keepdim=True), masks.amax((1, 2, 3), keepdim=True)
    return model(clip[None] * ((masks - low) / (high - low + 1e-8))[:, :, None])


def _ablated(model: Recognizer, clip: Tensor, channels: Tensor, places: Places) -> Tensor:
    """(B, K): the logits of ``clip`` (T, 3, S, S) with each of ``channels`` of the one layer in
    ``places`` set to zero in all frames.
    """
    t = len(clip)

    def remove(host: nn.Module, point: str, x: Tensor) -> Tensor:
        if (host, point) not in places:
            return x
        x = x.clone()
        for row, channel in enumerate(channels.tolist()):
            x[row * t : (row + 1) * t, channel] = 0
        return x

    with tap_features(remove):
        return model(clip[None].expand(len(channels), -1, -1, -1, -1))
