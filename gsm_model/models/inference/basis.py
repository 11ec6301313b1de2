"""How features of a folded layer stand to the network's own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def running_statistics(norm: nn.BatchNorm2d | nn.BatchNorm3d) -> tuple[Tensor, Tensor]:
    """The mean and the variance (C,) that ``norm`` takes off in evaluation mode.

    Raises:
        ValueError: if it keeps none.
    """
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a BatchNorm without running statistics cannot be folded")
    return norm.running_mean, norm.running_var


class Basis(nn.Module):
    """Channel c of a folded layer holds ``scale[c] · own[order[c]] + shift[c]``; each is (C,)."""

    scale: Tensor
    shift: Tensor
    order: Tensor | None

    def __init__(self, scale: Tensor, shift: Tensor, order: Tensor | None = None) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self.register_buffer("order", order)

    @classmethod
    def of(cls, norm: nn.BatchNorm2d | nn.BatchNorm3d) -> Basis:
        """The basis of what a layer gives with ``norm`` folded in, in evaluation mode."""
        mean, variance = running_statistics(norm)
        scale = norm.weight / torch.sqrt(variance + norm.eps)
        return cls(scale.detach(), (norm.bias - mean * scale).detach())

    def apply_to(self, own: Tensor) -> Tensor:
        """(…, C, H, W) in the network's own units → as the folded layer holds them."""
        x = own if self.order is None else own[..., self.order, :, :]
        return x * self.scale.view(-1, 1, 1) + self.shift.view(-1, 1, 1)

    def undo(self, x: Tensor) -> Tensor:
        """(…, C, H, W) as a folded layer holds them → in the network's own units."""
        own = (x - self.shift.view(-1, 1, 1)) / self.scale.view(-1, 1, 1)
        return own if self.order is None else own[..., self.order.argsort(), :, :]

    def at_precision(self, dtype: torch.dtype) -> None:
        """Stay in float32: what gives features back in the network's own units must not round."""
