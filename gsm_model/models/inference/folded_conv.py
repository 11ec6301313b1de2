"""Convolutions with their BatchNorms folded in, for inference."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.backbones.inception import average_pool_same
from gsm_model.models.inference.basis import Basis, running_statistics

# Shares of the largest scale below which a BatchNorm is not folded where its input must be given
# back.
SMALLEST_SCALE = 1e-6


def scale_and_shift(norm: nn.BatchNorm2d | nn.BatchNorm3d) -> tuple[Tensor, Tensor]:
    """A BatchNorm in evaluation mode as ``scale·x + shift``, each (C,)."""
    basis = Basis.of(norm)
    return basis.scale, basis.shift


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

    def at_precision(self, dtype: torch.dtype) -> None:
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

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> FoldedConv:
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

    def at_precision(self, dtype: torch.dtype) -> None:
        """Convolve in ``dtype``; the bias is added last and stays in float32."""
        self.conv.at_precision(dtype)


def fold_pairs(chain: nn.Sequential) -> None:
    """Fold each convolution of ``chain``, also one over time, with the BatchNorm that follows it,
    in place.
    """
    for index, (first, second) in enumerate(zip(list(chain), list(chain)[1:], strict=False)):
        if not isinstance(second, nn.BatchNorm2d | nn.BatchNorm3d):
            continue
        if isinstance(first, nn.Conv2d):
            chain[index] = FoldedConv(first, *scale_and_shift(second))
        elif isinstance(first, nn.Conv3d):
            scaled_conv(first, second)
        else:
            continue
        chain[index + 1] = nn.Identity()


def scaled_conv(conv: nn.Conv3d | nn.Conv2d, norm: nn.BatchNorm2d | nn.BatchNorm3d) -> None:
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
