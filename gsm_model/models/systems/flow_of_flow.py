"""Flow of flow: two layers of representation flow with a convolution between.

Source: Piergiovanni, Ryoo, "Representation Flow for Action Recognition", CVPR 2019: the flow of
features, brought together by a convolution, has a flow of its own to the next frame's. The layers
are those of `gsm_model.models.systems.representation_flow`. Receptive field: the next two frames.
On a still clip it is exactly zero.
"""

from __future__ import annotations

from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import UNCHANGED, Branch, Link, Step, from_few, to_few
from gsm_model.models.systems.representation_flow import (
    ITERATIONS,
    RepresentationFlow,
    for_all,
    give_kernels,
    kernels_of,
    mean_of_channels,
)
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import by_frame
from gsm_model.models.temporal import MAP_AXES, ClipReading


class FlowOfFlow(RepresentationFlow):
    """ReLU(x + BN(W·[u, v])), (u, v) the flow to the next frame of K ∗ F, with F the flow of V·x to
    the next frame and K a 3×3 convolution: how motion itself moves. Zero at the last two frames.
    """

    clip_readings = (
        *RepresentationFlow.clip_readings,
        ClipReading(
            "flow_of_flow",
            "Flow of that flow to the next frame, mean of the channels, in places a frame",
            MAP_AXES,
            ("to the right", "downwards"),
            "places a frame",
            is_signed=True,
        ),
    )

    def __init__(self, channels: int, iterations: int = ITERATIONS) -> None:
        super().__init__(channels, iterations)
        reduced = self.reduce.out_channels
        self.between = nn.Conv2d(2 * reduced, reduced, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(self.between.weight, mode="fan_out", nonlinearity="relu")
        self.second = nn.Module()
        give_kernels(self.second, reduced)

    def motion(self, x: Tensor, probe: Probe) -> Tensor:
        features = by_frame(self.reduce, x).float()
        first = self.to_next(features, self.kernels())
        joined = by_frame(self.between, first.to(x.dtype)).float()
        flow = for_all(self.to_next(joined, kernels_of(self.second)), features)
        if probe.readings:
            probe.read(self, "flow", mean_of_channels(for_all(first, features)))
            probe.read(self, "flow_of_flow", mean_of_channels(flow))
        return flow.to(x.dtype)

    def reach(self) -> tuple[int, int]:
        """The next two frames, where the branch is not shut by a scale of zero."""
        return 0, 2 * super().reach()[1]


def install(backbone: Backbone) -> None:
    """One module behind the stage in the middle: the second of a ResNet's four."""
    stages = backbone.stages()
    backbone.insert_after(stages[(len(stages) - 1) // 2], FlowOfFlow, "flow_of_flow")


SYSTEM = System(
    name="flow_of_flow",
    title="Flow of flow",
    paper="Piergiovanni, Ryoo: Representation Flow for Action Recognition. CVPR 2019",
    install=install,
    marks=r"(^|\.)flow_of_flow(_\w+)?\.gradient_x$",
    idea=(
        "Two layers of representation flow stand one behind the other, with a convolution between"
        " them. The first says how the features move from each frame to the next, the second how"
        " that motion itself moves. Their filters and constants are learnt together with the"
        " classes."
    ),
    drawing=(
        UNCHANGED,
        Branch(
            (
                to_few("1×1 to few channels", (0, 1)),
                Step("flow to the next frame", (Link((0, 1), (0, 1), mixes=False),)),
                Step("3×3 in each frame", (Link((0,), (0, 1), (0, 1)),)),
                Step("flow of that to the next frame", (Link((0, 1), (0, 1), mixes=False),)),
                from_few("1×1", (0, 1)),
            )
        ),
    ),
)
