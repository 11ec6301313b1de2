"""How maps are made of evidence: the papers' formulas, given a clip's features and gradients frame
by frame, and the methods that run the network once for every channel.

Every formula is written for one picture. ``A`` are a layer's features, ``A[k]`` those of channel
``k``; ``g`` are the gradients of the target ``y`` by them, ``g[k] = ∂y / ∂A[k]``. Papers rectify
the map at the end, ``ReLU(…)``; here a map keeps its sign, and `scale` says what is shown of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.explain.cam.evidence import Evidence, Places, Target, ready
from gsm_model.explain.cam.names import Method
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.observers import observe_points
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.video_networks.network import in_time

MAX_FRAMES_A_PASS = 64


def grad_cam(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """(N, C, h, w) features and gradients → (N, h, w): ``Σ_k w[k] · A[k]`` with
    ``w[k] = mean over positions of g[k]``.

    Source: Selvaraju and others, *Grad-CAM*, ICCV 2017, equations 1 and 2.
    """
    return _weighted(features, gradients.mean((2, 3)))


def grad_cam_plus_plus(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """(N, C, h, w) features and gradients → (N, h, w): ``Σ_k w[k] · A[k]`` with
    ``w[k] = Σ over positions of α[k] · ReLU(g[k])`` and
    ``α[k] = g[k]² / (2 g[k]² + ΣA[k] · g[k]³)``, 0 where the gradient is 0.

    ``ΣA[k]`` is the sum of the channel over all positions. The second and third derivatives of the
    paper are powers of the gradient, as for the exponential of a score.

    Source: Chattopadhay and others, *Grad-CAM++*, WACV 2018, equation 19 for α, with the rectifier
    of equation 7.
    """
    squares = gradients**2
    total = features.sum((2, 3), keepdims=True)
    alpha = squares / (2 * squares + total * (squares * gradients) + 1e-6)
    weights = np.maximum(gradients, 0) * np.where(gradients != 0, alpha, 0)
    return _weighted(features, weights.sum((2, 3)))


def x_grad_cam(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """(N, C, h, w) features and gradients → (N, h, w): ``Σ_k w[k] · A[k]`` with
    ``w[k] = Σ over positions of g[k] · A[k] / ΣA[k]``: the mean gradient, weighted by the features.

    Source: Fu and others, *Axiom-based Grad-CAM*, BMVC 2020.
    """
    total = features.sum((2, 3), keepdims=True)
    weights = gradients * features / (total + 1e-7)
    return _weighted(features, weights.sum((2, 3)))


def hires_cam(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """(N, C, h, w) features and gradients → (N, h, w): ``Σ_k g[k] · A[k]``, position by position;
    its sum is the target's gradient × feature.

    Source: Draelos and Carin, *Use HiResCAM instead of Grad-CAM*, 2020.
    """
    return (gradients * features).sum(1)


def layer_cam(features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """(N, C, h, w) features and gradients → (N, h, w): ``Σ_k ReLU(g[k]) · A[k]``, position by
    position.

    Source: Jiang and others, *LayerCAM*, IEEE Transactions on Image Processing, 2021.
    """
    return (np.maximum(gradients, 0) * features).sum(1)


def eigen_cam(features: np.ndarray) -> np.ndarray:
    """(T, C, h, w) features of one clip → (T, h, w) float64: their first principal component over
    all frames and positions, ``(A − mean) · v`` with ``v`` the first right singular vector.

    Of the whole clip, so that its sign is the same in all frames; turned so that its largest value
    is positive. It depends on no target.

    Source: Muhammad and Yeasin, *Eigen-CAM*, IJCNN 2020, with the mean taken off first; without
    that the component would be the mean itself.
    """
    t, c, h, w = features.shape
    rows = features.transpose(0, 2, 3, 1).reshape(-1, c).astype(np.float64)
    from sklearn.decomposition import PCA  # takes seconds, which only this method is worth

    component = PCA(1, svd_solver="full" if c > len(rows) else "covariance_eigh").fit(rows)
    projected = (rows - component.mean_) @ component.components_[0]
    if -projected.min() > projected.max():
        projected = -projected
    return projected.reshape(t, h, w)


def _weighted(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(N, C, h, w) and (N, C) → (N, h, w): ``Σ_k w[k] · A[k]``."""
    return (weights[:, :, None, None] * features).sum(1)


FORMULAS: dict[Method, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "gradcam": grad_cam,
    "gradcam++": grad_cam_plus_plus,
    "hirescam": hires_cam,
    "layercam": layer_cam,
    "xgradcam": x_grad_cam,
}


def cam_of_evidence(method: Method, evidence: Evidence) -> np.ndarray:
    """(N, T, h, w) float32: the maps of a method that needs no further pass of the network.

    Raises:
        ValueError: for one of the slow methods.
    """
    if method == "eigencam":
        return np.stack([eigen_cam(one) for one in evidence.features]).astype(np.float32)
    if method not in FORMULAS:
        raise ValueError(f"{method} needs the network")
    n, t = evidence.features.shape[:2]
    features, gradients = (
        array.reshape(n * t, *array.shape[2:]) for array in (evidence.features, evidence.gradients)
    )
    maps = FORMULAS[method](features, gradients)
    return maps.reshape(n, t, *maps.shape[1:]).astype(np.float32)


def cam_by_channel(
    model: Recognizer,
    clips: Tensor,
    target: Target,
    method: Method,
    evidence: Evidence,
    frame_logits: np.ndarray,
    progress: Callable[[int, int], None] | None,
) -> np.ndarray:
    """(N, T, h, w): ``Σ_k w[k] · A[k]``, weights found by running the network once for every
    channel ``k``, which is taken in all frames at once, so that C passes are needed and not C·T.

    - Score-CAM: ``w = softmax(y(clip seen through A[k]))``, the features of the channel scaled to
      0 … 1 over the clip and multiplied onto it. Source: Wang and others, *Score-CAM*, CVPR
      Workshops 2020.
    - Ablation-CAM: ``w[k] = (y − y without channel k) / |y|``. Source: Desai and Ramaswamy,
      *Ablation-CAM*, WACV 2020, equation 2, with ``|y|`` below the line so that a negative score
      does not turn the map over.
    """
    model, places = ready(model, [evidence.layer])
    device = next(model.parameters()).device
    (n, _, c), done, t = evidence.features.shape[:3], 0, clips.shape[1]
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
    """(B, K): the logits of ``clip`` (T, 3, S, S) seen through each channel of ``features`` (T', B,
    h, w) of T' time steps, scaled to 0 … 1 over the clip.
    """
    features = in_time(features[None], len(clip))[0]
    masks = F.interpolate(features, clip.shape[-2:], mode="bilinear", align_corners=True).transpose(
        0, 1
    )  # (B, T, S, S)
    low, high = masks.amin((1, 2, 3), keepdim=True), masks.amax((1, 2, 3), keepdim=True)
    return model(clip[None] * ((masks - low) / (high - low + 1e-8))[:, :, None])


def _ablated(model: Recognizer, clip: Tensor, channels: Tensor, places: Places) -> Tensor:
    """(B, K): the logits of ``clip`` (T, 3, S, S) with each of ``channels`` of the one layer in
    ``places`` set to zero in all frames.
    """

    def remove(host: nn.Module, point: str, x: Tensor) -> Tensor:
        if (host, point) not in places:
            return x
        x = x.clone()
        for by_clip, channel in zip(x.split(len(x) // len(channels)), channels, strict=True):
            by_clip[:, channel] = 0
        return x

    with observe_points(remove):
        return model(clip[None].expand(len(channels), -1, -1, -1, -1))
