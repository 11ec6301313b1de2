"""Convolutions over time and space, computed as 2D convolutions and shifted additions.

A 3D convolution of a clip is, for each of its temporal taps, a 2D convolution whose result is moved
by so many frames. Computed so, features stay frame by frame, ``(N, T, C, H, W)``, in any memory
layout and without a copy, and a CPU takes half the time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis, running_statistics
from gsm_model.models.probe import Probe
from gsm_model.models.temporal import Reading, TemporalModule

Pair = tuple[int, int]


def conv_over_time(x: Tensor, conv: nn.Conv3d) -> Tensor:
    """``conv`` of the clip ``x``: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``; frames beyond the
    ends count as zero.

    Equal to ``conv`` on ``(N, C, T, H, W)`` for an odd number of taps, no temporal stride, and a
    padding in time of half the taps.
    """
    stride, padding = conv.stride[1:], conv.padding[1:]
    return taps_over_time(x, conv.weight, conv.bias, stride, padding, conv.groups)


def taps_over_time(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: tuple[int, ...] = (1, 1),
    padding: str | tuple[int, ...] = (0, 0),
    groups: int = 1,
) -> Tensor:
    """`conv_over_time` with a kernel ``weight`` (C', C/groups, taps, height, width) at hand;
    ``stride`` and ``padding`` are those in space.
    """
    n, t = x.shape[:2]
    frames, middle = x.flatten(0, 1), weight.shape[2] // 2

    def at(tap: int, bias: Tensor | None = None) -> Tensor:
        out = F.conv2d(frames, weight[:, :, tap], bias, stride, padding, 1, groups)
        return out.unflatten(0, (n, t))

    out = at(middle, bias)
    for ahead in range(1, min(middle, t - 1) + 1):
        out[:, ahead:] += at(middle - ahead)[:, :-ahead]
        out[:, :-ahead] += at(middle + ahead)[:, ahead:]
    return out


class ConvOverTime(TemporalModule):
    """A 3D convolution, ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``: what any that is linear
    becomes for inference, with the BatchNorm behind it folded in.
    """

    def __init__(self, conv: nn.Conv3d) -> None:
        super().__init__()
        self.conv = conv

    @classmethod
    def folded(cls, conv: nn.Conv3d, norm: nn.BatchNorm2d) -> ConvOverTime:
        """``conv``, which is changed, with ``norm`` behind it folded in."""
        scaled_conv(conv, norm)
        module = cls(conv)
        module.basis = Basis.of(norm)
        return module

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return conv_over_time(x, self.conv)

    def reach(self) -> Pair:
        return conv_reach(self.conv)


def conv_reach(conv: nn.Conv3d) -> tuple[int, int]:
    """How many frames back and ahead the taps of ``conv`` look whose weights are not all zero."""
    middle = conv.kernel_size[0] // 2
    used = [
        tap - middle for tap in range(conv.kernel_size[0]) if bool(conv.weight[:, :, tap].any())
    ]
    return max(0, -min(used, default=0)), max(0, max(used, default=0))


def geometry(conv: nn.Conv2d) -> tuple[Pair, Pair, Pair]:
    """The kernel, stride and padding of ``conv``, each (height, width).

    Raises:
        ValueError: if its padding is given by name.
    """
    if isinstance(conv.padding, str):
        raise ValueError(f"a convolution with padding {conv.padding!r} cannot be replaced")
    (height, width), (down, across), (above, beside) = conv.kernel_size, conv.stride, conv.padding
    return (height, width), (down, across), (above, beside)


def scaled_conv(conv: nn.Conv3d | nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    """Fold ``norm``, the BatchNorm behind ``conv``, into its weights and bias, in place."""
    fold = torch.nn.utils.fusion.fuse_conv_bn_weights
    mean, variance = running_statistics(norm)
    conv.weight, conv.bias = fold(
        conv.weight,
        conv.bias,
        mean,
        variance,
        norm.eps,
        norm.weight,
        norm.bias,
    )


def temporal_kernel_readings(conv: nn.Conv3d) -> tuple[Reading, ...]:
    """The temporal kernels of ``conv``: each output channel's norm by tap, and how antisymmetric
    they are.

    The share that can tell direction is the norm of a kernel's antisymmetric part over its own,
    0 … 1: a kernel that is symmetric in time gives the same for a clip and its reversal.
    """
    weight = conv.weight.detach().float().cpu()
    norms = weight.movedim(2, 1).flatten(2).norm(dim=2)
    difference = (weight - weight.flip(2)).norm() / 2
    share = difference / weight.norm().clamp_min(torch.finfo(torch.float32).tiny)
    middle = weight.shape[2] // 2
    taps = tuple(
        f"{tap - middle:+d}".replace("-", "−").replace("+0", "0") for tap in range(len(norms[0]))
    )
    return (
        Reading(
            "temporal_kernels",
            "Temporal kernels: norm by tap (the frame it looks at)",
            ("channel", "tap"),
            norms,
            "L2 norm",
            taps,
        ),
        Reading("antisymmetry", "Share of the temporal kernels that can tell direction", (), share),
    )
