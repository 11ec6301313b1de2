"""A Gate-Shift Module with the BatchNorm behind it folded in, for inference.

It computes what the module it came from computes, and shows the same gates and features.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.inference.basis import Basis
from gsm_model.models.inference.folded_conv import FoldedConv, scale_and_shift
from gsm_model.models.probe import Probe
from gsm_model.models.systems.gsm import GateShiftModule

# Bounds beyond which a clamp counts as none, or as always: what half precision can still hold.
LARGEST_BOUND = {torch.float16: 3e4}


class FoldedGateShift(GateShiftModule):
    """A Gate-Shift Module whose input comes scaled and interleaved and whose output gets the
    following BatchNorm's shift, for inference.

    With ``scale``, ``shift`` (C,) of the BatchNorm behind it and ``order`` (C,) the channels of the
    interleave, its input is ``scale·x[:, order]`` where the module it came from takes ``x``.

    Its gate is that of the module it came from, rearranged: ``relu(a·x + b)`` is ``a·clamp(x) + b``
    with one bound on the side of ``a``'s sign, so that ``a`` goes into the weights of the
    convolution and ``b`` into a plane that does not depend on ``x``; and of the 3×3×3 kernel only
    the row is left to the convolution, which then has 2 halves × 3 frames × 3 rows = 18 planes of
    output, which is quicker than 6 planes of 3×3; frames and rows are shifted additions of planes.
    """

    plane: Tensor
    low: Tensor
    high: Tensor
    shift: Tensor

    def __init__(
        self, module: GateShiftModule, scale: Tensor, shift: Tensor, order: Tensor
    ) -> None:
        super().__init__(module.channels)
        self.conv3D = copy.deepcopy(module.conv3D)
        self.bn = copy.deepcopy(module.bn)
        self.entering = Basis(scale, torch.zeros_like(scale), order)
        self.basis = Basis(scale, shift)
        half = module.channels // 2
        a, b = scale_and_shift(module.bn)
        a, b = a[order] / scale, b[order]
        # (2, C/2, 3, 3, 3) → its input channels in the interleave's order.
        kernel = self.conv3D.weight.detach().flatten(0, 1)
        kernel = torch.cat(
            [kernel.unflatten(0, (2, half))[i, order[:half]] for i in range(2)]
        ).unflatten(0, (2, half))
        rows = (kernel * a.view(2, half, 1, 1, 1)).permute(0, 2, 3, 1, 4).reshape(18, half, 1, 3)
        conv = nn.Conv2d(module.channels, 18, (1, 3), padding=(0, 1), groups=2, bias=False)
        conv.weight.data = rows
        self.rows = FoldedConv(conv, rows.new_ones(18), rows.new_zeros(18))
        bound = torch.where(a == 0, 0, -b / torch.where(a == 0, 1, a))
        inactive = torch.where(a == 0, b.clamp_min(0), b)
        plane = torch.einsum("hcijk,hc->hijk", kernel, inactive.view(2, half))
        self.register_buffer("plane", plane.reshape(6, 1, 3, 3))
        self.register_buffer("low", torch.where(a >= 0, bound, -torch.inf))
        self.register_buffer("high", torch.where(a <= 0, bound, torch.inf))
        self.register_buffer("shift", shift.view(2, half))
        self.one_sided = bool((a > 0).all())
        self._constants: dict[tuple[int, int], Tensor] = {}

    @classmethod
    def of(cls, module: GateShiftModule, norm: nn.BatchNorm2d) -> FoldedGateShift:
        """``module`` with the BatchNorm behind it and its own interleave folded in."""
        scale, shift = scale_and_shift(norm)
        return cls(module, scale, shift, interleave_order(module.channels, scale.device))

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FoldedGateShift:
        self._constants = {}
        return super()._apply(fn, recurse)

    def gate(self, x: Tensor) -> Tensor:
        h, w = x.shape[-2:]
        clamped = self._clamp(x.flatten(0, 1).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        planes = self.rows(clamped).to(self.plane.dtype, memory_format=torch.contiguous_format)
        from_above, from_same, from_below = planes.view(*x.shape[:2], 2, 3, 3, h, w).unbind(4)
        taps = from_same + self._constant(h, w)
        taps[..., 1:, :].add_(from_above[..., :-1, :])
        taps[..., :-1, :].add_(from_below[..., 1:, :])
        gate = taps.select(3, 1)
        gate[:, 1:].add_(taps[:, :-1, :, 0])
        gate[:, :-1].add_(taps[:, 1:, :, 2])
        return torch.tanh(gate)

    def _clamp(self, x: Tensor) -> Tensor:
        if self.one_sided:
            return torch.maximum(x, self.low)
        return torch.clamp(x, self.low, self.high)

    def _constant(self, h: int, w: int) -> Tensor:
        """(2, 3, h, w): what ``b`` adds to the taps at each place, and the gate's bias; made once
        for each size.
        """
        kept = self._constants.get((h, w))
        if kept is None:
            # Outside of inference mode, to serve passes with gradients as well.
            with torch.inference_mode(False), torch.no_grad():
                ones = self.plane.new_ones(1, 1, h, w)
                kept = F.conv2d(ones, self.plane, padding=1).view(2, 3, h, w)
                kept[:, 1] += self.gate_bias.view(2, 1, 1)
            self._constants = {(h, w): kept}
        return kept

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        n, t, c, h, w = x.shape
        frames = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        gate = probe.gate(self, self.gate(frames.unflatten(0, (n, t))))
        x = frames.permute(0, 2, 3, 1).view(n, t, h, w, 2, c // 2)
        moving = gate.to(x.dtype).permute(0, 1, 3, 4, 2).unsqueeze(5)
        out = torch.addcmul(self.shift, x, 1 - moving)
        if t > 1:
            (x_left, x_right), (left, right) = x.unbind(4), moving.unbind(4)
            out.select(4, 0).narrow(1, 0, t - 1).addcmul_(
                x_left.narrow(1, 1, t - 1), left.narrow(1, 1, t - 1)
            )
            out.select(4, 1).narrow(1, 1, t - 1).addcmul_(
                x_right.narrow(1, 0, t - 1), right.narrow(1, 0, t - 1)
            )
        return out.view(n, t, h, w, c).permute(0, 1, 4, 2, 3)

    def at_precision(self, dtype: torch.dtype) -> None:
        """Take features of ``dtype``, which may not hold bounds that float32 holds. The gate itself
        stays in float32.
        """
        self.rows.at_precision(dtype)
        largest = LARGEST_BOUND.get(dtype, torch.inf)
        low = torch.where(self.low < -largest, -torch.inf, self.low.clamp(max=largest))
        high = torch.where(self.high > largest, torch.inf, self.high.clamp(min=-largest))
        self.low, self.high, self.shift = low.to(dtype), high.to(dtype), self.shift.to(dtype)


def interleave_order(channels: int, device: torch.device) -> Tensor:
    """(C,) int64: which input channel each output channel of the interleave is (within each half,
    (2, C/4) transposed).
    """
    return (
        torch.arange(channels, device=device).view(2, 2, channels // 4).transpose(1, 2).reshape(-1)
    )
