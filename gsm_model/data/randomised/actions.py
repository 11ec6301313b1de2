"""The pairs of classes of the randomised clips: those of the drawn set, in its order, and turns of
the camera.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsm_model.data.randomised.cameras import approach, turn_left, turn_up
from gsm_model.data.randomised.chance import Clutter
from gsm_model.data.randomised.motions import move_closer, move_up, push_right
from gsm_model.data.randomised.parts import Action, DrawnShapes
from gsm_model.data.synthetic import actions as drawn
from gsm_model.data.synthetic.chance import Chance
from gsm_model.data.synthetic.scene import Action as DrawnAction


@dataclass(frozen=True)
class Pair:
    """Two classes that are each other's time reversal; ``draw`` makes the action of the first."""

    first: str
    second: str
    draw: Callable[[Clutter], Action]


def _in_other_looks(draw: Callable[[Chance], DrawnAction]) -> Callable[[Clutter], Action]:
    """The drawn set's action, painted as everything here is."""

    def redraw(chance: Clutter) -> Action:
        seed = (chance.count(0, 2**31 - 1),)
        return Action((DrawnShapes(draw(chance).props, seed, chance.clutter),))

    return redraw


_ANEW: dict[str, Callable[[Clutter], Action]] = {
    "Moving something up": move_up,
    "Moving something and something closer to each other": move_closer,
    "Pushing something from left to right": push_right,
    "Approaching something with your camera": approach,
}
PAIRS: tuple[Pair, ...] = (
    *(
        Pair(pair.first, pair.second, _ANEW.get(pair.first) or _in_other_looks(pair.draw))
        for pair in drawn.PAIRS
    ),
    Pair(
        "Turning the camera left while filming something",
        "Turning the camera right while filming something",
        turn_left,
    ),
    Pair(
        "Turning the camera upwards while filming something",
        "Turning the camera downwards while filming something",
        turn_up,
    ),
)
LABELS: tuple[str, ...] = tuple(label for pair in PAIRS for label in (pair.first, pair.second))
# The pairs that are nothing but motion: of a thing across the picture, or of the camera.
MOTIONS: tuple[str, ...] = tuple(
    label
    for pair in PAIRS
    if pair.draw in (move_up, push_right, approach, turn_left, turn_up)
    for label in (pair.first, pair.second)
)
