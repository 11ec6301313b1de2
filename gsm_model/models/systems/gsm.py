"""The Gate-Shift Module: a learned gate decides, per time and place, which features move one frame.

Source: Sudhakaran, Escalera, Lanz, "Gate-Shift Networks for Video Action Recognition", CVPR 2020,
section 3.2 and figure 3, and the authors' release.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import IN_FRAME, KEPT, Branch, Link, Step
from gsm_model.models.systems.system import System
from gsm_model.models.temporal import GatedModule, TemporalModule


class GateShiftModule(GatedModule):
    """Gate, shift by one frame, add the residual, interleave. ``(N, T, C, H, W)`` → the same shape.

    The parameters carry the release's names (``conv3D``, ``bn``), so its checkpoints load
    unchanged. The convolution starts at zero, as in the release: a fresh module only permutes
    channels.

    Raises:
        ValueError: if ``channels`` is not a multiple of 4 (two halves, each interleaved in two).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels % 4:
            raise ValueError(f"a Gate-Shift Module needs a multiple of 4 channels, got {channels}")
        self.channels = channels
        self.conv3D = nn.Conv3d(channels, 2, kernel_size=3, padding=1, groups=2)
        nn.init.zeros_(self.conv3D.weight)
        nn.init.zeros_(self.gate_bias)
        # Statistics of BatchNorm3d over (N, T, H, W) are those of BatchNorm2d over (N·T, H, W).
        self.bn = nn.BatchNorm2d(channels)

    @property
    def gate_bias(self) -> Tensor:
        """The bias of each gate, (2,)."""
        assert self.conv3D.bias is not None
        return self.conv3D.bias

    def gate(self, x: Tensor) -> Tensor:
        """The gate of ``x`` (N, T, C, H, W), ``(N, T, 2, H, W)`` in (−1, 1): channel 0 for the half
        that moves from t+1 to t.

        Equal to ``tanh(conv3D(relu(bn(x))))`` (paper, figure 3). The 3×3×3 convolution is computed
        as one grouped 2D convolution to 2 halves × 3 time taps and two shifted additions, which is
        several times faster on a CPU.
        """
        weight = self.conv3D.weight  # (2, C/2, 3 taps, 3, 3)
        planes = weight.transpose(1, 2).reshape(6, self.channels // 2, 3, 3)
        taps = F.conv2d(F.relu(self.bn(x.flatten(0, 1))), planes, padding=1, groups=2)
        taps = taps.view(*x.shape[:2], 2, 3, *taps.shape[-2:])
        from_previous, from_same, from_next = taps.unbind(3)
        gate = from_same + self.gate_bias.to(taps.dtype).view(2, 1, 1)
        gate[:, 1:].add_(from_previous[:, :-1])
        gate[:, :-1].add_(from_next[:, 1:])
        return self.squashed(gate)

    def squashed(self, gate: Tensor) -> Tensor:
        """What the gate is of the convolution's output: its tanh."""
        return torch.tanh(gate)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return shift_and_interleave(x, probe.gate(self, self.gate(x)))

    def gated_channels(self, channels: int) -> tuple[slice, slice]:
        return slice(0, channels // 2), slice(channels // 2, channels)

    def reach(self) -> tuple[int, int]:
        """One frame by the shift; one more where the gate's kernel looks at the frame beside it,
        also against the shift.
        """
        back, ahead = 0, 0
        for sign, weight, bias in zip((1, -1), self.conv3D.weight, self.gate_bias, strict=True):
            earlier, now, later = (bool(tap.any()) for tap in weight.unbind(1))
            if not (earlier or now or later or bool(bias)):
                continue
            # The output at t needs the gates at t and at t + sign, and the features they gate.
            looks = [step for step, used in ((-1, earlier), (0, now), (1, later)) if used]
            frames = [0, sign, *(at + step for at in (0, sign) for step in looks)]
            back, ahead = max(back, -min(frames)), max(ahead, max(frames))
        return back, ahead

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        from gsm_model.models.systems.gsm_folded import FoldedGateShift

        return FoldedGateShift.of(self, norm)


def shift_and_interleave(x: Tensor, gate: Tensor) -> Tensor:
    """Move the gated part of ``x`` by one frame, keep the rest, interleave the channels of each
    half.

    ``x`` is ``(N, T, C, H, W)``, ``gate`` is ``(N, T, 2, H, W)``. With y = gate·x, the first half
    takes y from t+1 (nothing after the last frame), the second from t−1 (nothing before the first);
    the residual x − y stays in place. Paper, equations 2 to 5; the interleave is the release's. The
    memory layout of ``x`` (default or channels-last) is the layout of the result.
    """
    c = x.shape[2]
    out = gated_shift(x.unflatten(2, (2, c // 2)), gate)
    return interleaved(out, c > 1 and x.stride(2) == 1 and not x.is_contiguous())


def interleaved(halves: Tensor, channels_last: bool) -> Tensor:
    """The channels of each half, (2, C/4), transposed: (N, T, 2, C/2, H, W) → (N, T, C, H, W)."""
    n, t, _, half, h, w = halves.shape
    out = halves.unflatten(3, (2, half // 2)).transpose(3, 4)
    if channels_last:
        last = out.permute(0, 1, 5, 6, 2, 3, 4).reshape(n, t, h, w, 2 * half)
        return last.permute(0, 1, 4, 2, 3)
    return out.reshape(n, t, 2 * half, h, w)


def gated_shift(x: Tensor, gate: Tensor) -> Tensor:
    """x − y + shift(y) with y = gate·x, for ``x`` (N, T, 2, C, H, W), half 0 moving from t+1 and
    half 1 from t−1; ``gate`` (N, T, 2, H, W).
    """
    return _GatedShift.apply(x, gate.to(x.dtype).unsqueeze(3))


class _GatedShift(torch.autograd.Function):
    """x − y + shift(y) with y = gate·x, for x ``(N, T, 2, C/2, H, W)`` and gate ``(N, T, 2, 1, H,
    W)``.

    The derivative is written out because automatic differentiation of the shifted additions keeps a
    zero-filled copy for each of them and takes twice as long. With u the gradient of the output and
    d = shift⁻¹(u) − u: the gradient is u + gate·d for x, and the sum of x·d over channels for the
    gate.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, gate: Tensor) -> Tensor:
        ctx.save_for_backward(x, gate)
        moving = x * gate
        out = x - moving
        out[:, :-1, 0].add_(moving[:, 1:, 0])
        out[:, 1:, 1].add_(moving[:, :-1, 1])
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, gate = ctx.saved_tensors
        difference = -grad
        difference[:, 1:, 0].add_(grad[:, :-1, 0])
        difference[:, :-1, 1].add_(grad[:, 1:, 1])
        return torch.addcmul(grad, difference, gate), (x * difference).sum(3, keepdim=True)


def install(backbone: Backbone) -> None:
    """One module a block, between a convolution and its BatchNorm (paper, section 4.3)."""
    for site in backbone.sites():
        site.insert(GateShiftModule, "before_norm", "gsm")


SYSTEM = System(
    name="gsm",
    title="GSM",
    paper=(
        "Sudhakaran, Escalera, Lanz: Gate-Shift Networks for Video Action Recognition. CVPR 2020"
    ),
    install=install,
    marks=r"(^|\.)gsm_[^.]+\.conv3D\.weight$",
    idea=(
        "A gate decides for every place and frame how much of the features moves to a"
        " neighbouring frame, half of the channels one frame back and the other half one ahead."
        " What does not move stays where it is, and the two are added. The gate is a small 3D"
        " convolution of the features that starts at 0, so the network learns what to shift, where"
        " and when."
    ),
    drawing=(
        Branch(
            (
                IN_FRAME,
                Step(
                    "gated shift",
                    (
                        Link((1,), (0, 1), mixes=False, kind="gated"),
                        Link((-1,), (2, 3), mixes=False, kind="gated"),
                        KEPT,
                    ),
                ),
            )
        ),
    ),
)
