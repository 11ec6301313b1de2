"""Temporal modules: what each must offer, and the one rule that places them in a 2D backbone.

A temporal module mixes features of neighbouring frames inside a network that otherwise sees each
frame alone. It is called as ``module(x, run)`` with ``x`` of shape ``(N·T, C, H, W)`` and returns
the same shape; ``run`` says how many frames a clip has (`ClipRun`). What it moves it says itself:
by its gates (1 for a fixed shift) and by the channels each of them rules (`TemporalModule`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GateTap = Callable[[nn.Module, Tensor], Tensor]
# Called with the host, the name of its convolution, and the features (N, T, C, H, W) after that
# convolution's BatchNorm.
FeatureWatch = Callable[[nn.Module, str, Tensor], None]
# Called with a temporal module, the features (N, T, C, H, W) that enter it and the gate (N, T, 2,
# H, W) they meet.
RouteWatch = Callable[[nn.Module, Tensor, Tensor], None]
# Called with a module and the name of a point in it (`ClipRun.pass_on`) and the features (N·T, C,
# H, W) there; returns those to go on with.
FeatureTap = Callable[[nn.Module, str, Tensor], Tensor]

STEM_FRAMES = 8


@dataclass(frozen=True)
class ClipRun:
    """What one forward pass knows beside its features.

    It travels through the network as an argument, never as state of a module, so that threads with
    different clips can share one model.
    """

    num_segments: int
    taps: tuple[GateTap, ...] = ()
    watches: tuple[FeatureWatch, ...] = ()
    routes: tuple[RouteWatch, ...] = ()
    feature_taps: tuple[FeatureTap, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether nobody looks into this pass."""
        return not (self.taps or self.watches or self.routes or self.feature_taps)

    def tap(self, module: nn.Module, gate: Tensor) -> Tensor:
        """Offer ``gate`` of shape ``(N, T, 2, h, w)`` to every tap in turn; each returns the gate
        to go on with.
        """
        for tap in self.taps:
            gate = tap(module, gate)
        return gate

    def show(self, host: nn.Module, conv: str, features: Tensor) -> None:
        """Let every watch see ``features`` ``(N·T, C, H, W)``, which may be overwritten later in
        the pass.
        """
        for watch in self.watches:
            watch(host, conv, features.unflatten(0, (-1, self.num_segments)))

    def pass_on(self, host: nn.Module, point: str, features: Tensor) -> Tensor:
        """Offer ``features`` (N·T, C, H, W) at a point of ``host`` to every feature tap in turn;
        each returns those to go on with.

        Points are the end of a block (its name in ``host``, empty where ``host`` is the block) and,
        at a convolution where a temporal module stands or could stand, ``{conv}:before`` and
        ``{conv}:after`` it.
        """
        for tap in self.feature_taps:
            features = tap(host, point, features)
        return features

    def show_route(self, module: nn.Module, x: Tensor, gate: Tensor) -> None:
        """Let every watch see the features ``x`` (N·T, C, H, W) that enter ``module`` and the
        ``gate`` (N, T, 2, H, W) they meet.
        """
        for route in self.routes:
            route(module, x.unflatten(0, (-1, self.num_segments)), gate)


def frame_by_frame(stem: Callable[[Tensor], Tensor], x: Tensor, run: ClipRun) -> Tensor:
    """``stem(x)`` for layers that see each frame alone, on a CPU a few frames at a time: their
    large features then stay in memory that the process has already, instead of being asked of the
    system anew in every pass. Whole where somebody looks or a gradient is wanted."""
    if (
        len(x) <= STEM_FRAMES
        or x.device.type != "cpu"
        or not run.is_bare
        or torch.is_grad_enabled()
    ):
        return stem(x)
    return torch.cat([stem(part) for part in x.split(STEM_FRAMES)])


