"""S3D: every k×k convolution, then one over time of its output.

y = T(ReLU(BN(S(x)))), with S the 2D convolution and T one of 3×1×1, C' → C'; the host's BatchNorm
and ReLU follow. Source: Xie, Sun, Huang, Tu, Murphy, "Rethinking Spatiotemporal Feature Learning:
Speed-Accuracy Trade-offs in Video Classification", ECCV 2018, section 4, and torchvision's ``s3d``
(BatchNorm and ReLU behind both; the first reference code has none behind T). S starts as the 2D
convolution and T as the identity, so that a fresh module is the 2D convolution with its BatchNorm
and ReLU. Here every k×k convolution of a block is replaced and the stem stays 2D; the temporal
stride is 1.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import IN_FRAME, OVER_TIME, Branch
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    TAPS,
    NormedConv,
    absorbed_into,
    conv_over_time,
    conv_reach,
    over_time,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule


class SeparableConv(TemporalModule):
    """S, BatchNorm, ReLU, T in the place of a 2D convolution: ``(N, T, C, H, W)`` → ``(N, T, C',
    H', W')``.

    ``taps`` is how many frames T looks at, ``step`` its stride in time, as published networks have
    them.
    """

    def __init__(self, conv: nn.Conv2d, taps: int = TAPS, step: int = 1) -> None:
        super().__init__()
        self.separable_spatial = NormedConv(conv)
        self.separable_temporal = over_time(conv.out_channels, taps, step)
        nn.init.dirac_(self.separable_temporal.weight)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        still = F.relu(self.separable_spatial(x), inplace=True)
        return conv_over_time(still, self.separable_temporal)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.separable_temporal)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return temporal_kernel_readings(self.separable_temporal)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        return absorbed_into(self, "separable_temporal", norm)


def install(backbone: Backbone) -> None:
    """Every convolution of a block that looks beyond one place is replaced."""
    for site in backbone.sites():
        for conv in site.spatial:
            site.replace(conv, SeparableConv)


SYSTEM = System(
    name="s3d",
    title="S3D",
    paper=(
        "Xie, Sun, Huang, Tu, Murphy: Rethinking Spatiotemporal Feature Learning: Speed-Accuracy"
        " Trade-offs in Video Classification. ECCV 2018"
    ),
    install=install,
    marks=r"\.separable_temporal\.weight$",
    idea=(
        "A 3D convolution becomes the 2D one, followed by a convolution over three frames of its"
        " output. Space and time are learnt apart, with far fewer multiply-adds than in 3D"
        " convolutions. The temporal part starts as the identity, so that a fresh network does"
        " what the 2D convolutions do."
    ),
    drawing=(Branch((IN_FRAME, OVER_TIME)),),
)
