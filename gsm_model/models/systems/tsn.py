"""Temporal Segment Networks: every frame is scored alone, the scores are averaged.

Nothing crosses time, so the order of the frames cannot change the answer.
"""

from __future__ import annotations

from gsm_model.models.slots import Backbone
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
)
