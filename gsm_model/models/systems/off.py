"""OFF: the gradient of the features in space and time, which is orthogonal to their flow.

Source: Sun, Kuang, Sheng, Ouyang, Zhang, "Optical Flow Guided Feature: A Fast and Robust Motion
Representation for Video Action Recognition", CVPR 2018. If features f keep their brightness while
they move by (u, v), then (∂f/∂x, ∂f/∂y, ∂f/∂t)·(u, v, 1) = 0: that vector is the motion feature.

Our reading of it on one network: x + BN(W·[∂x f, ∂y f, ∂t f]) with f = ReLU(V·x) of half of the
channels, behind every stage but the last. Gradients in space are Sobel's, as in the paper (the
release's filter of that name is one diagonal derivative), divided by 8, so that ∂x of a·x is a;
beyond the border the picture goes on as it ends. ∂t f = f(t+1) − f(t) is zero at the last frame and
exactly zero on a still clip; the others are not. With the BatchNorm's scale at zero, as it starts,
it is the 2D network. Receptive field: the next frame.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import UNCHANGED, Branch, Link, Step, from_few, minus, to_few
from gsm_model.models.systems.motion_branch import (
    MotionBranch,
    change_to_next,
    pointwise,
)
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import by_frame
from gsm_model.models.temporal import MAP_AXES, ClipReading

SOBEL = ((-1 / 8, 0.0, 1 / 8), (-2 / 8, 0.0, 2 / 8), (-1 / 8, 0.0, 1 / 8))


class FlowGuidedFeature(MotionBranch):
    """x + BN(W·[∂x f, ∂y f, ∂t f]), f = ReLU(V·x): ``(N, T, C, H, W)`` → the same shape."""

    clip_readings = (
        ClipReading(
            "gradients",
            "Gradients of the features",
            MAP_AXES,
            ("over time, |∂t|", "over the picture, |∇|"),
        ),
        ClipReading(
            "normal_flow",
            "Normal flow −∂t·∇/|∇|², in places a frame",
            MAP_AXES,
            ("to the right", "downwards"),
            "places a frame",
            is_signed=True,
        ),
    )

    def __init__(self, channels: int) -> None:
        half = max(1, channels // 2)
        super().__init__(3 * half, channels)
        self.reduce = pointwise(channels, half)

    def motion(self, x: Tensor, probe: Probe) -> Tensor:
        f = F.relu(by_frame(self.reduce, x))
        across, down = sobel(f)
        over_time = change_to_next(f, f)
        if probe.readings:
            self._show(across, down, over_time, probe)
        return torch.cat([across, down, over_time], dim=2)

    def _show(self, across: Tensor, down: Tensor, over_time: Tensor, probe: Probe) -> None:
        """The mean size of the gradients over channels, and the flow along the gradient that fits
        all channels best.
        """
        in_space = torch.hypot(across, down)
        both = torch.stack([over_time.abs().mean(2), in_space.mean(2)], dim=2)
        probe.read(self, "gradients", both)
        tiny = torch.finfo(torch.float32).tiny
        whole = in_space.float().square().sum(2).clamp_min(tiny)
        flow = [-(over_time * one).float().sum(2) / whole for one in (across, down)]
        probe.read(self, "normal_flow", torch.stack(flow, dim=2))


def sobel(f: Tensor) -> tuple[Tensor, Tensor]:
    """∂x and ∂y of ``f`` (N, T, C, H, W), by place: each the shape of ``f``."""
    channels = f.shape[2]
    across = f.new_tensor(SOBEL)
    kernels = torch.stack([across, across.T])[:, None].repeat(channels, 1, 1, 1)
    frames = F.pad(f.flatten(0, 1), (1, 1, 1, 1), mode="replicate")
    both = F.conv2d(frames, kernels, groups=channels)
    both = both.unflatten(1, (channels, 2)).unflatten(0, f.shape[:2])
    return both[:, :, :, 0], both[:, :, :, 1]


def install(backbone: Backbone) -> None:
    """One module behind each stage but the last."""
    for stage in backbone.stages()[:-1]:
        backbone.insert_after(stage, FlowGuidedFeature, "off")


SYSTEM = System(
    name="off",
    title="OFF",
    paper=(
        "Sun, Kuang, Sheng, Ouyang, Zhang: Optical Flow Guided Feature: A Fast and Robust Motion"
        " Representation for Video Action Recognition. CVPR 2018"
    ),
    install=install,
    marks=r"(^|\.)off(_\w+)?\.reduce\.weight$",
    idea=(
        "Where features keep their values while they move, their gradient in space and time is"
        " orthogonal to the optical flow. So that gradient stands for the flow, which need not be"
        " computed: Sobel's filters in space, the difference to the next frame in time. Here it is"
        " added to the features of the one network; the paper has a branch with classifiers of its"
        " own for it."
    ),
    drawing=(
        UNCHANGED,
        Branch(
            (
                to_few("1×1 to half of the channels", (0, 1)),
                Step(
                    "in space; next − this",
                    (
                        Link((0,), (0,), mixes=False, kind="moved"),
                        Link((1,), (1,), mixes=False, kind="moved"),
                        minus(1),
                    ),
                ),
                from_few("1×1", (0, 1)),
            )
        ),
    ),
)
