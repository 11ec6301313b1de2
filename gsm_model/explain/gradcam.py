"""Class activation maps of whole clips: where a model looks, place by place and frame by frame.

All T frames go through the network together, so that gates and shifts see their real neighbours; a map of a frame that was fed alone
belongs to no clip. The formulas are the grad-cam package's, given the clip's features and gradients frame by frame.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from torch import Tensor, nn

from gsm_model.explain.grad_cam_package import import_with_torchvision
from gsm_model.models.card import Card
from gsm_model.models.recognizer import Recognizer, tap_features
from gsm_model.predict import Prediction, device_turn
from gsm_model.video.isolate import DecodedVideo
from gsm_model.video.sampling import Order, order_positions
from gsm_model.video.transforms import to_views

Method = Literal["gradcam", "gradcam++", "hirescam", "layercam", "xgradcam", "eigencam", "scorecam", "ablationcam"]
METHODS: tuple[Method, ...] = get_args(Method)
# These run the network once for every channel of the layer.
SLOW_METHODS: tuple[Method, ...] = ("scorecam", "ablationcam")
_CLASSES = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "xgradcam": "XGradCAM",
}
MAX_FRAMES_A_PASS = 64


@dataclass(frozen=True)
class Target:
    """What a map is evidence for: the logit of class ``index``, or, with ``versus``, that logit less the logit of class ``versus``."""

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


@dataclass(frozen=True)
class LayerMaps:
    """One layer's maps of one clip. ``maps`` (T, h, w) float32: the method's numbers as they are, signed, not rescaled.

    ``evidence`` (T,) float32, in logits: gradient × feature summed over places and channels, each frame's part in the answer to first
    order; zeros for methods without gradients. ``channels``: how many the layer has.
    """

    layer: str
    maps: np.ndarray
    evidence: np.ndarray
    channels: int

    @property
    def title(self) -> str:
        """What people call the layer: its name."""
        return self.layer


@dataclass(frozen=True)
class CamReport:
    """A model's maps of one clip for one target by one method, for each of several layers in network order."""

    prediction: Prediction
    method: Method
    target: Target
    layers: tuple[LayerMaps, ...]

    @property
    def card(self) -> Card:
        """Whose maps they are."""
        return self.prediction.card

    @property
    def target_name(self) -> str:
        """The target in words."""
        return self.target.name(self.card)

    def frame_values(self) -> np.ndarray:
        """(T,) float32: the target's value by every frame's own scores; their mean is the target's value for the clip."""
        return self.target.value(torch.from_numpy(self.prediction.frame_logits)).numpy()

    def layer(self, name: str) -> LayerMaps:
        """The layer called ``name``.

        Raises:
            KeyError: if it was not asked for.
        """
        return {layer.layer: layer for layer in self.layers}[name]


def last_layer(model: Recognizer) -> str:
    """The name of the output of the network's last block, the usual place for a map."""
    return list(model.feature_points())[-1]


