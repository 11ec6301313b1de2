"""The Temporal Shift Module: a fixed eighth of the channels moves one frame each way, no
parameters.

Source: Lin, Gan, Han, "TSM: Temporal Shift Module for Efficient Video Understanding", ICCV 2019,
and its release ("blockres": at the start of every residual branch).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gsm_model.models.slots import ClipRun, Site, TemporalKind, TemporalModule
from gsm_model.models.systems.gsm import gated_shift

SHIFTED_FRACTION = 8
DEEP_STAGE_BLOCKS = 23


class TemporalShift(TemporalModule):
    """The first C//8 channels take t+1, the next C//8 take t−1, zeros at the ends; the rest stay.

    ``(N·T, C, H, W)`` → the same shape. Its gates are 1 at every place and time; to whoever looks
    at gates or replaces them it is a gate-shift of a quarter of the channels.
    """

    def forward(self, x: Tensor, run: ClipRun) -> Tensor:
        clips = x.view(-1, run.num_segments, *x.shape[1:])
        fold = x.shape[1] // SHIFTED_FRACTION
        if run.taps or run.routes:
            return self._gated(x, clips, fold, run)
        out = torch.zeros_like(clips)
        out[:, :-1, :fold] = clips[:, 1:, :fold]
        out[:, 1:, fold : 2 * fold] = clips[:, :-1, fold : 2 * fold]
        out[:, :, 2 * fold :] = clips[:, :, 2 * fold :]
        return out.view_as(x)

    def _gated(self, x: Tensor, clips: Tensor, fold: int, run: ClipRun) -> Tensor:
        gate = run.tap(self, x.new_ones(*clips.shape[:2], 2, *x.shape[2:]))
        run.show_route(self, x, gate)
        moved = gated_shift(clips[:, :, : 2 * fold].unflatten(2, (2, fold)), gate)
        return torch.cat([moved.flatten(2, 3), clips[:, :, 2 * fold :]], dim=2).view_as(x)

    def gated_channels(self, channels: int) -> tuple[slice, slice]:
        fold = channels // SHIFTED_FRACTION
        return slice(0, fold), slice(fold, 2 * fold)

    def reach(self) -> tuple[int, int]:
        return 1, 1


def choose_sites(sites: Sequence[Site]) -> Sequence[Site]:
    """Every block, or every second one in networks with a stage of 23 blocks or more (ResNet-101),
    as the release does.
    """
    deep = max((site.block for site in sites), default=0) + 1 >= DEEP_STAGE_BLOCKS
    step = 2 if deep else 1
    return [site for site in sites if site.block % step == 0]


KIND = TemporalKind(
    name="tsm",
    title="TSM",
    prefix="tsm",
    build=lambda channels: TemporalShift(),
    place="start of branch",
    choose=choose_sites,
)
