"""Layers with their BatchNorms folded in, for inference: a convolution, and a Gate-Shift Module
between a convolution and its BatchNorm.

They compute what the layers they came from compute, and show the same gates, features and routes to
whoever looks.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.backbones.inception import average_pool_same
from gsm_model.models.slots import Basis, ClipRun
from gsm_model.models.systems.gsm import GateShiftModule

# Shares of the largest scale below which a BatchNorm is not folded where its input must be given
# back.
SMALLEST_SCALE = 1e-6
# Bounds beyond which a clamp counts as none, or as always: what half precision can still hold.
LARGEST_BOUND = {torch.float16: 3e4}


def scale_and_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A BatchNorm in evaluation mode as ``scale·x + shift``, each (C,)."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale.detach(), (norm.bias - norm.running_mean * scale).detach()


def can_be_undone(scale: Tensor) -> bool:
    """Whether features multiplied by ``scale`` can be divided by it again."""
    return bool(scale.abs().min() > SMALLEST_SCALE * scale.abs().max())


class FoldedConv(nn.Module):
    """``conv`` with its output multiplied by ``scale`` and moved by ``shift`` (C,), its channels in
    ``order``, for inference.

    ``basis`` says how the output stands to that of ``conv``. After `pack`, passes on a CPU without
    gradients run oneDNN's kernels with weights laid out once, and a ReLU in the same pass; all
    others run the plain convolution.
    """

    def __init__(
        self, conv: nn.Conv2d, scale: Tensor, shift: Tensor, order: Tensor | None = None
    ) -> None:
        super().__init__()
        weight = conv.weight.detach()
        bias = torch.zeros_like(scale) if conv.bias is None else conv.bias.detach()
        self.basis = Basis(scale, shift, order)
        if order is not None:
            weight, bias = weight[order], bias[order]
        self.weight = nn.Parameter(
            (weight * scale.view(-1, 1, 1, 1)).contiguous(memory_format=torch.channels_last),
            requires_grad=False,
        )
        self.bias = nn.Parameter(bias * scale + shift, requires_grad=False)
        self.stride, self.padding, self.groups = conv.stride, conv.padding, conv.groups
        self.packed: Tensor | None = None

    def forward(self, x: Tensor, relu: bool = False) -> Tensor:
        """``(N, C, H, W)`` → the convolution's output, through a ReLU if asked."""
        if self.packed is None or (torch.is_grad_enabled() and x.requires_grad):
            out = F.conv2d(x, self.weight, self.bias, self.stride, self.padding, 1, self.groups)
            return F.relu(out, inplace=True) if relu else out
        after = "relu" if relu else "none"
        return torch.ops.mkldnn._convolution_pointwise(
            x, self.packed, self.bias, self.padding, self.stride, (1, 1), self.groups, after, [], ""
        )

    def set_precision(self, dtype: torch.dtype) -> None:
        """Compute in ``dtype``; what gives features back in the network's own units stays in
        float32.
        """
        self.weight.data, self.bias.data = self.weight.data.to(dtype), self.bias.data.to(dtype)
        self.packed = None

    def pack(self, input_shape: tuple[int, ...]) -> None:
        """Lay the weights out for inputs of about ``input_shape`` as oneDNN wants them; where
        PyTorch has no such kernel, do nothing.
        """
        if self.weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():
            return
        try:
            with torch.inference_mode():
                self.packed = torch.ops.mkldnn._reorder_convolution_weight(
                    self.weight, self.padding, self.stride, (1, 1), self.groups, list(input_shape)
                )
                self(torch.zeros(1, *input_shape[1:], dtype=self.weight.dtype), relu=True)
        except (AttributeError, RuntimeError, NotImplementedError):
            self.packed = None

    def _apply(self, fn, recurse: bool = True):
        self.packed = None
        return super()._apply(fn, recurse)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "packed": None}


class AveragedConv(nn.Module):
    """A folded 1×1 convolution that takes 3×3 means of its input, for inference: the means are
    taken of its output, which has fewer planes.

    Both are sums, of other things, so either may come first; the bias comes last, because at the
    border a mean counts zeros as well.
    """

    def __init__(self, conv: FoldedConv) -> None:
        super().__init__()
        self.conv, self.bias, self.basis = conv, conv.bias, conv.basis
        conv.bias = nn.Parameter(torch.zeros_like(conv.bias), requires_grad=False)

    def forward(self, x: Tensor, relu: bool = False) -> Tensor:
        """``(N, C, H, W)`` before the mean → the convolution's output, through a ReLU if asked."""
        out = average_pool_same(self.conv(x)).add_(self.bias.to(x.dtype).view(-1, 1, 1))
        return F.relu(out, inplace=True) if relu else out


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

    def __init__(
        self, module: GateShiftModule, scale: Tensor, shift: Tensor, order: Tensor
    ) -> None:
        super().__init__(module.channels)
        self.conv3D, self.bn = copy.deepcopy(module.conv3D), copy.deepcopy(module.bn)
        self.entering, self.basis = (
            Basis(scale, torch.zeros_like(scale), order),
            Basis(scale, shift),
        )
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

    def _apply(self, fn, recurse: bool = True):
        self._constants = {}
        return super()._apply(fn, recurse)

    def gate(self, x: Tensor, num_segments: int) -> Tensor:
        h, w = x.shape[-2:]
        clamped = self._clamp(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        planes = self.rows(clamped).to(self.plane.dtype, memory_format=torch.contiguous_format)
        from_above, from_same, from_below = planes.view(-1, num_segments, 2, 3, 3, h, w).unbind(4)
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
            with (
                torch.inference_mode(False),
                torch.no_grad(),
            ):  # to serve passes with gradients as well
                ones = self.plane.new_ones(1, 1, h, w)
                kept = F.conv2d(ones, self.plane, padding=1).view(2, 3, h, w)
                kept[:, 1] += self.conv3D.bias.view(2, 1, 1)
            self._constants = {(h, w): kept}
        return kept

    def forward(self, x: Tensor, run: ClipRun) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        gate = run.tap(self, self.gate(x, run.num_segments))
        if run.routes:
            run.show_route(self, self.entering.undo(x), gate)
        n, t = gate.shape[:2]
        c, h, w = x.shape[1:]
        x = x.permute(0, 2, 3, 1).view(n, t, h, w, 2, c // 2)
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
        return out.view(n * t, h, w, c).permute(0, 3, 1, 2)

    def at_precision(self, dtype: torch.dtype) -> None:
        """Take features of ``dtype``, which may not hold bounds that float32 holds. The gate itself
        stays in float32.
        """
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