def report_cams(
    model: Recognizer,
    video: DecodedVideo,
    target: Target | None = None,
    method: Method = "gradcam",
    layers: Sequence[str] | None = None,
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> CamReport:
    """``model``'s maps of ``video``, its frames presented in ``order``.

    ``target`` defaults to the model's own answer; ``layers`` are names of `Recognizer.feature_points`, by default the last block. For the
    slow methods ``progress`` is told how many passes are done.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        ValueError: for an unknown method, layer or class, or several layers at once for a slow method.
    """
    t = num_segments or model.architecture.num_segments
    indices, frames = video.clip(t)
    positions = order_positions(t, order, seed)
    clip = to_views(frames, model.input)[:, torch.from_numpy(positions)]
    layers = [last_layer(model)] if layers is None else list(layers)
    frame_logits, chosen, maps = cams_of_clips(model, clip, target, method, layers, progress)
    prediction = Prediction(model.card, order, indices[positions], frame_logits[0], 0.0)
    return CamReport(prediction, method, chosen, tuple(LayerMaps(m.layer, m.maps[0], m.evidence[0], m.channels) for m in maps))


@dataclass(frozen=True)
class Evidence:
    """What maps of one layer are made of, for N clips: ``features`` (N, T, C, h, w) float32 and the ``gradients`` of the target by them."""

    layer: str
    features: np.ndarray
    gradients: np.ndarray

    def by_frame(self) -> np.ndarray:
        """(N, T) float32, in logits: gradient × feature summed over places and channels."""
        return np.einsum("ntchw,ntchw->nt", self.features, self.gradients).astype(np.float32)


def evidence_of_clips(
    model: Recognizer, clips: Tensor, targets: Sequence[Target | None], layers: Sequence[str]
) -> tuple[np.ndarray, list[tuple[Target, list[Evidence]]]]:
    """Frame logits (N, T, K) float32, and for every target the evidence of every layer: one forward pass, one backward pass a target.

    ``clips`` is (N, T, 3, S, S) float, normalised. ``None`` as a target is the answer to the first clip. A model in half precision is
    copied to float32 first: gradients need it. Nothing is left on the model: no hook, no gradient, no other mode.

    Raises:
        ValueError: for an unknown layer or class.
    """
    model, places = _ready(model, layers)
    device, n = next(model.parameters()).device, len(clips)
    with device_turn(device):
        frame_logits, features = _forward(model, clips.to(device, torch.float32), places)
        answer = int(frame_logits[0].mean(0).argmax())
        inputs = [features[layer] for layer in layers]
        arrays = [_by_clip(x, n) for x in inputs]
        found = []
        for target in (Target(answer) if target is None else target for target in targets):
            target.check(model.architecture.num_classes)
            gradients = torch.autograd.grad(target.value(frame_logits.mean(1)).sum(), inputs, retain_graph=True)
            of = [Evidence(layer, x, _by_clip(one, n)) for layer, x, one in zip(layers, arrays, gradients, strict=True)]
            found.append((target, of))
    return frame_logits.detach().cpu().numpy(), found


def _ready(model: Recognizer, layers: Sequence[str]) -> tuple[Recognizer, dict[tuple[nn.Module, str], str]]:
    """The model in float32, and its points → the names of ``layers``."""
    if next(model.parameters()).dtype != torch.float32:
        model = copy.deepcopy(model).float()
    points = model.feature_points()
    for layer in layers:
        if layer not in points:
            raise ValueError(f"{model.card.name} has no layer {layer!r}; it has {', '.join(points)}")
    return model, {points[layer]: layer for layer in layers}


def _by_clip(x: Tensor, n: int) -> np.ndarray:
    return x.detach().unflatten(0, (n, -1)).cpu().numpy()


def cams_of_clips(
    model: Recognizer,
    clips: Tensor,
    target: Target | None,
    method: Method,
    layers: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, Target, list[LayerMaps]]:
    """Frame logits (N, T, K) float32, the target, and its maps, with an axis of N clips (or views) before those of `LayerMaps`.

    All layers come from one forward and one backward pass, but for the slow methods. As `evidence_of_clips` otherwise.

    Raises:
        ValueError: for an unknown method, layer or class, or several layers at once for a slow method.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method!r}; there are {', '.join(METHODS)}")
    if method in SLOW_METHODS and len(layers) != 1:
        raise ValueError(f"{method} takes one layer at a time")
    frame_logits, [(chosen, evidence)] = evidence_of_clips(model, clips, [target], layers)
    found = []
    for one in evidence:
        if method in SLOW_METHODS:
            maps = _by_channel(model, clips, chosen, method, one, frame_logits, progress)
        else:
            maps = cam_of_evidence(method, one)
        found.append(LayerMaps(one.layer, maps, one.by_frame(), one.features.shape[2]))
    return frame_logits, chosen, found


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
    flat = [array.reshape(n * t, *array.shape[2:]) for array in (evidence.features, evidence.gradients)]
    return _by_gradient(method, *flat).reshape(n, t, *flat[0].shape[2:]).astype(np.float32)


def _forward(model: Recognizer, clips: Tensor, places: dict[tuple[nn.Module, str], str]) -> tuple[Tensor, dict[str, Tensor]]:
    """Frame logits, and the features (N·T, C, h, w) of every layer, both with their graph."""
    features: dict[str, Tensor] = {}

    def keep(host: nn.Module, point: str, x: Tensor) -> Tensor:
        if (host, point) not in places:
            return x
        features[places[host, point]] = x
        return x.clone()  # what follows may overwrite its input

    with torch.enable_grad(), tap_features(keep):
        frame_logits = model.frame_logits(clips.clone().requires_grad_())
    return frame_logits, features


# ---- the package's formulas --------------------------------------------------------------------------------------------------


class _NoModel(nn.Module):
    """Stands where the package wants a model to hook into: its formulas need only features and gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(0))


@cache
def _formula(method: Method):
    package = import_with_torchvision("pytorch_grad_cam")
    return getattr(package, _CLASSES[method])(_NoModel(), [])