class Basis(nn.Module):
    """How features of a folded layer stand to the network's own: channel c holds ``scale[c] ·
    own[order[c]] + shift[c]``; each is (C,).
    """

    def __init__(self, scale: Tensor, shift: Tensor, order: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.register_buffer("order", order)

    def apply_to(self, own: Tensor) -> Tensor:
        """(N, C, H, W) in the network's own units → as the folded layer holds them."""
        x = own if self.order is None else own[:, self.order]
        return x * self.scale.view(-1, 1, 1) + self.shift.view(-1, 1, 1)

    def undo(self, x: Tensor) -> Tensor:
        """(N, C, H, W) as a folded layer holds them → in the network's own units."""
        own = (x - self.shift.view(-1, 1, 1)) / self.scale.view(-1, 1, 1)
        return own if self.order is None else own[:, self.order.argsort()]


class TemporalModule(nn.Module):
    """A module that moves gated features by one frame: gate 0 from t+1 to t, gate 1 from t−1 to t.

    What it adds to a frame is gate·x of a neighbour, and what it takes from it gate·x of its own.
    """

    def gated_channels(self, channels: int) -> tuple[slice, slice]:
        """Which of ``channels`` input channels each of the two gates rules; the others stay."""
        raise NotImplementedError

    def reach(self) -> tuple[int, int]:
        """How many frames back and ahead of t the output at t can depend on, by which of the
        weights are not zero.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Site:
    """A place in a backbone where a temporal module can stand: one residual block or Inception
    branch.

    ``conv`` is the convolution that a module *between a convolution and its BatchNorm* follows;
    ``branch`` is the first convolution of the same branch, which a module *at the start of the
    branch* precedes. ``title`` is what people call the block. ``block`` counts the blocks of a
    ``stage`` from 0.
    """

    host: TemporalHost
    conv: str
    branch: str
    title: str
    stage: str = ""
    block: int = 0


def every_site(sites: Sequence[Site]) -> Sequence[Site]:
    """The default choice: one module a site."""
    return sites


@dataclass(frozen=True)
class TemporalKind:
    """One entry of the registry.

    ``build(channels)`` makes the module; ``place`` says on which side of a site's convolutions it
    stands; ``choose`` picks the sites; ``prefix`` names the attribute, ``{prefix}_{convolution}``.
    """

    name: str
    title: str
    prefix: str
    build: Callable[[int], TemporalModule] | None
    place: Literal["between convolution and BatchNorm", "start of branch"] = (
        "between convolution and BatchNorm"
    )
    choose: Callable[[Sequence[Site]], Sequence[Site]] = every_site


class TemporalHost(nn.Module):
    """A module with named convolutions, each followed by a BatchNorm, that temporal modules can
    join.
    """

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, str] = {}
        self._after: dict[str, str] = {}

    def norm_name(self, conv: str) -> str:
        """The attribute that holds the BatchNorm of the convolution ``conv``."""
        raise NotImplementedError

    def conv_bn(self, conv: str, x: Tensor, run: ClipRun, relu: bool = False) -> Tensor:
        """Convolution and BatchNorm, with the temporal modules that stand before and between them;
        then a ReLU if asked.
        """
        layer = getattr(self, conv)
        if conv in self._before:
            x = self._at_module(conv, self._before[conv], x, run)
        if relu and conv not in self._after and run.is_bare and hasattr(layer, "basis"):
            return layer(x, relu=True)
        x = layer(x)
        if conv not in self._before:
            x = self._at_module(conv, self._after.get(conv), x, run)
        x = getattr(self, self.norm_name(conv))(x)
        run.show(self, conv, x)
        return F.relu(x, inplace=True) if relu else x

    def _at_module(self, conv: str, attribute: str | None, x: Tensor, run: ClipRun) -> Tensor:
        """The temporal module of ``conv``, if any, with the points before and after it."""
        module = None if attribute is None else getattr(self, attribute)
        if not run.feature_taps:
            return x if module is None else module(x, run)
        entering = None if conv in self._before else getattr(getattr(self, conv), "basis", None)
        x = self._point(f"{conv}:before", x, run, entering)
        if module is not None:
            x = module(x, run)
        return self._point(
            f"{conv}:after", x, run, entering if module is None else getattr(module, "basis", None)
        )

    def _point(self, point: str, x: Tensor, run: ClipRun, basis: Basis | None) -> Tensor:
        """Offer ``x`` to the feature taps in the network's own units, whatever a folded layer holds
        them in.
        """
        if basis is None:
            return run.pass_on(self, point, x)
        return basis.apply_to(run.pass_on(self, point, basis.undo(x))).to(x.dtype)

    def module_conv(self, site: Site) -> str:
        """The convolution of ``site`` at which its module stands; without a module, at which one
        between convolution and BatchNorm would.
        """
        return site.branch if site.branch in self._before else site.conv

    def attach(self, kind: TemporalKind, site: Site) -> None:
        """Put one temporal module of ``kind`` at ``site`` of this host."""
        between = kind.place == "between convolution and BatchNorm"
        conv = site.conv if between else site.branch
        layer = getattr(self, conv)
        attribute = f"{kind.prefix}_{conv}"
        setattr(self, attribute, kind.build(layer.out_channels if between else layer.in_channels))
        (self._after if between else self._before)[conv] = attribute

    def module_after(self, conv: str) -> str | None:
        """The attribute of the temporal module between the convolution ``conv`` and its BatchNorm,
        ``None`` where there is none.
        """
        return self._after.get(conv)

    def temporal_at(self, site: Site) -> str | None:
        """The attribute that holds the temporal module of a site of this host, ``None`` where it
        has none.
        """
        return self._after.get(site.conv) or self._before.get(site.branch)


def attach_temporal_modules(sites: Sequence[Site], kind: TemporalKind) -> None:
    """Place ``kind`` at the sites it chooses; does nothing for the kind without a module (TSN)."""
    if kind.build is None:
        return
    for site in kind.choose(sites):
        site.host.attach(kind, site)
