"""CoST(b): one 2D kernel looks at three planes of a clip, weighed by what the clip shows.

Source: Li, Zhong, Xie, Pu, "Collaborative Spatiotemporal Feature Learning for Video Action
Recognition", CVPR 2019, section 3.2, and the authors' refactored release
(hikvision-research/cost). With w a k×k kernel, y_HW, y_TW and y_TH are w over height and width,
time and width, time and height, and y = Σ_v α_v·y_v. For each clip α is made of the largest values
of each y_v over time and space, (3, C'), by a C'×C' matrix that the views share, a 3×3 matrix that
the channels share, and a softmax over the views; no bias, nothing between. Both start near zero, so
that α is about ⅓.

Here in the place of every square k×k convolution of a block. Receptive field: the whole clip, since
α is made of all of it; it is not order-blind, for the planes look along time.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.cost_views import VIEWS, SharedKernel, install_shared
from gsm_model.models.systems.drawing import AROUND, KEPT, Branch, Link, Step
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import taps_over_time
from gsm_model.models.temporal import WHOLE_CLIP, ClipReading, TemporalModule


class ChosenViews(SharedKernel):
    """Σ_v α_v·y_v with α of the clip: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``."""

    clip_readings = (
        ClipReading(
            "views",
            "Weight of each plane in this clip (the mean over channels)",
            ("kind",),
            VIEWS,
            "share",
        ),
    )

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__(conv)
        self.across_channels = nn.Linear(self.out_channels, self.out_channels, bias=False)
        self.across_views = nn.Linear(len(VIEWS), len(VIEWS), bias=False)
        for matrix in (self.across_channels, self.across_views):
            nn.init.normal_(matrix.weight, std=0.01)

    def planes(self, x: Tensor) -> Tensor:
        """y_v ``(3, N, T, C', H', W')`` for each of `VIEWS`, without the bias."""
        w, middle = self.weight, self.middle
        kernels = (w[:, :, None], w[:, :, :, None], w[:, :, :, :, None])
        paddings = ((middle, middle), (0, middle), (middle, 0))
        return torch.stack(
            [
                taps_over_time(x, kernel, None, self.stride, padding)
                for kernel, padding in zip(kernels, paddings, strict=True)
            ]
        )

    def views(self, planes: Tensor) -> Tensor:
        """α ``(3, N, C')`` of the clips whose y_v are ``planes``."""
        largest = planes.amax((2, 4, 5))
        across = self.across_views(self.across_channels(largest).movedim(0, -1))
        return torch.softmax(across, -1).movedim(-1, 0)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        planes = self.planes(x)
        views = self.views(planes)
        probe.read(self, "views", views.mean(2).T)
        shape = (len(views), len(x), 1, -1, 1, 1)
        weights = views if self.basis is None else views * self.basis.scale.to(views.dtype)
        out = (planes * weights.view(shape)).sum(0)
        shift = self._shift()
        return out if shift is None else out + shift.to(out.dtype).view(-1, 1, 1)

    def _shift(self) -> Tensor | None:
        """What is added to each channel (C'): its bias, and a BatchNorm's that is folded in."""
        if self.basis is None:
            return self.bias
        bias = torch.zeros_like(self.basis.shift) if self.bias is None else self.bias
        return self.basis.shift + self.basis.scale * bias

    def reach(self) -> tuple[int, int]:
        chooses = self.across_channels.weight.any() and self.across_views.weight.any()
        return (WHOLE_CLIP, WHOLE_CLIP) if chooses else self.kernel_reach()

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        folded = copy.deepcopy(self)
        folded.basis = Basis.of(norm)
        return folded


def install(backbone: Backbone) -> None:
    """Every square convolution of a block is replaced."""
    install_shared(backbone, ChosenViews)


SYSTEM = System(
    name="cost_b",
    title="CoST(b)",
    paper=(
        "Li, Zhong, Xie, Pu: Collaborative Spatiotemporal Feature Learning for Video Action"
        " Recognition. CVPR 2019"
    ),
    install=install,
    marks=r"\.across_views\.weight$",
    idea=(
        "One 2D kernel looks at three planes of a clip: height and width, time and width, time"
        " and height. The weights with which the three results are added are made of the largest"
        " values of each in the whole clip. So the network can lean on the picture in one clip and"
        " on the planes of time in another."
    ),
    drawing=(
        Branch(
            (
                Step("one kernel in three planes", (Link((0,)), Link((-1, 1)))),
                Step("weights from the whole clip", (Link(AROUND, kind="gated"), KEPT), True),
            )
        ),
    ),
)
