"""The recogniser: a 2D backbone, temporal modules in it, and the consensus over frames.

With no temporal module this is TSN: every frame is scored alone and the scores are averaged, so the
order of the frames cannot change the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gsm_model.models.card import Card
from gsm_model.models.registry import backbones, temporal_kinds
from gsm_model.models.slots import (
    ClipRun,
    FeatureTap,
    FeatureWatch,
    GateTap,
    RouteWatch,
    TemporalHost,
    TemporalModule,
    attach_temporal_modules,
)
from gsm_model.models.systems.gsm import GateShiftModule
from gsm_model.video.transforms import InputSpec


@dataclass(frozen=True)
class Architecture:
    """What must be known to build a recogniser again."""

    backbone: str
    temporal: str
    num_classes: int
    num_segments: int
    width: float = 1.0


_taps: ContextVar[tuple[GateTap, ...]] = ContextVar("gate_taps", default=())
_watches: ContextVar[tuple[FeatureWatch, ...]] = ContextVar("feature_watches", default=())
_routes: ContextVar[tuple[RouteWatch, ...]] = ContextVar("route_watches", default=())
_feature_taps: ContextVar[tuple[FeatureTap, ...]] = ContextVar("feature_taps", default=())


@dataclass(frozen=True)
class TemporalLayer:
    """One site of a network: what people call its block, and the temporal module there, if any.

    ``name`` is the module's, such as ``layer1.0.gsm_conv2``, or without a module the convolution's.
    ``host`` and ``conv`` are what a `FeatureWatch` is called with.
    """

    name: str
    title: str
    module: TemporalModule | None
    host: TemporalHost
    conv: str


class Recognizer(nn.Module):
    """Clip → logits: ``(N, T, 3, H, W)`` normalised float → ``(N, K)``. Make one with
    `build_recognizer`.

    ``architecture`` says how it was built, ``input`` what it wants to see, ``card`` where its
    weights come from. The number of frames T is that of the clip it is given;
    ``architecture.num_segments`` is the number it was trained with. ``precision`` is that of an
    inference-only copy (`optimize`), else ``None``.
    """

    def __init__(
        self, base_model: TemporalHost, architecture: Architecture, spec: InputSpec, dropout: float
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.input = spec
        self.card = Card(title=f"{architecture.temporal} {architecture.backbone}")
        self.precision: str | None = None
        self.base_model = base_model
        self.dropout = nn.Dropout(dropout)
        self.new_fc = nn.Linear(base_model.num_features, architecture.num_classes)
        nn.init.normal_(self.new_fc.weight, std=0.001)
        nn.init.zeros_(self.new_fc.bias)

    def frame_logits(self, clip: Tensor) -> Tensor:
        """Every frame's own scores, ``(N, T, 3, H, W)`` → ``(N, T, K)``; their mean over T is the
        answer.
        """
        if clip.ndim != 5 or clip.shape[2] != 3:
            raise ValueError(f"a clip is (N, T, 3, H, W), got {tuple(clip.shape)}")
        n, t = clip.shape[:2]
        frames = clip.flatten(0, 1).to(next(self.base_model.parameters()).dtype)
        features = self.base_model(
            frames, ClipRun(t, _taps.get(), _watches.get(), _routes.get(), _feature_taps.get())
        )
        return self.new_fc(self.dropout(features).to(self.new_fc.weight.dtype)).view(n, t, -1)

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

    def site_layers(self) -> dict[tuple[TemporalHost, str], str]:
        """Every place a temporal module can stand, as (host, convolution) → name, in network order;
        the same for any temporal module.
        """
        hosts = {module: name for name, module in self.base_model.named_modules()}
        return {
            (site.host, site.conv): f"{hosts[site.host]}.{site.conv}".removeprefix(".")
            for site in self.base_model.sites()
        }

    def temporal_layers(self) -> tuple[TemporalLayer, ...]:
        """One entry a site, in network order; the same sites, under the same titles, for any
        temporal module in one backbone.
        """
        hosts = {module: name for name, module in self.base_model.named_modules()}
        found = []
        for site in self.base_model.sites():
            attribute = site.host.temporal_at(site)
            module = getattr(site.host, attribute) if attribute else None
            name = f"{hosts[site.host]}.{attribute or site.conv}".removeprefix(".")
            found.append(TemporalLayer(name, site.title, module, site.host, site.conv))
        return tuple(found)

    def feature_points(self) -> dict[str, tuple[nn.Module, str]]:
        """The places where a `FeatureTap` sees features, by name, in network order: each block's
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

    def gate_layers(self) -> dict[str, GateShiftModule]:
        """The Gate-Shift Modules by name, in network order; empty for other temporal modules."""
        return {
            name.removeprefix("base_model."): module
            for name, module in self.named_modules()
            if isinstance(module, GateShiftModule)
        }


