"""Representation flow: the optical flow of features, computed by layers inside the network.

Source: Piergiovanni, Ryoo, "Representation Flow for Action Recognition", CVPR 2019: features are
reduced by a 1×1 convolution, the TV-L1 iteration runs on every channel of two neighbouring frames
without warping, and the flow, brought back to all channels by a 1×1 convolution and a BatchNorm, is
added to the features. Learnt are the kernels of the gradients of features, of the flow's
differences and of the divergence, and τ, λ, θ.

The layers as they were meant, where the release (commit b9dcb0a) does otherwise: every channel has
its own kernels, differences go along both axes, the gradient at the border is the second frame's,
and features are scaled to 0…255 by the two frames that the flow is between, not by the whole batch.
Behind the stage in the middle, with 32 channels at most; flow is zero at the last frame, which has
no next one. With the BatchNorm's scale at zero, as it starts, it is the 2D network. Receptive
field: the next frame. On a still clip the flow is exactly zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import UNCHANGED, Branch, Link, Step, from_few, to_few
from gsm_model.models.systems.motion_branch import MotionBranch, pointwise
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import by_frame
from gsm_model.models.temporal import MAP_AXES, ClipReading

CHANNELS = 32
ITERATIONS = 10
_TINY = 1e-12


@dataclass(frozen=True)
class FlowKernels:
    """The kernels and numbers of the iteration; pairs are (over columns, over rows).

    A kernel is (C, 1, h, w), one a channel, or (C, C, h, w), which adds up all channels; the longer
    of its sides is the axis that it goes along.
    """

    gradient: tuple[Tensor, Tensor]
    difference: tuple[Tensor, Tensor]
    divergence: tuple[Tensor, Tensor]
    tau: Tensor
    lam: Tensor
    theta: Tensor


def flow_of_features(
    first: Tensor,
    second: Tensor,
    kernels: FlowKernels,
    iterations: int = ITERATIONS,
    border: Literal["first", "second"] = "second",
) -> tuple[Tensor, Tensor]:
    """The flow (u, v) from features ``first`` to ``second``, (B, C, H, W), scaled to 255 values:
    each of their shape, in places to the right and down.

    At the border the gradient is that of the frame ``border`` (the release takes the first one's).
    """
    source = first if border == "first" else second
    gx, gy = (
        _gradient(second, source, kernel, axis)
        for kernel, axis in zip(kernels.gradient, (-1, -2), strict=True)
    )
    steepness = gx.square() + gy.square() + _TINY
    bound, ratio = kernels.lam * kernels.theta, kernels.tau / kernels.theta
    constant = second - first
    u, v = torch.zeros_like(first), torch.zeros_like(first)
    duals = [torch.zeros_like(first) for _ in range(4)]
    for _ in range(iterations):
        residual = constant + gx * u + gy * v
        step = torch.maximum(torch.minimum(-residual / steepness, bound), -bound)
        u = u + step * gx + kernels.theta * _divergence(duals[0], duals[1], kernels)
        v = v + step * gy + kernels.theta * _divergence(duals[2], duals[3], kernels)
        duals = [*_updated(u, duals[:2], kernels, ratio), *_updated(v, duals[2:], kernels, ratio)]
    return u, v


def _along(x: Tensor, kernel: Tensor, before: int, after: int) -> Tensor:
    """``kernel`` over ``x`` along its longer side, zeros before and after."""
    rows = kernel.shape[-2] > 1
    padding = (0, 0, before, after) if rows else (before, after, 0, 0)
    groups = x.shape[1] if kernel.shape[1] == 1 else 1
    return F.conv2d(F.pad(x, padding), kernel, groups=groups)


def _gradient(second: Tensor, source: Tensor, kernel: Tensor, axis: int) -> Tensor:
    """Central differences of ``second``, one-sided ones of ``source`` at the border."""
    inside = _along(second, kernel, 1, 1).narrow(axis, 1, second.shape[axis] - 2)
    size = source.shape[axis]
    start, end = (
        (source.narrow(axis, at + 1, 1) - source.narrow(axis, at, 1)) / 2 for at in (0, size - 2)
    )
    return torch.cat([start, inside, end], dim=axis)


def _updated(
    u: Tensor, duals: list[Tensor], kernels: FlowKernels, ratio: Tensor
) -> tuple[Tensor, Tensor]:
    steps = [_difference(u, kernel) for kernel in kernels.difference]
    size = 1 + ratio * (steps[0].square() + steps[1].square() + _TINY).sqrt()
    p, q = ((dual + ratio * step) / size for dual, step in zip(duals, steps, strict=True))
    return p, q


def _difference(u: Tensor, kernel: Tensor) -> Tensor:
    """To the next place along the kernel's axis, zero at the last."""
    axis = -2 if kernel.shape[-2] > 1 else -1
    found = _along(u, kernel, 0, 1)
    inside = found.narrow(axis, 0, u.shape[axis] - 1)
    return torch.cat([inside, torch.zeros_like(found.narrow(axis, 0, 1))], dim=axis)


def _divergence(p: Tensor, q: Tensor, kernels: FlowKernels) -> Tensor:
    """From the place before along each kernel's axis, zero beyond the border and at the last."""
    total = torch.zeros_like(p)
    for dual, kernel in zip((p, q), kernels.divergence, strict=True):
        axis = -2 if kernel.shape[-2] > 1 else -1
        inner = dual.narrow(axis, 0, dual.shape[axis] - 1)
        edge = torch.zeros_like(dual.narrow(axis, 0, 1))
        total = total + _along(torch.cat([inner, edge], dim=axis), kernel, 1, 0)
    return total


def scaled(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two frames' features (B, C, H, W), each clip's from their least to their largest value on 0 …
    255; zeros where they are all one.
    """
    both = torch.stack([first, second], 1)
    low, high = both.flatten(1).amin(1), both.flatten(1).amax(1)
    factor = 255 / (high - low).clamp_min(1e-6)
    low, factor = low.view(-1, 1, 1, 1), factor.view(-1, 1, 1, 1)
    return (first - low) * factor, (second - low) * factor


def give_kernels(module: nn.Module, channels: int) -> None:
    """Give ``module`` the parameters of one layer of flow, as TV-L1 has them."""
    two, three = torch.tensor([-1.0, 1.0]), torch.tensor([-0.5, 0.0, 0.5])
    for name, taps in (("gradient", three), ("difference", two), ("divergence", two)):
        for axis, shape in (("x", (1, 1, 1, -1)), ("y", (1, 1, -1, 1))):
            kernel = taps.view(shape).repeat(channels, 1, 1, 1)
            module.register_parameter(f"{name}_{axis}", nn.Parameter(kernel))
    for name, start in (("tau", 0.25), ("lam", 0.15), ("theta", 0.3)):
        module.register_parameter(name, nn.Parameter(torch.tensor(start)))


def kernels_of(module: nn.Module) -> FlowKernels:
    """The parameters that `give_kernels` gave, in float32."""
    gradient, difference, divergence = (
        (getattr(module, f"{name}_x").float(), getattr(module, f"{name}_y").float())
        for name in ("gradient", "difference", "divergence")
    )
    numbers = (getattr(module, name).float() for name in ("tau", "lam", "theta"))
    return FlowKernels(gradient, difference, divergence, *numbers)


def for_all(flow: Tensor, features: Tensor) -> Tensor:
    """``flow`` with zeros at the frames of ``features`` that it lacks at the end."""
    missing = torch.zeros_like(features[:, flow.shape[1] :]).repeat(1, 1, 2, 1, 1)
    return torch.cat([flow, missing], dim=1)


def mean_of_channels(flow: Tensor) -> Tensor:
    return flow.unflatten(2, (2, -1)).mean(3)


class RepresentationFlow(MotionBranch):
    """ReLU(x + BN(W·[u, v])), (u, v) the flow of V·x to the next frame: ``(N, T, C, H, W)`` → the
    same shape.
    """

    clip_readings: tuple[ClipReading, ...] = (
        ClipReading(
            "flow",
            "Flow of the features to the next frame, mean of the channels, in places a frame",
            MAP_AXES,
            ("to the right", "downwards"),
            "places a frame",
            is_signed=True,
        ),
    )

    def __init__(self, channels: int, iterations: int = ITERATIONS) -> None:
        reduced = min(CHANNELS, channels)
        super().__init__(2 * reduced, channels)
        self.reduce = pointwise(channels, reduced)
        self.iterations = iterations
        give_kernels(self, reduced)

    def kernels(self) -> FlowKernels:
        """Its kernels and numbers, in float32."""
        return kernels_of(self)

    def motion(self, x: Tensor, probe: Probe) -> Tensor:
        features = by_frame(self.reduce, x).float()
        flow = for_all(self.to_next(features, self.kernels()), features)
        if probe.readings:
            probe.read(self, "flow", mean_of_channels(flow))
        return flow.to(x.dtype)

    def to_next(self, features: Tensor, kernels: FlowKernels) -> Tensor:
        """The flow of features ``(N, T, C, H, W)`` to those of the next frame, ``(N, T − 1, 2·C, H,
        W)``.
        """
        if features.shape[1] < 2:
            return torch.zeros_like(features[:, :0]).repeat(1, 1, 2, 1, 1)
        pairs = scaled(features[:, :-1].flatten(0, 1), features[:, 1:].flatten(0, 1))
        flow = torch.cat(flow_of_features(*pairs, kernels, self.iterations), dim=1)
        return flow.unflatten(0, (len(features), -1))

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return F.relu(super().forward(x, probe))


def install(backbone: Backbone) -> None:
    """One module behind the stage in the middle: the second of a ResNet's four."""
    stages = backbone.stages()
    backbone.insert_after(stages[(len(stages) - 1) // 2], RepresentationFlow, "repflow")


SYSTEM = System(
    name="repflow",
    title="Representation flow",
    paper="Piergiovanni, Ryoo: Representation Flow for Action Recognition. CVPR 2019",
    install=install,
    marks=r"(^|\.)repflow(_\w+)?\.gradient_x$",
    idea=(
        "The iterations of TV-L1, a method for optical flow, become layers that run on the"
        " network's own features, channel by channel. The flow from each frame to the next is"
        " brought back to all channels and added. Its filters and constants are learnt together"
        " with the classes."
    ),
    drawing=(
        UNCHANGED,
        Branch(
            (
                to_few("1×1 to few channels", (0, 1)),
                Step("flow to the next frame", (Link((0, 1), (0, 1), mixes=False),)),
                from_few("1×1", (0, 1)),
            )
        ),
    ),
)
