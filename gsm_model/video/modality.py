"""What a model sees of a video: pictures, how they change, or how what is in them moves.

A clip has T segments. For each, a model of pictures is given one frame; the others are given what
happens in the frames that follow it, which are then decoded too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Kind = Literal["RGB", "differences", "flow", "learnt flow", "motion vectors"]
MAX_FIELDS, MAX_SEGMENTS = 32, 64
SMALLEST_INPUT, LARGEST_INPUT = 16, 1024  # pixels a side


@dataclass(frozen=True)
class Modality:
    """What a model takes of each segment of a clip.

    ``kind``: *RGB*, a frame; *differences*, of ``fields`` + 1 consecutive frames each less the one
    before; *flow*, the optical flow from each of them to the next, as two planes each, to the right
    and down, clipped and stored as bytes; *learnt flow*, the frames, of which the network
    computes the flow itself; *motion vectors*, how a codec predicts each of them from the one
    before, as two planes of vectors and three of what these leave over. ``zero`` is the byte of no
    motion in flow.

    Raises:
        ValueError: for another kind, number of fields or byte.

    Source: TSN takes 5 fields of flow, u₁ v₁ u₂ v₂ …, and 5 differences (Wang et al., ECCV 2016).
    """

    kind: Kind = "RGB"
    fields: int = 1
    zero: Literal[127, 128] = 128

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"a model sees {', '.join(get_args(Kind))}, not {self.kind!r}")
        if not isinstance(self.fields, int) or not 1 <= self.fields <= MAX_FIELDS:
            raise ValueError(f"a segment has 1 to {MAX_FIELDS} fields, not {self.fields!r}")
        if self.zero not in (127, 128):
            raise ValueError(f"no motion is stored as 127 or 128, not {self.zero!r}")

    @property
    def neighbours(self) -> int:
        """How many frames are needed of a segment beside its own: those that follow it."""
        return 0 if self.kind == "RGB" else self.fields

    @property
    def planes(self) -> int:
        """How many planes a network of it is given of a segment."""
        if self.kind == "motion vectors":
            return 5 * self.fields
        return 3 * (1 + self.fields) if self.kind == "learnt flow" else self.stem_planes

    @property
    def stem_planes(self) -> int:
        """How many planes enter its first convolution."""
        if self.kind == "RGB":
            return 3
        return (3 if self.kind == "differences" else 2) * self.fields

    @property
    def title(self) -> str:
        """What people call it."""
        if self.kind == "RGB":
            return "RGB"
        what = {
            "differences": "differences of frames",
            "flow": "optical flow",
            "learnt flow": "optical flow of its own (TVNet)",
            "motion vectors": "motion vectors and residuals (DMC-Net)",
        }[self.kind]
        return f"{what}, {self.fields} a segment" if self.fields > 1 else what

    @classmethod
    def from_values(cls, values: Mapping) -> Modality:
        """The modality that ``dataclasses.asdict`` made ``values`` of.

        Raises:
            TypeError, KeyError, ValueError: if they are not a modality's.
        """
        return cls(values["kind"], values["fields"], values["zero"])


RGB = Modality()


def stacks(indices: np.ndarray, neighbours: int, first: int, stop: int) -> np.ndarray:
    """The frames of each segment, ``(T, 1 + neighbours)`` int64: those at ``indices`` (T,) and the
    ones that follow.

    They lie in ``first`` … ``stop`` − 1: a stack that would go over the end begins earlier, and
    where the part is shorter than a stack, its last frame is repeated.
    """
    starts = np.minimum(indices, max(first, stop - 1 - neighbours))
    return np.minimum(starts[:, None] + np.arange(1 + neighbours), stop - 1)
