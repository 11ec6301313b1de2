"""The pairs of classes: one function a pair draws the action of its first class; played backwards
it is the second.

Because both classes of a pair are the same scenes in opposite order of time, no single frame, no
pair of end states and no speed profile can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsm_model.data.synthetic.chance import Chance
from gsm_model.data.synthetic.scene import Action
from gsm_model.data.synthetic.sheets import cover, fold
from gsm_model.data.synthetic.things import approach, move_closer, move_up, push_right, put_in_front
from gsm_model.data.synthetic.vessels import bury, open_lid, put_into


@dataclass(frozen=True)
class Pair:
    """Two classes that are each other's time reversal; ``draw`` makes the action of the first."""

    first: str
    second: str
    draw: Callable[[Chance], Action]


PAIRS: tuple[Pair, ...] = (
    Pair("Folding something", "Unfolding something", fold),
    Pair(
        "Putting something in front of something",
        "Removing something, revealing something behind",
        put_in_front,
    ),
    Pair("Opening something", "Closing something", open_lid),
    Pair("Covering something with something", "Uncovering something", cover),
    Pair("Moving something up", "Moving something down", move_up),
    Pair("Putting something into something", "Taking something out of something", put_into),
    Pair(
        "Moving something and something closer to each other",
        "Moving something and something away from each other",
        move_closer,
    ),
    Pair(
        "Pushing something from left to right", "Pushing something from right to left", push_right
    ),
    Pair(
        "Approaching something with your camera",
        "Moving away from something with your camera",
        approach,
    ),
    Pair("Burying something in something", "Digging something out of something", bury),
)
LABELS: tuple[str, ...] = tuple(label for pair in PAIRS for label in (pair.first, pair.second))
