"""The recogniser: a 2D backbone, temporal modules in it, and the consensus over frames.

With no temporal module this is TSN: every frame is scored alone and the scores are averaged, so the
order of the frames cannot change the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gsm_model.errors import UnsuitableModelError
from gsm_model.models.card import Card
from gsm_model.models.dmc import CueGenerator
from gsm_model.models.observers import current_probe
from gsm_model.models.registry import backbones, systems, video_networks
from gsm_model.models.slots import Backbone, Host
from gsm_model.models.systems import gsf
from gsm_model.models.systems.non_local import NonLocalBlocks, install_non_local
from gsm_model.models.systems.tsm import Shift, install_shift
from gsm_model.models.temporal import GatedModule, TemporalModule
from gsm_model.models.tvnet import TVNet
from gsm_model.models.video_networks.network import VideoNetwork
from gsm_model.motion.stored import BOUND
from gsm_model.video.modality import RGB, Modality
from gsm_model.video.transforms import InputSpec

FLOW_STD = 0.226  # the mean of ImageNet's deviations, by which TSN's release divides flow


@dataclass(frozen=True)
class Architecture:
    """What must be known to build a recogniser again.

    ``backbone`` is one of `backbones`, or of `video_networks`, whose ``temporal`` goes with it.
    ``shift`` is where a TSM's shifts stand and how many channels they move, ``None`` where that is
    as in its release. ``ratio`` is the share of the channels that a GSF works on, in per cent.
    ``modality`` is what of the frames the network takes.
    ``non_local`` says where non-local blocks stand beside the system, ``None`` without any.
    """

    backbone: str
    temporal: str
    num_classes: int
    num_segments: int
    width: float = 1.0
    shift: Shift | None = None
    ratio: int = 100
    modality: Modality = RGB
    non_local: NonLocalBlocks | None = None


@dataclass(frozen=True)
class TemporalLayer:
    """One temporal module of a network, or a block that has none.

    ``name`` is the module's, such as ``layer1.0.gsm_conv2``, or without a module the convolution's
    at which one could stand. ``title`` is what people call it: its block, with the convolution in
    whose place it stands where a block has several. ``host`` and ``conv`` are what a
    `FeatureObserver` is called with at that block, ``norm`` is the BatchNorm behind the module.
    """

    name: str
    title: str
    module: TemporalModule | None
    host: Host
    conv: str
    norm: nn.Module | None = None

    @property
    def is_gated(self) -> bool:
        """Whether gates decide what it moves; a block without a module counts as gates of 0."""
        return self.module is None or isinstance(self.module, GatedModule)


class Recognizer(nn.Module):
    """Clip → logits: ``(N, T, P, H, W)`` normalised float → ``(N, K)``; P, the planes of its
    modality, is 3 of RGB. Make one with `build_recognizer`.

    ``front``, where there is one, computes the flow or the cue that enters the backbone.
    ``architecture`` says how it was built, ``input`` what it wants to see, ``card`` where its
    weights come from. The number of frames T is that of the clip it is given;
    ``architecture.num_segments`` is the number
    it was trained with. ``precision`` is that of an inference-only copy (`optimize`), else
    ``None``.
    """

    def __init__(
        self, base_model: Backbone, architecture: Architecture, spec: InputSpec, dropout: float
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.input = spec
        self.card = Card(title=f"{architecture.temporal} {architecture.backbone}")
        self.precision: str | None = None
        self.base_model = base_model
        fronts = {"learnt flow": TVNet, "motion vectors": CueGenerator}
        front = fronts.get(architecture.modality.kind)
        self.front = None if front is None else front()
        self.dropout = nn.Dropout(dropout)
        self.new_fc = nn.Linear(base_model.num_features, architecture.num_classes)
        nn.init.normal_(self.new_fc.weight, std=0.001)
        nn.init.zeros_(self.new_fc.bias)

    @property
    def is_video_network(self) -> bool:
        """Whether it is a whole network over time throughout, which no temporal module can
        join: it has no blocks with and without one, and no gates.
        """
        return isinstance(self.base_model, VideoNetwork)

    @property
    def answers_once(self) -> bool:
        """Whether it has one score for the whole clip and none of single frames."""
        return isinstance(self.base_model, VideoNetwork) and not self.base_model.keeps_time

    def frame_features(self, clip: Tensor) -> Tensor:
        """What the classifier is given of every frame, ``(N, T, P, H, W)`` → ``(N, T, D)``: the
        backbone's features, pooled over the picture, before any dropout. Of a network that strides
        over time ``(N, 1, D)``, of the whole clip.
        """
        planes = self.architecture.modality.planes
        if clip.ndim != 5 or clip.shape[2] != planes:
            raise ValueError(f"a clip is (N, T, {planes}, H, W), got {tuple(clip.shape)}")
        frames = clip.flatten(0, 1)
        if isinstance(self.front, CueGenerator):
            frames = self.front(frames.to(next(self.front.parameters()).dtype))
        elif self.front is not None:
            # As a stream of flow is given it: ±20 pixels are ±½, over the deviation.
            bound = self.front(frames).clamp(-BOUND, BOUND)
            frames = bound / (2 * BOUND * FLOW_STD)
        frames = frames.to(next(self.base_model.parameters()).dtype)
        features = self.base_model(frames, current_probe(len(clip)))
        return features.unflatten(0, (len(clip), -1))

    def classify(self, features: Tensor) -> Tensor:
        """The scores of features ``(…, D)``, ``(…, K)``."""
        return self.new_fc(self.dropout(features).to(self.new_fc.weight.dtype))

    def frame_logits(self, clip: Tensor) -> Tensor:
        """Every frame's own scores, ``(N, T, P, H, W)`` → ``(N, T, K)``; their mean over T is the
        answer. A network that strides over time has one score for the whole clip, ``(N, 1, K)``.
        """
        return self.classify(self.frame_features(clip))

    def forward(self, clip: Tensor) -> Tensor:
        """Logits ``(N, K)``: the mean of the frame logits, taken before any softmax (TSN's average
        consensus).
        """
        return self.frame_logits(clip).mean(dim=1)

    def channels_last(self) -> Recognizer:
        """Lay the convolutions' weights out channels-last, in place: half the time on a CPU, the
        same answers.

        ``Module.to(memory_format=…)`` would refuse the gates' five-dimensional weights.
        """
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return self

    def site_layers(self) -> dict[tuple[nn.Module, str], str]:
        """Every place a temporal module can stand, as (host, convolution) → name, in network order;
        the same for any temporal module.
        """
        hosts = {module: name for name, module in self.base_model.named_modules()}
        return {
            (site.host, site.conv): f"{hosts[site.host]}.{site.conv}".removeprefix(".")
            for site in self.base_model.sites()
        }

    def temporal_layers(self) -> tuple[TemporalLayer, ...]:
        """One entry a temporal module, and one for each block without any, in network order."""
        hosts = {module: name for name, module in self.base_model.named_modules()}
        found = []
        for site in self.base_model.sites():
            prefix, names = hosts[site.host], site.host.modules_of(site)
            if not names:
                name = f"{prefix}.{site.conv}".removeprefix(".")
                found.append(TemporalLayer(name, site.title, None, site.host, site.conv))
            for attribute in names:
                title = site.title if len(names) == 1 else f"{site.title} {attribute}"
                found.append(
                    TemporalLayer(
                        f"{prefix}.{attribute}".removeprefix("."),
                        title,
                        getattr(site.host, attribute),
                        site.host,
                        site.conv,
                        site.host.norm_behind(attribute),
                    )
                )
        return tuple(found)

    def feature_points(self) -> dict[str, tuple[nn.Module, str]]:
        """The places where a `PointObserver` sees features, by name, in network order: each block's
        output by the block's title, and, where a temporal module stands or could stand in it,
        ``{title}:before`` and ``{title}:after`` it.

        A block's own points come before its output. The same names for any temporal module in one
        backbone.
        """
        sites = {site.title: site for site in self.base_model.sites()}
        points: dict[str, tuple[nn.Module, str]] = {}
        for title, end in self.base_model.block_ends().items():
            if title in sites:
                site = sites[title]
                conv = site.host.module_conv(site)
                points |= {
                    f"{title}:{side}": (site.host, f"{conv}:{side}") for side in ("before", "after")
                }
            points[title] = end
        return points

    def gate_layers(self) -> dict[str, GatedModule]:
        """The modules with learnt gates by name, in network order; empty where there are none."""
        return {
            name.removeprefix("base_model."): module
            for name, module in self.named_modules()
            if isinstance(module, GatedModule) and module.is_learnt
        }


def require_frames(model: Recognizer, what: str) -> None:
    """Refuse to look for ``what`` inside a whole video network.

    Raises:
        UnsuitableModelError: if ``model`` is one.
    """
    if isinstance(model.base_model, VideoNetwork):
        raise UnsuitableModelError(
            f"{model.card.name} {model.base_model.verb}s over time throughout"
            f"{' and answers once per clip' if model.answers_once else ''}: no layer in it has"
            f" {what}. Compare, Order, Grad-CAM and Confusions work with it."
        )


def build_recognizer(
    backbone: str,
    temporal: str = "none",
    num_classes: int = 174,
    num_segments: int = 8,
    width: float = 1.0,
    input_size: int | None = None,
    dropout: float = 0.5,
    shift: Shift | None = None,
    ratio: int = 100,
    modality: Modality = RGB,
    weights_2d: Mapping[str, Tensor] | None = None,
    non_local: NonLocalBlocks | None = None,
) -> Recognizer:
    """A recogniser with untrained weights, or whose backbone starts from those of a 2D network.

    ``backbone`` is one of `backbones`, ``temporal`` one of `systems`, or ``backbone`` one of
    `video_networks`, which is a whole network of the system ``temporal``; ``width`` scales the
    channels of a ResNet or BN-Inception; ``input_size`` replaces the backbone's published input
    size (pixels); ``shift`` places the shifts of a TSM otherwise than its release does; ``ratio``
    is the share of the channels that a GSF works on, in per cent; ``modality`` what of the frames
    the network takes. ``weights_2d`` is the state dict of the backbone without a temporal module,
    which the system starts from by its own rule; the classifier and what has no counterpart stay
    untrained.
    ``non_local`` puts non-local blocks behind blocks of the backbone.

    Raises:
        RuntimeError: if ``weights_2d`` is not the backbone's in every key and shape.
        ValueError: for an unknown name, a count below 1, a width the backbone cannot have, anything
            else that a whole video network has in one way only, or a
            shift that is not a TSM's or stands where the backbone has no block; for a ratio that
            is not a GSF's, not 1 to 100, or gives no multiple of 4 channels; for non-local blocks
            where the backbone has no block or another module stands.
    """
    known, kinds = backbones(), systems()
    if backbone in video_networks():
        options = (width, shift, ratio, modality, weights_2d, non_local)
        if options != (1.0, None, 100, RGB, None, None):
            raise ValueError(f"{backbone} has one width and takes RGB; nothing can be put into it")
        return _video_network(backbone, temporal, num_classes, num_segments, input_size, dropout)
    if backbone not in known:
        raise ValueError(
            f"unknown backbone {backbone!r}; there are {', '.join((*known, *video_networks()))}"
        )
    if temporal not in kinds:
        raise ValueError(f"unknown system {temporal!r}; there are {', '.join(kinds)}")
    _check_counts(num_classes, num_segments)
    entry = known[backbone]
    base_model = entry.build(width)
    if modality != RGB:
        base_model.take_planes(modality.stem_planes)
    if weights_2d is not None:
        base_model.load_state_dict(weights_2d)
    if ratio != 100 and (temporal != "gsf" or not 1 <= ratio <= 100):
        raise ValueError(
            "a GSF works on 1 to 100 % of the channels, every other system on all; got a ratio of"
            f" {ratio} for {kinds[temporal].title}"
        )
    if shift is None:
        if temporal == "gsf":
            gsf.install(base_model, ratio)
        else:
            kinds[temporal].install(base_model)
    elif temporal == "tsm":
        install_shift(base_model, shift)
    else:
        raise ValueError(f"a shift can be placed in a TSM, not in {kinds[temporal].title}")
    if non_local is not None:
        install_non_local(base_model, non_local)
    spec = entry.input_of(modality)
    if input_size is not None:
        spec = replace(spec, size=input_size, resize=input_size * 256 // 224)
    return Recognizer(
        base_model,
        Architecture(
            backbone, temporal, num_classes, num_segments, width, shift, ratio, modality, non_local
        ),
        spec,
        dropout,
    )


def _video_network(
    name: str, temporal: str, classes: int, segments: int, size: int | None, dropout: float
) -> Recognizer:
    entry = video_networks()[name]
    if temporal != entry.temporal:
        raise ValueError(
            f"{name} is a whole network, {entry.title}: its system is {entry.temporal!r}, got"
            f" {temporal!r}"
        )
    _check_counts(classes, segments)
    spec = entry.input if size is None else entry.input.resized(size)
    return Recognizer(entry.build(), Architecture(name, temporal, classes, segments), spec, dropout)


def _check_counts(num_classes: int, num_segments: int) -> None:
    if num_classes < 1 or num_segments < 1:
        raise ValueError(
            f"a model needs at least one class and one segment, got {num_classes} and"
            f" {num_segments}"
        )


def best_device() -> torch.device:
    """CUDA where there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
