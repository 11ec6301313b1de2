"""Differences of features: to every frame, what changes until the next one.

Source: the idea of Ng, Davis, "Temporal Difference Networks for Video Action Recognition", WACV
2018: differences between consecutive frames' features at several depths show motion. This is our
reading of it on one network: x + BN(W·(x(t+1) − x(t))), W a 1×1 convolution, behind every stage but
the last; the difference is zero at the last frame. With the BatchNorm's scale at zero, as it
starts, it is the 2D network. Receptive field: the next frame. On a still clip the difference is
exactly zero.
"""

from __future__ import annotations

from torch import Tensor

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import POINTWISE, UNCHANGED, Branch, Link, Step, minus
from gsm_model.models.systems.motion_branch import MotionBranch, change_to_next
from gsm_model.models.systems.system import System
from gsm_model.models.temporal import MAP_AXES, ClipReading


class FeatureDifference(MotionBranch):
    """x + BN(W·(x(t+1) − x(t))): ``(N, T, C, H, W)`` → the same shape."""

    clip_readings = (
        ClipReading("motion", "Change of the features until the next frame", MAP_AXES, ("change",)),
    )

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)

    def motion(self, x: Tensor, probe: Probe) -> Tensor:
        change = change_to_next(x, x)
        if probe.readings:
            probe.read(self, "motion", change.abs().mean(2, keepdim=True))
        return change


def install(backbone: Backbone) -> None:
    """One module behind each stage but the last."""
    for stage in backbone.stages()[:-1]:
        backbone.insert_after(stage, FeatureDifference, "difference")


SYSTEM = System(
    name="difference",
    title="Feature differences",
    paper="Ng, Davis: Temporal Difference Networks for Video Action Recognition. WACV 2018",
    install=install,
    marks=r"(^|\.)difference(_\w+)?\.join\.0\.weight$",
    idea=(
        "What features change by until the next frame shows motion, at every depth. These"
        " differences go through a 1×1 convolution and are added to the features. It is our plain"
        " reading of the paper's idea on one network."
    ),
    drawing=(
        UNCHANGED,
        Branch(
            (
                Step("next − this", (Link((1,), mixes=False, kind="moved"), minus(0, 1, 2, 3))),
                POINTWISE,
            )
        ),
    ),
)
