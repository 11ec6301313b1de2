"""MF-Net, the multi-fiber network: convolutions in 16 groups, and a multiplexer that joins them.

u = x + BN(Q(ReLU(BN(P(x))))), y = G(u), with P and Q of 1×1 through a quarter of the block's
channels and G a 3×3×3 convolution in 16 groups (*fibers*). Source: Chen, Kalantidis, Li, Yan, Feng,
"Multi-Fiber Networks for Video Recognition", ECCV 2018, section 3 (not the Motion Feature Network,
which is abbreviated alike). In the first k×k convolution of a block multiplexer and G stand here,
in a second one a grouped 2D convolution. The release orders BatchNorm, ReLU, convolution; here the
host's order stays, convolution, BatchNorm, ReLU. Where 16 does not divide the channels there are as
many fibers as divide both. Random start; the temporal stride is 1.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.backbones.resnet import ResNet
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import AROUND, POINTWISE, Branch, Link, Step
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    TAPS,
    NormedConv,
    absorbed_into,
    conv_over_time,
    conv_reach,
    geometry,
    like,
    random_start,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import ClipReading, Reading, TemporalModule

FIBERS = 16


class Multiplexer(nn.Module):
    """x + Q(P(x)), the only place where fibers meet: ``(N, T, C, H, W)`` → the same shape."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.reduced = NormedConv(random_start(nn.Conv2d(channels, inner, 1, bias=False)))
        self.restored = NormedConv(random_start(nn.Conv2d(inner, channels, 1, bias=False)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.restored(F.relu(self.reduced(x)))


class FiberConv(TemporalModule):
    """A multiplexer and a grouped 3D convolution in the place of a 2D one: ``(N, T, C, H, W)`` →
    ``(N, T, C', H', W')``. ``step`` is a stride in time.
    """

    clip_readings = (
        ClipReading(
            "fiber_change",
            "Fibers (as channels): their change from frame to frame, of that which changes most",
            ("channel",),
            (),
        ),
    )

    def __init__(self, conv: nn.Conv2d, step: int = 1) -> None:
        super().__init__()
        self.multiplexer = Multiplexer(conv.in_channels, max(1, conv.out_channels // 4))
        self.fibers = like(conv, TAPS, step, groups=fibers(conv))

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        out = conv_over_time(self.multiplexer(x), self.fibers)
        if probe.readings:
            probe.read(self, "fiber_change", self.change(self.own_output(out)))
        return out

    def change(self, out: Tensor) -> Tensor:
        """How much each fiber of ``out`` (N, T, C', H', W') changes from frame to frame, root mean
        square over the largest of the fibers', (N, fibers) in 0 … 1; 0 where nothing changes.
        """
        if out.shape[1] < 2:
            return out.new_zeros(len(out), self.fibers.groups)
        change = (out[:, 1:] - out[:, :-1]).float().square()
        found = change.unflatten(2, (self.fibers.groups, -1)).mean((1, 3, 4, 5)).sqrt()
        return found / found.amax(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.fibers)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return temporal_kernel_readings(self.fibers)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        return absorbed_into(self, "fibers", norm)


def fibers(conv: nn.Conv2d) -> int:
    """How many groups ``conv`` is cut into."""
    return math.gcd(FIBERS, conv.in_channels, conv.out_channels)


def grouped(conv: nn.Conv2d) -> nn.Conv2d:
    """``conv`` in fibers, random."""
    kernel, stride, padding = geometry(conv)
    return random_start(
        nn.Conv2d(
            conv.in_channels,
            conv.out_channels,
            kernel,
            stride,
            padding,
            groups=fibers(conv),
            bias=False,
        )
    )


def install(backbone: Backbone) -> None:
    """The first convolution of each block that looks beyond one place is replaced, a second one cut
    into fibers.

    Raises:
        ValueError: if the backbone is no ResNet.
    """
    if not isinstance(backbone, ResNet):
        raise ValueError(f"MF-Net is defined for ResNets, not for {type(backbone).__name__}")
    for site in backbone.sites():
        first, *others = site.spatial
        site.replace(first, FiberConv)
        for conv in others:
            setattr(site.host, conv, grouped(getattr(site.host, conv)))


SYSTEM = System(
    name="multifiber",
    title="MF-Net (multi-fiber)",
    paper="Chen, Kalantidis, Li, Yan, Feng: Multi-Fiber Networks for Video Recognition. ECCV 2018",
    install=install,
    marks=r"\.fibers\.weight$",
    idea=(
        "The channels are cut into 16 fibers that do not meet in the convolutions, which thereby"
        " have a sixteenth of the weights. Before them a multiplexer of two 1×1 convolutions lets"
        " the fibers exchange what they hold. The first convolution of each block looks at three"
        " frames."
    ),
    drawing=(
        Branch(
            (
                replace(POINTWISE, name="1×1 multiplexer"),
                Step(
                    "3×3×3 in each fiber",
                    (Link(AROUND, (0, 1), (0, 1)), Link(AROUND, (2, 3), (2, 3))),
                ),
            )
        ),
    ),
)
