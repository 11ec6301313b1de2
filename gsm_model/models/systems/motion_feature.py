"""MFN, the motion feature network: differences to the next frame, moved by one place each way.

Source: Lee, Lee, Son, Park, Kwak, "Motion Feature Network: Fixed Motion Filter for Action
Recognition", ECCV 2018. For fixed displacements δ of at most one place the motion filter is
R_δ(x, t) = F(x + δ, t + 1) − F(x, t), with F the features through a 1×1 convolution to C/16
channels; where R_δ is near zero, what is at x moves by δ.

Our reading of it (no code was published): five displacements, none and one place to each side; the
variant that sums, y = ReLU(x + BN(W·[R_δ])), behind every stage; R is zero at the last frame. With
the BatchNorm's scale at zero, as it starts, it is the 2D network. Receptive field: the next frame.
On a still clip R of no displacement is exactly zero; the others are differences in space.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import UNCHANGED, Branch, Link, Step, from_few, minus, to_few
from gsm_model.models.systems.motion_branch import (
    MotionBranch,
    change_to_next,
    pointwise,
)
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import by_frame
from gsm_model.models.temporal import MAP_AXES, ClipReading

REDUCTION = 16
# (columns to the right, rows down)
SHIFTS = {
    "stays": (0, 0),
    "moves right": (1, 0),
    "moves left": (-1, 0),
    "moves down": (0, 1),
    "moves up": (0, -1),
}


class MotionFilter(MotionBranch):
    """ReLU(x + BN(W·[R_δ])): ``(N, T, C, H, W)`` → the same shape."""

    clip_readings = (
        ClipReading(
            "motion",
            "What is left where the next frame is expected to be moved so: least where it is true",
            MAP_AXES,
            tuple(SHIFTS),
        ),
    )

    def __init__(self, channels: int) -> None:
        reduced = max(1, channels // REDUCTION)
        super().__init__(len(SHIFTS) * reduced, channels)
        self.reduce = pointwise(channels, reduced)

    def motion(self, x: Tensor, probe: Probe) -> Tensor:
        f = by_frame(self.reduce, x)
        left = [change_to_next(f, moved(f, *shift)) for shift in SHIFTS.values()]
        if probe.readings:
            probe.read(self, "motion", torch.stack([one.abs().mean(2) for one in left], dim=2))
        return torch.cat(left, dim=2)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return F.relu(super().forward(x, probe))


def moved(f: Tensor, right: int, down: int) -> Tensor:
    """``f`` (…, H, W) at (row + down, column + right), zero beyond the border; ±1 at most."""
    h, w = f.shape[-2:]
    return F.pad(f, (1, 1, 1, 1))[..., 1 + down : 1 + down + h, 1 + right : 1 + right + w]


def install(backbone: Backbone) -> None:
    """One module behind each stage."""
    for stage in backbone.stages():
        backbone.insert_after(stage, MotionFilter, "motion")


SYSTEM = System(
    name="motion_feature",
    title="MFN",
    paper=(
        "Lee, Lee, Son, Park, Kwak: Motion Feature Network: Fixed Motion Filter for Action"
        " Recognition. ECCV 2018"
    ),
    install=install,
    marks=r"(^|\.)motion(_\w+)?\.reduce\.weight$",
    idea=(
        "From the next frame's features, moved by a place to each side or not at all, this"
        " frame's are subtracted. Where little is left, that is how things moved: fixed filters"
        " find motion without optical flow. It is done with few channels, and what is found is"
        " added to the features behind every stage."
    ),
    drawing=(
        UNCHANGED,
        Branch(
            (
                to_few("1×1 to few channels", (0,)),
                Step(
                    "next, moved a place, − this", (Link((1,), (0,), (0,), kind="moved"), minus(0))
                ),
                from_few("1×1", (0,)),
            )
        ),
    ),
)
