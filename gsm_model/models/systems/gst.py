"""GST, grouped spatial-temporal aggregation: a 2D convolution beside a 3D one, on other channels.

Source: Luo, Yuille, "Grouped Spatial-Temporal Aggregation for Efficient Action Recognition", ICCV
2019, section 3, and the authors' release (chenxuluo/GST-video). In each block the last 3×3
convolution becomes two: of C output channels the first C·(α − 1)/α come from a spatial one, the
last C/α from a full 3×3×3; with β = 2 the spatial one sees the first half of the input channels and
the other the second half, with β = 1 (GST-Large) both see all. α = 4.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.inference.folded_conv import scaled_conv
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import AROUND, Branch, Link, Step
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    conv_over_time,
    conv_reach,
    geometry,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule

ALPHA, BETA, TAPS = 4, 2, 3


class GroupedSpatialTemporal(TemporalModule):
    """In the place of a 2D convolution: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``.

    Raises:
        ValueError: if β does not divide the input channels or α the output channels.
    """

    def __init__(self, conv: nn.Conv2d, beta: int = BETA) -> None:
        super().__init__()
        c_in, c_out = conv.in_channels, conv.out_channels
        if c_in % beta or c_out % ALPHA:
            raise ValueError(
                f"GST needs input channels that {beta} divides and output channels that {ALPHA}"
                f" divides, got {c_in} and {c_out}"
            )
        sees, temporal = c_in // beta, c_out // ALPHA
        kernel, stride, padding = geometry(conv)
        self.spatial = nn.Conv2d(sees, c_out - temporal, kernel, stride, padding, bias=False)
        self.temporal = nn.Conv3d(
            sees,
            temporal,
            (TAPS, *kernel),
            (1, *stride),
            (TAPS // 2, *padding),
            bias=False,
        )
        for one in (self.spatial, self.temporal):
            nn.init.kaiming_normal_(one.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        sees = self.spatial.in_channels
        still = self.spatial(x[:, :, :sees].flatten(0, 1)).unflatten(0, x.shape[:2])
        return torch.cat([still, conv_over_time(x[:, :, -sees:], self.temporal)], dim=2)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.temporal)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        """The temporal kernels, and the scales |γ| of the BatchNorm behind: the paper's own measure
        of what spatial and temporal channels contribute (section 4.4).
        """
        found = temporal_kernel_readings(self.temporal)
        if not isinstance(norm, nn.BatchNorm2d):
            return found
        scales = norm.weight.detach().abs().float().cpu()
        still = self.spatial.out_channels
        means = torch.stack([scales[:still].mean(), scales[still:].mean()])
        title = "Mean |γ| of the spatial and of the temporal channels"
        return (*found, Reading("scales", title, ("channels",), means, "", ("spatial", "temporal")))

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        folded, still = copy.deepcopy(self), self.spatial.out_channels
        for conv, channels in (
            (folded.spatial, slice(0, still)),
            (folded.temporal, slice(still, None)),
        ):
            scaled_conv(conv, _part(norm, channels))
        folded.basis = Basis.of(norm)
        return folded


def _part(norm: nn.BatchNorm2d, channels: slice) -> nn.BatchNorm2d:
    """A BatchNorm of some of the channels of ``norm``."""
    part = copy.deepcopy(norm)
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(part, name).data = getattr(norm, name).data[channels]
    return part


def install(backbone: Backbone) -> None:
    """The last convolution of each block that looks beyond one place is replaced."""
    for site in backbone.sites():
        site.replace(site.spatial[-1], GroupedSpatialTemporal)


SYSTEM = System(
    name="gst",
    title="GST",
    paper=(
        "Luo, Yuille: Grouped Spatial-Temporal Aggregation for Efficient Action Recognition. ICCV"
        " 2019"
    ),
    install=install,
    marks=r"\.temporal\.weight$",
    idea=(
        "The channels are divided: three quarters of the output come from a convolution of each"
        " frame, a quarter from a 3D one. Each of the two sees a half of the input channels. So"
        " features of space and of time are learnt side by side, in a block smaller than a 2D one."
    ),
    drawing=(
        Branch(
            (
                Step(
                    "3×3 beside 3×3×3",
                    (Link((0,), (0, 1, 2), (0, 1)), Link(AROUND, (3,), (2, 3))),
                ),
            )
        ),
    ),
)
