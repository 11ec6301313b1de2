"""S3D-G: S3D with a gate for each channel, computed from the mean of the whole clip.

y = σ(W · mean over T, H, W of x) ⊙ x, behind every pair of a spatial and a temporal convolution,
its BatchNorm and its ReLU. Source: Xie, Sun, Huang, Tu, Murphy, "Rethinking Spatiotemporal Feature
Learning: Speed-Accuracy Trade-offs in Video Classification", ECCV 2018, section 5 ("feature
gating"). W is C×C without a bias and starts at N(0, 0.01), so that all gates start at about ½; the
release with HowTo100M has a bias. Published networks also gate the 1×1 branches of Inception
blocks, which is not done here.

The gate of a clip is the same for every frame and place. It mixes all frames and is blind to their
order: what tells order is S3D's temporal convolutions alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import AROUND, IN_FRAME, KEPT, OVER_TIME, Branch, Link, Step
from gsm_model.models.systems.s3d import SeparableConv
from gsm_model.models.systems.system import System
from gsm_model.models.temporal import WHOLE_CLIP, ClipReading, Reading, TemporalModule


class ChannelGate(TemporalModule):
    """σ(W · mean(x)) ⊙ x, ``(N, T, C, H, W)`` → the same shape."""

    clip_readings = (
        ClipReading("channel_gate", "Channel gates: how much of each passes", ("channel",), ()),
    )

    def __init__(self, channels: int, bias: bool = False) -> None:
        super().__init__()
        self.channel_gate = nn.Linear(channels, channels, bias=bias)
        nn.init.normal_(self.channel_gate.weight, std=0.01)

    def gate(self, x: Tensor) -> Tensor:
        """The gate of ``x`` (N, T, C, H, W), ``(N, C)`` in (0, 1)."""
        return torch.sigmoid(self.channel_gate(x.mean(dim=(1, 3, 4))))

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        gate = self.gate(x)
        probe.read(self, "channel_gate", gate)
        return x * gate[:, None, :, None, None]

    def alone(self, x: Tensor) -> Tensor:
        """Every frame gated by its own mean."""
        return self(x.flatten(0, 1)[:, None], Probe(len(x))).view_as(x)

    def reach(self) -> tuple[int, int]:
        far = WHOLE_CLIP if self.channel_gate.weight.any() else 0
        return far, far

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        """How far the clip can move each channel's gate: the norms of W's rows."""
        rows = self.channel_gate.weight.detach().float().cpu().norm(dim=1, keepdim=True)
        title = "Channel gates: norm of the weights that open and close them"
        return (Reading("channel_gates", title, ("channel", "part"), rows, "L2 norm", ("W",)),)


def install(backbone: Backbone) -> None:
    """S3D, and a gate behind every replaced convolution, its BatchNorm and its ReLU."""
    for site in backbone.sites():
        for conv in site.spatial:
            site.follow(conv, ChannelGate, "gated")
            site.replace(conv, SeparableConv)


SYSTEM = System(
    name="s3dg",
    title="S3D-G",
    paper=(
        "Xie, Sun, Huang, Tu, Murphy: Rethinking Spatiotemporal Feature Learning: Speed-Accuracy"
        " Trade-offs in Video Classification. ECCV 2018"
    ),
    install=install,
    marks=r"\.channel_gate\.weight$",
    idea=(
        "It is S3D with a gate between 0 and 1 for every channel behind its convolutions. The"
        " gate is made of the mean of the whole clip, so that a channel is let through by what the"
        " clip shows altogether. A gate is one number a clip and cannot tell order; S3D's temporal"
        " convolutions can."
    ),
    drawing=(
        Branch(
            (
                IN_FRAME,
                OVER_TIME,
                Step("gate from the whole clip", (Link(AROUND, kind="gated"), KEPT), True),
            )
        ),
    ),
)