def _by_gradient(method: Method, features: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """(N·T, C, h, w) features and gradients → (N·T, h, w), before any rectifier and rescaling."""
    return _formula(method).get_cam_image(None, None, None, features, gradients, False)


def _first_component(features: np.ndarray) -> np.ndarray:
    """(T, C, h, w) → (T, h, w): the features' first principal component over all frames and places of the clip, so that its sign is the
    same in all frames; turned so that its largest value is positive (EigenCAM, Muhammad and Yeasin, 2020)."""
    t, c, h, w = features.shape
    rows = features.transpose(0, 2, 3, 1).reshape(-1, c).astype(np.float64)
    # Without the mean taken off the component would be the mean itself.
    component = PCA(1, svd_solver="full" if c > len(rows) else "covariance_eigh").fit(rows)
    projected = (rows - component.mean_) @ component.components_[0]
    if -projected.min() > projected.max():
        projected = -projected
    return projected.reshape(t, h, w)


def _by_channel(model, clips: Tensor, target: Target, method: Method, evidence: Evidence, frame_logits: np.ndarray, progress) -> np.ndarray:
    """(N, T, h, w): features weighted by what becomes of the target without all else (ScoreCAM) or without the channel (AblationCAM).

    A channel is taken in all frames at once, so that C passes are needed and not C·T. Sources: Wang and others, *Score-CAM*, 2020, whose
    weights are the softmax of the scores; Desai and Ramaswamy, *Ablation-CAM*, 2020, equation 2, with |y| below the line so that a
    negative score does not turn the map over.
    """
    model, places = _ready(model, [evidence.layer])
    device = next(model.parameters()).device
    (n, t, c), done = evidence.features.shape[:3], 0
    scores = torch.empty(n, c)
    for clip in range(n):
        frames, features = clips[clip].to(device, torch.float32), torch.from_numpy(evidence.features[clip]).to(device)
        for channels in torch.arange(c).split(max(1, MAX_FRAMES_A_PASS // t)):
            with device_turn(device), torch.inference_mode():
                logits = (
                    _masked(model, frames, features[:, channels]) if method == "scorecam" else _ablated(model, frames, channels, places)
                )
            scores[clip, channels] = target.value(logits.cpu())
            done += len(channels)
            if progress is not None:
                progress(done, n * c)
    value = target.value(torch.from_numpy(frame_logits).mean(1))[:, None]
    weights = scores.softmax(1) if method == "scorecam" else (value - scores) / value.abs().clamp_min(1e-12)
    return np.einsum("nc,ntchw->nthw", weights.numpy(), evidence.features).astype(np.float32)


def _masked(model: Recognizer, clip: Tensor, features: Tensor) -> Tensor:
    """(B, K): the logits of ``clip`` (T, 3, S, S) seen through each channel of ``features`` (T, B, h, w), scaled to 0 … 1 over the clip."""
    masks = F.interpolate(features, clip.shape[-2:], mode="bilinear", align_corners=True).transpose(0, 1)  # (B, T, S, S)
    low, high = masks.amin((1, 2, 3), keepdim=True), masks.amax((1, 2, 3), keepdim=True)
    return model(clip[None] * ((masks - low) / (high - low + 1e-8))[:, :, None])


def _ablated(model: Recognizer, clip: Tensor, channels: Tensor, places: dict[tuple[nn.Module, str], str]) -> Tensor:
    """(B, K): the logits of ``clip`` (T, 3, S, S) with each of ``channels`` of the one layer in ``places`` set to zero in all frames."""
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


# ---- putting maps on one scale -----------------------------------------------------------------------------------------------

Normalise = Literal["clip", "frame", "models"]
NORMALISE: tuple[Normalise, ...] = get_args(Normalise)


@dataclass(frozen=True)
class Scaled:
    """``maps`` (T, h, w) float32 in −1 … 1, or 0 … 1 where what speaks against is left out; ``one`` (T,): what 1 stands for in each frame,
    in the method's own numbers (0 where the map is empty)."""

    maps: np.ndarray
    one: np.ndarray


def scaled(maps: Sequence[np.ndarray], normalise: Normalise = "clip", signed: bool = False) -> list[Scaled]:
    """Several models' maps, each (T, h, w), made comparable: divided by the largest value of the clip, of each frame, or of all of them.

    Without ``signed``, negative values become 0.

    Raises:
        ValueError: for an unknown way.
    """
    if normalise not in NORMALISE:
        raise ValueError(f"maps cannot be put on one scale by {normalise!r}; ways are {', '.join(NORMALISE)}")
    kept = [one if signed else np.maximum(one, 0) for one in maps]
    largest = [np.abs(one).max((1, 2)) for one in kept]
    if normalise == "clip":
        largest = [np.full_like(one, one.max()) for one in largest]
    elif normalise == "models":
        largest = [np.full_like(one, max(other.max() for other in largest)) for one in largest]
    return [
        Scaled((one / np.where(top > 0, top, 1)[:, None, None]).astype(np.float32), top) for one, top in zip(kept, largest, strict=True)
    ]