def build_recognizer(
    backbone: str,
    temporal: str = "none",
    num_classes: int = 174,
    num_segments: int = 8,
    width: float = 1.0,
    input_size: int | None = None,
    dropout: float = 0.5,
) -> Recognizer:
    """A recogniser with untrained weights.

    ``backbone`` is one of `backbones`, ``temporal`` one of `temporal_kinds`; ``width`` scales a
    ResNet's channels; ``input_size`` replaces the backbone's published input size (pixels).

    Raises:
        ValueError: for an unknown name, a count below 1, or a width the backbone cannot have.
    """
    known, kinds = backbones(), temporal_kinds()
    if backbone not in known:
        raise ValueError(f"unknown backbone {backbone!r}; there are {', '.join(known)}")
    if temporal not in kinds:
        raise ValueError(f"unknown temporal module {temporal!r}; there are {', '.join(kinds)}")
    if num_classes < 1 or num_segments < 1:
        raise ValueError(
            f"a model needs at least one class and one segment, got {num_classes} and"
            f" {num_segments}"
        )
    entry = known[backbone]
    base_model = entry.build(width)
    attach_temporal_modules(base_model.sites(), kinds[temporal])
    spec = entry.input
    if input_size is not None:
        spec = replace(spec, size=input_size, resize=input_size * 256 // 224)
    return Recognizer(
        base_model,
        Architecture(backbone, temporal, num_classes, num_segments, width),
        spec,
        dropout,
    )


@contextmanager
def _added(variable: ContextVar[tuple], entry: object) -> Iterator[None]:
    token = variable.set((*variable.get(), entry))
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def tap_gates(tap: GateTap) -> Iterator[None]:
    """Call ``tap(module, gate) → gate`` for every gate computed by this thread inside the block.

    The tap may return another gate of the same shape, which is then used instead.
    """
    with _added(_taps, tap):
        yield


@contextmanager
def watch_features(watch: FeatureWatch) -> Iterator[None]:
    """Call ``watch(host, conv, features)`` for every convolution and BatchNorm this thread computes
    inside the block.
    """
    with _added(_watches, watch):
        yield


@contextmanager
def tap_features(tap: FeatureTap) -> Iterator[None]:
    """Call ``tap(host, point, features) → features`` at every point (`Recognizer.feature_points`)
    this thread passes inside the block.

    The tap may return other features of the same shape, which are then used instead.
    """
    with _added(_feature_taps, tap):
        yield


@contextmanager
def watch_routes(watch: RouteWatch) -> Iterator[None]:
    """Call ``watch(module, x, gate)`` for every temporal module this thread runs inside the block,
    after all taps.
    """
    with _added(_routes, watch):
        yield


@contextmanager
def record_gates(model: Recognizer) -> Iterator[dict[str, Tensor]]:
    """Collect ``model``'s gates: layer name → ``(N, T, 2, h, w)`` in (−1, 1), in network order.

    Channel 0 gates the half of the channels that moves from t+1 to t, channel 1 the half from t−1
    to t. Each forward inside the block replaces what the one before recorded. Only forwards of this
    thread are seen, nothing is left on the model, also after an error.
    """
    names = {module: name for name, module in model.gate_layers().items()}
    gates: dict[str, Tensor] = {}

    def record(module: nn.Module, gate: Tensor) -> Tensor:
        if module in names:
            gates[names[module]] = gate.detach()
        return gate

    with tap_gates(record):
        yield gates


def best_device() -> torch.device:
    """CUDA where there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
