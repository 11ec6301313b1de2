"""STM: a channel-wise convolution over time in front of a spatial one, and beside it what moves.

Source: Jiang, Wang, Gan, Wu, Yan, "STM: SpatioTemporal and Motion Encoding for Action Recognition",
ICCV 2019. In place of the last k×k convolution of each block:

- CSTM: a depthwise convolution over three frames, then the 2D convolution. It starts as a shift:
  the first quarter of the channels takes t−1, the last quarter t+1, the middle half stays;
- CMM: F = BN(1×1 x) of C/16 channels, H(t) = K ∗ F(t+1) − F(t) with a depthwise 3×3 K, zero at the
  last frame, and a 1×1 convolution of H; where the block strides, its largest values.

The two are added. No code was published and the paper leaves open where BatchNorms stand; our
reading is that the sum meets the BatchNorm and ReLU of the convolution that is replaced, and that
the last convolution of CMM starts at zero: a fresh network is a shift of half the channels.
Receptive field: one frame each way. On a still clip H is K ∗ F − F, the same in all frames but the
last: zero only where K passes F unchanged.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.inference.folded_conv import FoldedConv, scale_and_shift, scaled_conv
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import (
    AROUND,
    IN_FRAME,
    Branch,
    Link,
    Step,
    from_few,
    minus,
    to_few,
)
from gsm_model.models.systems.motion_branch import change_to_next, pointwise
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    by_frame,
    conv_over_time,
    conv_reach,
    geometry,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import MAP_AXES, ClipReading, Reading, TemporalModule

REDUCTION = 16


class SpatioTemporalMotion(TemporalModule):
    """In the place of a 2D convolution: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``."""

    clip_readings = (
        ClipReading("motion", "What moves: |K ∗ F(t+1) − F(t)|", MAP_AXES, ("change",)),
    )

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        channels, reduced = conv.in_channels, max(1, conv.in_channels // REDUCTION)
        kernel, stride, padding = geometry(conv)
        self.shift = nn.Conv3d(
            channels, channels, (3, 1, 1), padding=(1, 0, 0), groups=channels, bias=False
        )
        self.shift.weight.data = shift_kernels(channels)
        bias = conv.bias is not None
        self.conv = nn.Conv2d(channels, conv.out_channels, kernel, stride, padding, bias=bias)
        self.conv.load_state_dict(conv.state_dict())
        self.squeeze: nn.Module = nn.Sequential(
            pointwise(channels, reduced),
            nn.BatchNorm2d(reduced),
        )
        self.kernel = nn.Conv2d(reduced, reduced, 3, padding=1, groups=reduced, bias=False)
        self.expand = pointwise(reduced, conv.out_channels)
        nn.init.zeros_(self.expand.weight)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        out = self.spatiotemporal(x)
        return out + self.motion(x, probe, out.shape[-2:])

    def spatiotemporal(self, x: Tensor) -> Tensor:
        """CSTM: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``."""
        return by_frame(self.conv, conv_over_time(x, self.shift))

    def motion(self, x: Tensor, probe: Probe, size: torch.Size) -> Tensor:
        """CMM: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')`` of the ``size`` (H', W')."""
        f = by_frame(self.squeeze, x)
        change = change_to_next(f, by_frame(self.kernel, f))
        if probe.readings:
            probe.read(self, "motion", change.abs().mean(2, keepdim=True))
        out = by_frame(self.expand, change)
        if out.shape[-2:] == size:
            return out
        return F.adaptive_max_pool2d(out.flatten(0, 1), size).unflatten(0, x.shape[:2])

    def reach(self) -> tuple[int, int]:
        back, ahead = conv_reach(self.shift)
        shown = bool(self.expand.weight.any() and self.kernel.weight.any())
        return back, max(ahead, int(shown))

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return temporal_kernel_readings(self.shift)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule | None:
        basis = Basis.of(norm)
        reduce, own_norm = self.squeeze.children()
        assert isinstance(reduce, nn.Conv2d) and isinstance(own_norm, nn.BatchNorm2d)
        if self.conv.stride != (1, 1) and bool((basis.scale <= 0).any()):
            return None  # the largest of values turned round is another
        folded = copy.deepcopy(self)
        folded.basis = basis
        scaled_conv(folded.conv, norm)
        folded.squeeze = FoldedConv(reduce, *scale_and_shift(own_norm))
        folded.expand.weight.data = self.expand.weight.data * basis.scale.view(-1, 1, 1, 1)
        return folded


def shift_kernels(channels: int) -> Tensor:
    """(C, 1, 3, 1, 1): a quarter takes t−1, the middle half t, a quarter t+1."""
    quarter, kernels = channels // 4, torch.zeros(channels, 1, 3, 1, 1)
    kernels[:quarter, :, 0] = 1
    kernels[quarter : channels - quarter, :, 1] = 1
    kernels[channels - quarter :, :, 2] = 1
    return kernels


def install(backbone: Backbone) -> None:
    """The last convolution of each block that looks beyond one place is replaced."""
    for site in backbone.sites():
        site.replace(site.spatial[-1], SpatioTemporalMotion)


SYSTEM = System(
    name="stm",
    title="STM",
    paper=(
        "Jiang, Wang, Gan, Wu, Yan: STM: SpatioTemporal and Motion Encoding for Action Recognition."
        " ICCV 2019"
    ),
    install=install,
    marks=r"\.squeeze\.0\.weight$",
    idea=(
        "Every channel has a convolution over three frames of its own before the spatial one; it"
        " starts as a shift. Beside it a few channels say how the next frame, filtered, differs"
        " from this one. The sum of both holds what is seen and what moves, at about the cost of"
        " the 2D block."
    ),
    drawing=(
        Branch((Step("each channel over three frames", (Link(AROUND, mixes=False),)), IN_FRAME)),
        Branch(
            (
                to_few("1×1 to few channels", (0,)),
                Step("next, filtered, − this", (Link((1,), (0,), (0,)), minus(0))),
                from_few("1×1", (0,)),
            )
        ),
    ),
)
