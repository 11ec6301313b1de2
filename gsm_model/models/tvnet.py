"""TVNet: optical flow that a network computes itself, as TV-L1 whose iterations are layers.

Source: Fan, Huang, Gan, Ermon, Gong, Huang, "End-to-End Learning of Motion Representation for Video
Understanding", CVPR 2018. Learnt are the flow it starts from and, of every iteration, the
differences of the flow and of its dual variables; gradients of the pictures, warping and smoothing
are fixed. It starts as TV-L1 exactly.

Our reading of it: the start is one flow for the whole picture, so that pictures may be of any size
(the release has one for every pixel), and several scales are possible, as in TV-L1, where the
release's demonstration has one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gsm_model.motion.tvl1 import TVL1, Duals, coarse_to_fine, grey

# As many as training can afford; the pyramid follows what one scale could not.
SETTINGS = TVL1(scales=4, warps=2, iterations=10)
_TINY = 1e-9


class TVNet(nn.Module):
    """Frames of segments ``(M, 3·(1 + L), H, W)`` RGB, 0…255 → the flow between them, ``(M, 2·L, H,
    W)`` in pixels: u₁ v₁ u₂ v₂ ….

    ``start`` (2,) is the flow it begins with. ``differences`` and ``divergences`` (scales, warps,
    iterations, 2, 2, 2) are the two taps, over columns and over rows, for the flow to the right and
    the flow down.
    """

    def __init__(self, settings: TVL1 = SETTINGS) -> None:
        super().__init__()
        self.settings = settings
        shape = (settings.scales, settings.warps, settings.iterations, 2, 2)
        taps = torch.tensor([-1.0, 1.0])
        self.start = nn.Parameter(torch.zeros(2))
        self.differences = nn.Parameter(taps.repeat(*shape, 1))
        self.divergences = nn.Parameter(taps.repeat(*shape, 1))

    def forward(self, frames: Tensor) -> Tensor:
        pictures = grey(frames.float().unflatten(1, (-1, 3)))
        pairs = pictures.shape[1] - 1
        flow = self.flow(pictures[:, :-1].flatten(0, 1), pictures[:, 1:].flatten(0, 1))
        return flow.unflatten(0, (-1, pairs)).flatten(1, 2)

    def flow(self, first: Tensor, second: Tensor) -> Tensor:
        """The flow ``(B, 2, H, W)`` in pixels between grey pictures ``(B, H, W)``, 0…255."""
        return coarse_to_fine(first, second, self.settings, self._iterate, self.start)

    def _iterate(
        self, at: tuple[int, int], u: Tensor, duals: Duals, gradient: Tensor, constant: Tensor
    ) -> tuple[Tensor, Duals]:
        """`gsm_model.motion.tvl1.iterate` with differences of its own in every iteration."""
        s = self.settings
        bound, ratio = s.lam * s.theta, s.tau / s.theta
        steepness = gradient.square().sum(1) + _TINY
        p, q = duals
        for taps, own in zip(self.differences[at], self.divergences[at], strict=True):
            residual = constant + (gradient * u).sum(1)
            step = (-residual / steepness).clamp(-bound, bound)[:, None]
            u = u + step * gradient + s.theta * _divergence(p, q, own)
            across, down = _forward(u, taps)
            size = 1 + ratio * (across.square() + down.square() + 1e-12).sqrt()
            p, q = (p + ratio * across) / size, (q + ratio * down) / size
        return u, (p, q)


def _forward(u: Tensor, taps: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the next column and the next row of ``u`` (B, 2, H, W), zero at the last;
    ``taps`` (2, 2, 2): of the flow to the right and down, over columns and rows.
    """
    weights = taps.view(2, 2, 2, 1, 1)
    across = weights[:, 0, 0] * u[..., :-1] + weights[:, 0, 1] * u[..., 1:]
    down = weights[:, 1, 0] * u[..., :-1, :] + weights[:, 1, 1] * u[..., 1:, :]
    return nn.functional.pad(across, (0, 1)), nn.functional.pad(down, (0, 0, 0, 1))


def _divergence(p: Tensor, q: Tensor, taps: Tensor) -> Tensor:
    """Differences to the column and the row before of the dual variables, which are zero beyond
    the border.
    """
    weights = taps.view(2, 2, 2, 1, 1)
    left, above = (
        nn.functional.pad(p[..., :-1], (1, 0)),
        nn.functional.pad(q[..., :-1, :], (0, 0, 1, 0)),
    )
    across = weights[:, 0, 0] * left + weights[:, 0, 1] * p
    return across + weights[:, 1, 0] * above + weights[:, 1, 1] * q
