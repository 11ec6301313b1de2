"""Temporal Segment Networks: every frame is scored alone, the scores are averaged.

Nothing crosses time, so the order of the frames cannot change the answer.
"""

from __future__ import annotations

from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import IN_FRAME, Branch
from gsm_model.models.systems.system import System


def install(backbone: Backbone) -> None:
    """Nothing is put into the network."""


SYSTEM = System(
    name="none",
    title="TSN",
    paper=(
        "Wang, Xiong, Wang, Qiao, Lin, Tang, Van Gool: Temporal Segment Networks: Towards Good"
        " Practices for Deep Action Recognition. ECCV 2016"
    ),
    install=install,
    idea=(
        "A clip is cut into equal segments, and the same 2D network scores one frame of each. The"
        " scores are averaged, so that a long video is covered at the cost of a few frames."
        " Nothing crosses time before the average: the order of the frames cannot change the"
        " answer."
    ),
    drawing=(Branch((IN_FRAME,)),),
)
