"""How an operator is drawn: which frames and which channels meet in each of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CHANNELS = 4  # drawn of each frame; they stand for all
ALL = tuple(range(CHANNELS))
AROUND = (-1, 0, 1)
Kind = Literal["learnt", "moved", "gated", "subtracted"]


@dataclass(frozen=True)
class Link:
    """What drawn ``channels`` of frame t take from ``frames`` (0: t itself, 1: the next one).

    From every one of ``sources`` if it ``mixes`` channels, else each from itself alone. ``kind``:
    with *learnt* weights, *moved* as it is, as far as a gate lets it (*gated*), or *subtracted*.
    """

    frames: tuple[int, ...]
    channels: tuple[int, ...] = ALL
    sources: tuple[int, ...] = ALL
    mixes: bool = True
    kind: Kind = "learnt"


@dataclass(frozen=True)
class Step:
    """One step of an operator; ``whole_clip`` where it looks at all frames of the clip."""

    name: str
    links: tuple[Link, ...]
    whole_clip: bool = False


@dataclass(frozen=True)
class Branch:
    """Steps behind each other. The output of an operator is the sum of its branches."""

    steps: tuple[Step, ...]

    def rows(self) -> list[tuple[int, ...]]:
        """The frames drawn before each step and behind the last, none further than one from t."""
        needed = {0}
        rows = [needed]
        for step in reversed(self.steps):
            frames = {at + far for at in needed for link in step.links for far in link.frames}
            needed = frames & set(AROUND)
            rows.append(needed)
        return [tuple(sorted(row)) for row in reversed(rows)]


IN_FRAME = Step("3×3 in each frame", (Link((0,)),))
POINTWISE = Step("1×1", (Link((0,)),))
OVER_TIME = Step("over three frames", (Link(AROUND),))
SPACE_TIME = Step("3×3×3", (Link(AROUND),))
KEPT = Link((0,), mixes=False, kind="moved")
UNCHANGED = Branch((Step("unchanged", (KEPT,)),))


def to_few(name: str, few: tuple[int, ...]) -> Step:
    """All channels of a frame into the ``few``."""
    return Step(name, (Link((0,), channels=few),))


def from_few(name: str, few: tuple[int, ...]) -> Step:
    """The ``few`` channels of a frame into all."""
    return Step(name, (Link((0,), sources=few),))


def minus(*channels: int) -> Link:
    """This frame's ``channels``, each subtracted from itself."""
    return Link((0,), channels, mixes=False, kind="subtracted")
