"""What systems share that add to features what changes from a frame to the next."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.systems.temporal_conv import by_frame
from gsm_model.models.temporal import TemporalModule


def pointwise(c_in: int, c_out: int) -> nn.Conv2d:
    """A 1×1 convolution without bias, He initialisation."""
    conv = nn.Conv2d(c_in, c_out, 1, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def change_to_next(now: Tensor, later: Tensor) -> Tensor:
    """later(t + 1) − now(t), ``(N, T, …)`` both; zero at the last frame, which has no next one."""
    return torch.cat([later[:, 1:] - now[:, :-1], torch.zeros_like(now[:, :1])], dim=1)


class MotionBranch(TemporalModule):
    """Features and, added to them, what `motion` makes of them, through a 1×1 convolution and a
    BatchNorm whose scale starts at zero, so that a fresh network is the 2D one.

    ``(N, T, C, H, W)`` → the same shape. ``motion_channels`` is how many channels motion has.
    """

    def __init__(self, motion_channels: int, channels: int) -> None:
        super().__init__()
        norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(norm.weight)
        self.join = nn.Sequential(pointwise(motion_channels, channels), norm)

    def motion(self, x: Tensor, probe: Probe) -> Tensor:
        """``(N, T, C, H, W)`` → ``(N, T, motion channels, H, W)``."""
        raise NotImplementedError

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return x + by_frame(self.join, self.motion(x, probe))

    def reach(self) -> tuple[int, int]:
        """The next frame, where the branch is not shut by a scale of zero."""
        scales = [weight for name, weight in self.join.named_parameters() if "weight" in name]
        return 0, int(all(bool(scale.any()) for scale in scales))
