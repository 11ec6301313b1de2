"""The Temporal Shift Module: a fixed eighth of the channels moves one frame each way, no
parameters.

Source: Lin, Gan, Han, "TSM: Temporal Shift Module for Efficient Video Understanding", ICCV 2019,
and its release ("blockres": at the start of every residual branch).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone, Site
from gsm_model.models.systems.gsm import gated_shift
from gsm_model.models.systems.system import System
from gsm_model.models.temporal import GatedModule

SHIFTED_FRACTION = 8
DEEP_STAGE_BLOCKS = 23


class TemporalShift(GatedModule):
    """The first C//8 channels take t+1, the next C//8 take t−1, zeros at the ends; the rest stay.

    ``(N, T, C, H, W)`` → the same shape. Its gates are 1 at every place and time; to those who
    observe gates or replace them it is a gate-shift of a quarter of the channels.
    """

    is_learnt = False

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        fold = x.shape[2] // SHIFTED_FRACTION
        if probe.gates or probe.readings:
            return self._gated(x, fold, probe)
        out = torch.zeros_like(x)
        out[:, :-1, :fold] = x[:, 1:, :fold]
        out[:, 1:, fold : 2 * fold] = x[:, :-1, fold : 2 * fold]
        out[:, :, 2 * fold :] = x[:, :, 2 * fold :]
        return out

    def _gated(self, x: Tensor, fold: int, probe: Probe) -> Tensor:
        gate = probe.gate(self, x.new_ones(*x.shape[:2], 2, *x.shape[3:]))
        moved = gated_shift(x[:, :, : 2 * fold].unflatten(2, (2, fold)), gate)
        return torch.cat([moved.flatten(2, 3), x[:, :, 2 * fold :]], dim=2)

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


def install(backbone: Backbone) -> None:
    """One shift at the start of each chosen block's branch."""
    for site in choose_sites(backbone.sites()):
        site.insert(lambda channels: TemporalShift(), "start", "tsm")


SYSTEM = System(
    name="tsm",
    title="TSM",
    paper=(
        "Lin, Gan, Han: TSM: Temporal Shift Module for Efficient Video Understanding. ICCV 2019"
    ),
    install=install,
)
