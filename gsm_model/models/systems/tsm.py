"""The Temporal Shift Module: a fixed share of the channels moves one frame each way, no parameters.

Source: Lin, Gan, Han, "TSM: Temporal Shift Module for Efficient Video Understanding", ICCV 2019,
and its release: an eighth of the channels each way, "blockres" (at the start of every residual
branch, so that the shortcut sees what was there) or "block" (in front of the whole block, shortcut
and all).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone, Site
from gsm_model.models.systems.drawing import IN_FRAME, Branch, Link, Step
from gsm_model.models.systems.gsm import gated_shift
from gsm_model.models.systems.system import System
from gsm_model.models.temporal import GatedModule

SHIFTED_FRACTION = 8
DEEP_STAGE_BLOCKS = 23
ShiftPlace = Literal["blockres", "block"]


@dataclass(frozen=True)
class Shift:
    """Where the shifts of a TSM stand, and how many channels each moves.

    ``place`` is the release's word: *blockres* at the start of the residual branch, *block* in
    front of the whole block. ``blocks`` are the titles of the blocks that have one, such as
    ``layer1.0``, ``None`` for those the release chooses. Of C channels C // ``share`` move each
    way; with ``one_way`` as many come from the frame before and none from the next, so that a
    network can be given a frame at a time.

    Raises:
        ValueError: for another place, or a share that is not 2 or more.
    """

    place: ShiftPlace = "blockres"
    blocks: tuple[str, ...] | None = None
    share: int = SHIFTED_FRACTION
    one_way: bool = False

    def __post_init__(self) -> None:
        if self.place not in get_args(ShiftPlace):
            raise ValueError(
                f"a shift stands at {' or '.join(get_args(ShiftPlace))}, not at {self.place!r}"
            )
        if not isinstance(self.share, int) or self.share < 2:
            raise ValueError(
                f"one in {self.share!r} of the channels cannot move each way; a share"
                " is one in 2 or more"
            )

    @classmethod
    def from_values(cls, values: Mapping) -> Shift:
        """The shift that ``dataclasses.asdict`` made ``values`` of, through JSON or not.

        Raises:
            TypeError, KeyError, ValueError: if they are not a shift's.
        """
        blocks = values["blocks"]
        named = None if blocks is None else tuple(str(block) for block in blocks)
        return cls(values["place"], named, values["share"], bool(values.get("one_way", False)))


class TemporalShift(GatedModule):
    """The first C//share channels take t+1, the next C//share take t−1, zeros at the ends; the rest
    stay. With ``one_way`` the first take t−1, and all others stay.

    ``(N, T, C, H, W)`` → the same shape. Its gates are 1 at every place and time; to those who
    observe gates or replace them it is a gate-shift of that part of the channels.
    """

    is_learnt = False

    def __init__(self, share: int = SHIFTED_FRACTION, one_way: bool = False) -> None:
        super().__init__()
        self.share, self.one_way = share, one_way

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        fold = x.shape[2] // self.share
        if probe.gates or probe.readings:
            return self._gated(x, fold, probe)
        out = torch.zeros_like(x)
        if self.one_way:
            out[:, 1:, :fold] = x[:, :-1, :fold]
            out[:, :, fold:] = x[:, :, fold:]
            return out
        out[:, :-1, :fold] = x[:, 1:, :fold]
        out[:, 1:, fold : 2 * fold] = x[:, :-1, fold : 2 * fold]
        out[:, :, 2 * fold :] = x[:, :, 2 * fold :]
        return out

    def _gated(self, x: Tensor, fold: int, probe: Probe) -> Tensor:
        gate = x.new_ones(*x.shape[:2], 2, *x.shape[3:])
        if self.one_way:
            gate[:, :, 0] = 0
            past = x[:, :, None, :fold].expand(-1, -1, 2, -1, -1, -1)
            moved = gated_shift(past, probe.gate(self, gate))[:, :, 1]
            return torch.cat([moved, x[:, :, fold:]], dim=2)
        gate = probe.gate(self, gate)
        moved = gated_shift(x[:, :, : 2 * fold].unflatten(2, (2, fold)), gate)
        return torch.cat([moved.flatten(2, 3), x[:, :, 2 * fold :]], dim=2)

    def gated_channels(self, channels: int) -> tuple[slice, slice]:
        fold = channels // self.share
        if self.one_way:
            return slice(0, 0), slice(0, fold)
        return slice(0, fold), slice(fold, 2 * fold)

    def reach(self) -> tuple[int, int]:
        return 1, 0 if self.one_way else 1


def choose_sites(sites: Sequence[Site]) -> Sequence[Site]:
    """Every block, every second one in networks with a stage of 23 blocks or more (ResNet-101), in
    a MobileNetV2 those with a shortcut, as the release does.
    """
    step = block_step(max((site.block for site in sites), default=0) + 1)
    return [site for site in sites if site.block % step == 0 and site.takes_shift]


def block_step(longest: int) -> int:
    """How many blocks on the next shift stands, in a network whose longest stage has ``longest``
    blocks.
    """
    return 2 if longest >= DEEP_STAGE_BLOCKS else 1


def install(backbone: Backbone) -> None:
    """One shift at the start of each chosen block's branch."""
    install_shift(backbone, Shift())


def install_shift(backbone: Backbone, shift: Shift) -> None:
    """The shifts of ``shift``.

    Raises:
        ValueError: if it names a block that ``backbone`` does not have, or none at all.
    """
    sites = {site.title: site for site in backbone.sites()}
    chosen = choose_sites(list(sites.values()))
    if shift.blocks is not None:
        unknown = [block for block in shift.blocks if block not in sites]
        if unknown or not shift.blocks:
            raise ValueError(
                f"no block {unknown[0]!r} to shift" if unknown else "no block to shift"
            )
        chosen = [site for title, site in sites.items() if title in shift.blocks]
    for site in chosen:
        site.insert(
            lambda channels: TemporalShift(shift.share, shift.one_way),
            "input" if shift.place == "block" else "start",
            "tsm",
        )


SYSTEM = System(
    name="tsm",
    title="TSM",
    paper=(
        "Lin, Gan, Han: TSM: Temporal Shift Module for Efficient Video Understanding. ICCV 2019"
    ),
    install=install,
    idea=(
        "An eighth of the channels takes the values of the next frame and an eighth those of the"
        " one before. The convolutions of the 2D network then mix three frames, without a"
        " parameter or a multiply-add more. Which channels move is fixed, so that the same moves"
        " at every place of every clip."
    ),
    drawing=(
        Branch(
            (
                Step(
                    "an eighth moves each way",
                    (
                        Link((1,), (0,), mixes=False, kind="moved"),
                        Link((-1,), (1,), mixes=False, kind="moved"),
                        Link((0,), (2, 3), mixes=False, kind="moved"),
                    ),
                ),
                IN_FRAME,
            )
        ),
    ),
)
