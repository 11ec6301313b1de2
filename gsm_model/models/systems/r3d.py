"""R3D: every k×k convolution of a block as a k×k×k one, over time and space at once.

y = W ∗ x with W of 3×k×k. Source: Tran, Wang, Torresani, Ray, LeCun, Paluri, "A Closer Look at
Spatiotemporal Convolutions for Action Recognition", CVPR 2018, section 3.2. Starts as the 2D
convolution: its kernel is the centre tap, the others are zero. Here the stem stays 2D and the
temporal stride is 1, so that T frames reach the consensus.
"""

from __future__ import annotations

import re

from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import SPACE_TIME, Branch
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    TAPS,
    absorbed_into,
    conv_over_time,
    conv_reach,
    like,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule


class InflatedConv(TemporalModule):
    """A 3D convolution in the place of a 2D one: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``.

    ``taps`` is how many frames it looks at, ``step`` its stride in time, as published networks have
    them.
    """

    def __init__(self, conv: nn.Conv2d, taps: int = TAPS, step: int = 1) -> None:
        super().__init__()
        self.inflated = like(conv, taps, step)
        nn.init.zeros_(self.inflated.weight)
        self.inflated.weight.data[:, :, taps // 2] = conv.weight.data
        if conv.bias is not None and self.inflated.bias is not None:
            self.inflated.bias.data.copy_(conv.bias.data)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return conv_over_time(x, self.inflated)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.inflated)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return temporal_kernel_readings(self.inflated)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        return absorbed_into(self, "inflated", norm)


def inflate(backbone: Backbone, stages: str) -> None:
    """Replace every convolution that looks beyond one place, in the blocks whose stage ``stages``,
    a regular expression, matches.

    Raises:
        ValueError: if no block's does.
    """
    chosen = [site for site in backbone.sites() if re.fullmatch(stages, site.stage)]
    if not chosen:
        raise ValueError(
            f"{type(backbone).__name__} has no stage such as {stages!r}; choose a ResNet"
        )
    for site in chosen:
        for conv in site.spatial:
            site.replace(conv, InflatedConv)


def install(backbone: Backbone) -> None:
    """Every convolution of a block that looks beyond one place is replaced."""
    inflate(backbone, ".*")


SYSTEM = System(
    name="r3d",
    title="R3D",
    paper=(
        "Tran, Wang, Torresani, Ray, LeCun, Paluri: A Closer Look at Spatiotemporal Convolutions"
        " for Action Recognition. CVPR 2018"
    ),
    install=install,
    marks=r"\.inflated\.weight$",
    idea=(
        "Every convolution of a block looks at three frames as well as at three by three places."
        " Time is an axis like those of space, in the whole network. The kernels start as those of"
        " the 2D network in their centre, with zeros for the frames beside it."
    ),
    drawing=(Branch((SPACE_TIME,)),),
)
