"""FstCN, factorised spatio-temporal convolutions: 2D below, temporal kernels at the top alone.

y = x + BN(R(ReLU(BN(T(ReLU(BN(P(x)))))))), with P a 1×1 convolution C → C/4, T one of 3×1×1, and R
one of 1×1 back to C. Source: Sun, Jia, Yeung, Shi, "Human Action Recognition using Factorized
Spatio-Temporal Convolutional Networks", ICCV 2015. **This is our reading of it**, made without a
release and for another network: the paper puts, on top of 2D layers, a learnt matrix P along the
features (its transformation and permutation operator) and temporal convolutions beside one more
spatial layer, and concatenates the two behind fully connected layers. Here P and T stand behind the
last block and are added to it; two inputs (clip and difference) and the fusion of several clips are
left out. The last BatchNorm starts at zero: a fresh network is the 2D network.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import (
    OVER_TIME,
    UNCHANGED,
    Branch,
    Link,
    Step,
    from_few,
    to_few,
)
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    NormedConv,
    conv_reach,
    over_time,
    random_start,
    scale_readings,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule

REDUCED = 4


class FactorisedTop(TemporalModule):
    """The path of temporal kernels, added to what it sees: ``(N, T, C, H, W)`` → the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // REDUCED)
        self.permuted = NormedConv(random_start(nn.Conv2d(channels, inner, 1, bias=False)))
        self.temporal = NormedConv(over_time(inner))
        self.restored = NormedConv(random_start(nn.Conv2d(inner, channels, 1, bias=False)))
        nn.init.zeros_(self.restored.norm.weight)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        inner = F.relu(self.temporal(F.relu(self.permuted(x))))
        return x + self.restored(inner)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.temporal.over_time)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return (
            *temporal_kernel_readings(self.temporal.over_time),
            *scale_readings({"added": self.restored[1]}, "Mean |γ| of what is added"),
        )


def install(backbone: Backbone) -> None:
    """One module behind the last block."""
    backbone.sites()[-1].insert(FactorisedTop, "end", "fstcn")


SYSTEM = System(
    name="fstcn",
    title="FstCN (our reading)",
    paper=(
        "Sun, Jia, Yeung, Shi: Human Action Recognition using Factorized Spatio-Temporal"
        " Convolutional Networks. ICCV 2015"
    ),
    install=install,
    marks=r"(^|\.)fstcn(_\w+)?\.permuted\.0\.weight$",
    idea=(
        "Space and time are learnt apart: 2D convolutions below, temporal ones at the top of the"
        " network alone. In front of the temporal convolution a learnt projection brings channels"
        " together. This is our reading; the paper's network is another one, and this point is"
        " what is kept of it."
    ),
    drawing=(
        UNCHANGED,
        Branch(
            (
                to_few("1×1 to a quarter", (0,)),
                Step(OVER_TIME.name, (Link((-1, 0, 1), (0,), (0,)),)),
                from_few("1×1", (0,)),
            )
        ),
    ),
)
