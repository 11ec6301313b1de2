"""P3D, pseudo-3D residual blocks: a spatial and a temporal convolution, in series or side by side.

A: T(S(x)); B: S(x) + T(x); C: S(x) + T(S(x)), with S the 2D convolution and T one of 3×1×1, each
followed by its BatchNorm and ReLU. The kinds take turns from block to block. Source: Qiu, Yao, Mei,
"Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks", ICCV 2017, section 3.2.
Here the pair stands in every block, in the place of the last k×k convolution, whose BatchNorm
becomes that of S; the last stage has it too, and the temporal stride is 1. The second convolution
of a basic block has no ReLU behind it, and there neither of the two summands has one.

S starts as the 2D convolution. T starts at zero in B and C, which are then the 2D block exactly,
and as the identity in A.
"""

from __future__ import annotations

import itertools
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.backbones.resnet import ResNet
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import IN_FRAME, OVER_TIME, Branch
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    NormedConv,
    conv_reach,
    geometry,
    over_time,
    scale_readings,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule

Kind = Literal["A", "B", "C"]
KINDS: tuple[Kind, ...] = ("A", "B", "C")


class PseudoConv(TemporalModule):
    """S and T in the place of a 2D convolution and its BatchNorm ``norm``: ``(N, T, C, H, W)`` →
    ``(N, T, C', H', W')``, before the ReLU that stands behind that if ``relu``. It changes nothing
    in the sum of B and C, whose summands have had theirs.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.Module, kind: Kind, relu: bool = True) -> None:
        super().__init__()
        self.kind, self.relu = kind, relu
        self.pseudo_spatial = NormedConv(conv, norm)
        if kind == "B":
            _, stride, _ = geometry(conv)
            temporal = over_time(conv.in_channels, stride=stride, out=conv.out_channels)
        else:
            temporal = over_time(conv.out_channels)
        (nn.init.dirac_ if kind == "A" else nn.init.zeros_)(temporal.weight)
        self.pseudo_temporal = NormedConv(temporal)
        scale = self.pseudo_spatial.norm.weight
        if kind == "A" and not scale.is_meta and not scale.any():
            # An untrained block ends in a scale of zero. In A what ends is T: in front of it the
            # zero would shut the ReLU between the two for good.
            nn.init.ones_(scale)
            nn.init.zeros_(self.pseudo_temporal.norm.weight)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        still = self.pseudo_spatial(x)
        moving = self.pseudo_temporal(x if self.kind == "B" else F.relu(still))
        if self.kind == "A":
            return moving
        return F.relu(still) + F.relu(moving) if self.relu else still + moving

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.pseudo_temporal.over_time)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        norms = {"S": self.pseudo_spatial[1], "T": self.pseudo_temporal[1]}
        return (
            *temporal_kernel_readings(self.pseudo_temporal.over_time),
            *scale_readings(norms, "Mean |γ| behind the spatial (S) and the temporal convolution"),
        )


def install(backbone: Backbone) -> None:
    """The pair in the place of each block's last convolution that looks beyond one place, and of
    its BatchNorm; A, B and C in turn.

    Raises:
        ValueError: if the backbone is no ResNet.
    """
    if not isinstance(backbone, ResNet):
        raise ValueError(f"P3D is defined for ResNets, not for {type(backbone).__name__}")
    for site, kind in zip(backbone.sites(), itertools.cycle(KINDS), strict=False):
        conv = site.spatial[-1]
        norm = site.host.norm_name(conv)
        pair = PseudoConv(
            getattr(site.host, conv), getattr(site.host, norm), kind, relu=conv != site.conv
        )
        site.host.replace_conv(conv, pair)
        setattr(site.host, norm, nn.Identity())


SYSTEM = System(
    name="p3d",
    title="P3D",
    paper=(
        "Qiu, Yao, Mei: Learning Spatio-Temporal Representation with Pseudo-3D Residual Networks."
        " ICCV 2017"
    ),
    install=install,
    marks=r"\.pseudo_temporal\.0\.weight$",
    idea=(
        "A convolution of each frame and one over three frames stand for a 3D one, in three"
        " arrangements: behind each other (A), side by side (B), or both (C, drawn). They take"
        " turns from block to block, because a variety of structures is held to be of use. The"
        " spatial part starts as the 2D convolution."
    ),
    drawing=(Branch((IN_FRAME,)), Branch((IN_FRAME, OVER_TIME))),
)
