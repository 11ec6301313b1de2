"""MiCT, mixed convolutional tubes: a 3D convolution beside a block of 2D ones.

y = B(x) + ReLU(BN(V(x))), with B the first residual block of a stage and V a 3×3×3 convolution of
what enters it, with the block's stride in space. Source: Zhou, Sun, Zha, Zeng, "MiCT: Mixed 3D/2D
Convolutional Tube for Human Action Recognition", CVPR 2018, section 3 ("cross-domain residual
connection"), on ResNets as fmahoudeau/MiCT-Net-PyTorch, a port that is not the authors'. There the
stem has a tube too, time is strided, and V looks ahead alone; here the stem stays 2D, T frames are
kept, and V looks one frame each way. The BatchNorm starts at zero: a fresh network is the 2D
network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import IN_FRAME, SPACE_TIME, Branch, Step
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    TAPS,
    NormedConv,
    conv_reach,
    random_start,
    scale_readings,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule


class Tube(TemporalModule):
    """ReLU(BN(V(x))): ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``, added to a block's output.

    ``step`` is a stride in time; ``taps`` how many frames V looks at.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, taps: int = TAPS, step: int = 1) -> None:
        super().__init__()
        conv = nn.Conv3d(
            c_in, c_out, (taps, 3, 3), (step, stride, stride), (taps // 2, 1, 1), bias=False
        )
        self.tube = NormedConv(random_start(conv))
        nn.init.zeros_(self.tube.norm.weight)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        # A ReLU, but with a gradient where it starts, at exactly zero: torch's relu has none there,
        # nor has its clamp from 2.15 on, and the tube would never learn.
        found = self.tube(x)
        return torch.where(found < 0, 0, found)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.tube.over_time)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return (
            *temporal_kernel_readings(self.tube.over_time),
            *scale_readings({"tube": self.tube[1]}, "Mean |γ| of the 3D tube"),
        )


def install(backbone: Backbone) -> None:
    """One tube beside the first block of each stage.

    Raises:
        ValueError: if the backbone has no residual blocks.
    """
    for site in backbone.sites():
        if site.block == 0:
            site.add_beside(Tube, "mict")


SYSTEM = System(
    name="mict",
    title="MiCT",
    paper=(
        "Zhou, Sun, Zha, Zeng: MiCT: Mixed 3D/2D Convolutional Tube for Human Action Recognition."
        " CVPR 2018"
    ),
    install=install,
    marks=r"\.mict\.tube\.0\.weight$",
    idea=(
        "A 3D convolution stands beside the first 2D block of each stage, and its result is"
        " added. So it needs to learn only what the 2D path lacks. A few 3D convolutions are"
        " enough, and the network keeps its depth."
    ),
    drawing=(
        Branch((Step("2D block", IN_FRAME.links),)),
        Branch((SPACE_TIME,)),
    ),
)
