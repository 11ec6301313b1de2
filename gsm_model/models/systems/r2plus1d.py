"""R(2+1)D: every k×k×k convolution as a spatial one, BatchNorm, ReLU, and a temporal one.

Source: Tran, Wang, Torresani, Ray, LeCun, Paluri, "A Closer Look at Spatiotemporal Convolutions for
Action Recognition", CVPR 2018, section 3.5, and torchvision's ``Conv2Plus1D``. Here both 3×3
convolutions of a residual block are replaced (in a bottleneck its one) and the stem stays 2D; the
temporal stride is 1, so that T frames reach the consensus.
"""

from __future__ import annotations

import copy

import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.inference.folded_conv import scaled_conv
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import IN_FRAME, OVER_TIME, Branch
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    TAPS,
    conv_over_time,
    conv_reach,
    geometry,
    over_time,
    random_start,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule


def middle_channels(c_in: int, c_out: int, kernel: tuple[int, int], taps: int = TAPS) -> int:
    """How many channels stand between the two convolutions: as many as give the pair no more
    parameters than a 3D kernel has (paper, section 3.5).
    """
    area = kernel[0] * kernel[1]
    return taps * area * c_in * c_out // (area * c_in + taps * c_out)


class SpatialTemporalConv(TemporalModule):
    """S, BatchNorm, ReLU, T in the place of a 2D convolution: ``(N, T, C, H, W)`` → ``(N, T, C',
    H', W')``.

    ``middle`` is the number of channels between them, by default that of the paper's formula;
    ``step`` a stride in time, as published networks have it.
    """

    def __init__(self, conv: nn.Conv2d, middle: int | None = None, step: int = 1) -> None:
        super().__init__()
        kernel, stride, padding = geometry(conv)
        middle = middle or middle_channels(conv.in_channels, conv.out_channels, kernel)
        self.spatial = random_start(
            nn.Conv2d(conv.in_channels, middle, kernel, stride, padding, bias=False)
        )
        self.norm: nn.Module = nn.BatchNorm2d(middle)
        self.temporal = over_time(middle, step=step, out=conv.out_channels)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        middle = F.relu(self.norm(self.spatial(x.flatten(0, 1))), inplace=True)
        return conv_over_time(middle.unflatten(0, x.shape[:2]), self.temporal)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.temporal)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return temporal_kernel_readings(self.temporal)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule | None:
        if not isinstance(self.norm, nn.BatchNorm2d):
            return None
        folded = copy.deepcopy(self)
        scaled_conv(folded.spatial, self.norm)
        folded.norm = nn.Identity()
        scaled_conv(folded.temporal, norm)
        folded.basis = Basis.of(norm)
        return folded


def install(backbone: Backbone) -> None:
    """Every convolution of a block that looks beyond one place is replaced."""
    for site in backbone.sites():
        for conv in site.spatial:
            site.replace(conv, SpatialTemporalConv)


SYSTEM = System(
    name="r2plus1d",
    title="R(2+1)D",
    paper=(
        "Tran, Wang, Torresani, Ray, LeCun, Paluri: A Closer Look at Spatiotemporal Convolutions"
        " for Action Recognition. CVPR 2018"
    ),
    install=install,
    marks=r"\.spatial\.weight$",
    idea=(
        "A 3D convolution is taken apart into one of each frame and one over three frames, with a"
        " BatchNorm and a ReLU between. There are as many channels between the two as give the"
        " number of parameters of the 3D convolution. The ReLU between allows for more functions,"
        " and the paper finds the two parts easier to train than the one."
    ),
    drawing=(Branch((IN_FRAME, OVER_TIME)),),
)
