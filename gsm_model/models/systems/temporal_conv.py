"""Convolutions over time and space, computed as 2D convolutions and shifted additions.

A 3D convolution of a clip is, for each of its temporal taps, a 2D convolution whose result is moved
by so many frames. Computed so, features stay frame by frame, ``(N, T, C, H, W)``, in any memory
layout and without a copy, and a CPU takes half the time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.inference.folded_conv import fold_pairs, scaled_conv
from gsm_model.models.probe import Probe
from gsm_model.models.temporal import Reading, TemporalModule

Pair = tuple[int, int]
Module = TypeVar("Module", bound=TemporalModule)
TAPS = 3


def conv_over_time(x: Tensor, conv: nn.Conv3d) -> Tensor:
    """``conv`` of the clip ``x``: ``(N, T, C, H, W)`` → ``(N, ⌈T/s⌉, C', H', W')``, s its stride
    in time; frames beyond the ends count as zero.

    Equal to ``conv`` on ``(N, C, T, H, W)`` for an odd number of taps and a padding in time of half
    the taps. A stride in time keeps every s-th frame of what there is without one.
    """
    stride, padding = conv.stride[1:], conv.padding[1:]
    out = taps_over_time(x, conv.weight, conv.bias, stride, padding, conv.groups)
    return out[:, :: conv.stride[0]]


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


def by_frame(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """``layer`` of each frame alone: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``."""
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class NormedConv(nn.Sequential):
    """A convolution of a clip and its BatchNorm: ``(N, T, C, H, W)`` → ``(N, T, C', H', W')``.

    A `Conv2d` sees each frame alone, a `Conv3d` is `conv_over_time`. For inference `fold_pairs`
    makes one of the two.
    """

    def __init__(self, conv: nn.Conv2d | nn.Conv3d, norm: nn.Module | None = None) -> None:
        super().__init__(conv, nn.BatchNorm2d(conv.out_channels) if norm is None else norm)

    def forward(self, x: Tensor) -> Tensor:
        conv, norm = self
        x = conv_over_time(x, conv) if isinstance(conv, nn.Conv3d) else by_frame(conv, x)
        return by_frame(norm, x)

    @property
    def over_time(self) -> nn.Conv3d:
        """The convolution, where it is one over time."""
        conv = self[0]
        assert isinstance(conv, nn.Conv3d)
        return conv

    @property
    def norm(self) -> nn.BatchNorm2d:
        """The BatchNorm, where it is not folded."""
        norm = self[1]
        assert isinstance(norm, nn.BatchNorm2d)
        return norm


def over_time(
    channels: int, taps: int = TAPS, step: int = 1, stride: Pair = (1, 1), out: int | None = None
) -> nn.Conv3d:
    """A convolution over time alone, ``channels`` → ``out`` (as many), of ``taps`` frames, with a
    stride of ``step`` in time and ``stride`` in space; random (He).
    """
    conv = nn.Conv3d(
        channels,
        out or channels,
        (taps, 1, 1),
        (step, *stride),
        (taps // 2, 0, 0),
        bias=False,
    )
    return random_start(conv)


AnyConv = TypeVar("AnyConv", nn.Conv2d, nn.Conv3d)


def random_start(conv: AnyConv) -> AnyConv:
    """``conv`` with weights as He et al. draw them for a network from scratch."""
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def like(conv: nn.Conv2d, taps: int, step: int = 1, groups: int = 1) -> nn.Conv3d:
    """A 3D convolution of the channels, kernel, stride and padding of ``conv`` in space, with
    ``taps`` frames and a stride of ``step`` in time; random (He).
    """
    kernel, stride, padding = geometry(conv)
    return random_start(
        nn.Conv3d(
            conv.in_channels,
            conv.out_channels,
            (taps, *kernel),
            (step, *stride),
            (taps // 2, *padding),
            groups=groups,
            bias=conv.bias is not None,
        )
    )


def absorbed_into(module: Module, last: str, norm: nn.BatchNorm2d) -> Module:
    """A copy of ``module`` for inference with its own BatchNorms folded, and ``norm``, the one
    behind it, folded into its attribute ``last``, the convolution that gives its output.
    """
    folded = copy.deepcopy(module)
    fold_inner(folded)
    scaled_conv(getattr(folded, last), norm)
    folded.basis = Basis.of(norm)
    return folded


def fold_inner(module: nn.Module) -> None:
    """Fold every `NormedConv` inside ``module``, in place."""
    for one in module.modules():
        if isinstance(one, NormedConv):
            fold_pairs(one)


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


def scale_readings(norms: dict[str, nn.Module], title: str) -> tuple[Reading, ...]:
    """The mean |γ| of each BatchNorm of ``norms`` by its label: what each contributes; nothing
    where one is folded.
    """
    found = [norm for norm in norms.values() if isinstance(norm, nn.BatchNorm2d)]
    if len(found) < len(norms):
        return ()
    means = torch.stack([norm.weight.detach().abs().float().cpu().mean() for norm in found])
    return (Reading("scales", title, ("part",), means, "", tuple(norms)),)
