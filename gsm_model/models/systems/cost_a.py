"""CoST(a): one 2D kernel looks at three planes of a clip, with a learnt weight for each.

Source: Li, Zhong, Xie, Pu, "Collaborative Spatiotemporal Feature Learning for Video Action
Recognition", CVPR 2019, section 3.2, and the authors' refactored release
(hikvision-research/cost). With w a k×k kernel, y_HW, y_TW and y_TH are w over height and width,
time and width, time and height, and y = Σ_v α_v·y_v, Σ_v α_v = 1 for each output channel; α is the
softmax of three learnt numbers a channel that start at 0.7, −0.7, −0.7. All that is one 3D kernel
of 19 numbers (k = 3), and computed as such.

Here in the place of every square k×k convolution of a block (the release: of half of the blocks of
a ResNet-50, and it halves time once). 2D weights load unchanged; with α = (1, 0, 0) it is the 2D
network. Receptive field: one frame each way (k = 3). It is blind to a clip's reversal only if its
kernels are symmetric along the axis that becomes time in a plane: along their first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.inference.folded_conv import scaled_conv
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.cost_views import (
    VIEWS,
    SharedKernel,
    as_3d,
    install_shared,
)
from gsm_model.models.systems.drawing import Branch, Link, Step
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    conv_over_time,
    conv_reach,
    taps_over_time,
)
from gsm_model.models.temporal import Reading, TemporalModule

START = (0.7, -0.7, -0.7)


class WeightedViews(SharedKernel):
    """Σ_v α_v·y_v with α learnt: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv)
        start = torch.tensor(START, device=self.weight.device).view(3, 1)
        self.alpha = nn.Parameter(start.repeat(1, self.out_channels))

    def views(self) -> Tensor:
        """α (3, C'): the weight of each of `VIEWS` for each output channel."""
        return torch.softmax(self.alpha, 0)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        kernel, padding = as_3d(self.weight, self.views()), (self.middle, self.middle)
        return taps_over_time(x, kernel, self.bias, self.stride, padding)

    def reach(self) -> tuple[int, int]:
        return self.kernel_reach() if self.views()[1:].any() else (0, 0)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        means = self.views().detach().float().mean(1).cpu()
        title = "Weight of each plane (the mean over channels)"
        return (Reading("views", title, ("view",), means, "share", VIEWS),)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        middle, channels = self.middle, self.weight.shape[:2]
        conv = nn.Conv3d(
            channels[1],
            channels[0],
            self.size,
            (1, *self.stride),
            middle,
            bias=self.bias is not None,
            device=self.weight.device,
            dtype=self.weight.dtype,
        )
        conv.weight.data = as_3d(self.weight, self.views()).detach()
        if self.bias is not None:
            conv.bias = nn.Parameter(self.bias.detach().clone())
        scaled_conv(conv, norm)
        return FoldedViews(conv, Basis.of(norm))


class FoldedViews(TemporalModule):
    """`WeightedViews` as one 3D convolution, with the BatchNorm behind it folded in."""

    def __init__(self, conv: nn.Conv3d, basis: Basis) -> None:
        super().__init__()
        self.conv, self.basis = conv.requires_grad_(False), basis

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return conv_over_time(x, self.conv)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.conv)


def install(backbone: Backbone) -> None:
    """Every square convolution of a block is replaced."""
    install_shared(backbone, WeightedViews)


SYSTEM = System(
    name="cost_a",
    title="CoST(a)",
    paper=(
        "Li, Zhong, Xie, Pu: Collaborative Spatiotemporal Feature Learning for Video Action"
        " Recognition. CVPR 2019"
    ),
    install=install,
    marks=r"\.alpha$",
    idea=(
        "One 2D kernel looks at three planes of a clip: height and width, time and width, time"
        " and height. The three results are added with learnt weights that make up 1 for each"
        " channel. So what is seen and what moves share their kernel, and the weights say how much"
        " a layer makes of time."
    ),
    drawing=(Branch((Step("one kernel in three planes", (Link((0,)), Link((-1, 1)))),)),),
)
