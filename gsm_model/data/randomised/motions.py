"""Actions in which things move: across, up, towards each other; each played backwards is its
opposite.
"""

from __future__ import annotations

import numpy as np

from gsm_model.data.randomised.chance import Clutter, Pace, at_times
from gsm_model.data.randomised.limbs import raise_arm
from gsm_model.data.randomised.parts import Action, DrawnShapes, Motion, Part, Thing
from gsm_model.data.synthetic.chance import Hand
from gsm_model.data.synthetic.raster import Shape

EDGE = 1.5  # where a thing of middling size is out of the picture


def push_right(chance: Clutter) -> Action:
    """One or several things go from left to right, with or without a hand, through the picture or
    within it.
    """
    return _go(chance, np.array([1.0, 0.0]))


def move_up(chance: Clutter) -> Action:
    """One or several things go up, with or without a hand; or somebody raises an arm."""
    if chance.sometimes(0.35):
        return raise_arm(chance)
    return _go(chance, np.array([0.0, -1.0]))


def move_closer(chance: Clutter) -> Action:
    """Two things come closer to each other; one of them may lie still."""
    pace, slope = chance.timing(), chance.between(-0.5, 0.5) + np.pi * chance.count(0, 1)
    along, middle = np.array([np.cos(slope), np.sin(slope)]), chance.point(0.25)
    size = chance.between(0.18, 0.38)
    near = chance.between(0.7, 1.3) * size
    far = near + chance.between(0.3, 0.7) + 0.2 * (1 - chance.clutter)
    alone = chance.often(0.3)
    handed = chance.often(0.5)
    parts: list[Part] = []
    for sign in (1.0, -1.0):
        begin = near if alone and sign < 0 else far

        def base(t: np.ndarray, sign: float = sign, begin: float = begin) -> np.ndarray:
            return middle + sign * along * (begin + (near - begin) * pace.along(t)[:, None])

        thing = _thing(chance, base, size * chance.between(0.75, 1.3), pace)
        parts.append(thing)
        if handed and begin != near:
            angle = float(np.arctan2(*(sign * along)[::-1]))
            parts.append(_holding(chance, chance.hand(angle - 0.5, angle + 0.5), thing.at, pace))
    return Action(tuple(parts))


def _go(chance: Clutter, way: np.ndarray) -> Action:
    """Things that go along ``way`` (a unit vector), all of them at about the same speed."""
    pace, across = chance.timing(), np.array([-way[1], way[0]])
    size = chance.between(0.2, 0.6)
    length = chance.log_between(0.45 + 0.35 * (1 - chance.clutter), 2.4)
    slant = chance.between(-0.3, 0.3)
    middle = chance.between(-0.25, 0.25) if length < 1.6 else 0.0
    through = chance.often(0.25)
    step = (way + slant * across) * (2 * EDGE if through else length)
    start = way * middle + across * chance.between(-0.5, 0.5) - step / 2
    growth = chance.between(-0.45, 0.45) * chance.often(0.5) * chance.clutter
    count = 1 + (chance.count(1, 3) if chance.sometimes(0.25) else 0)
    parts: list[Part] = []
    for number in range(count):
        beside = 0 if number == 0 else 1
        offset = beside * (chance.point(0.9))
        speed = 1 + beside * chance.between(-0.2, 0.2)

        def base(t: np.ndarray, offset: np.ndarray = offset, speed: float = speed) -> np.ndarray:
            done = (pace.along(t) - 0.5) * speed + 0.5
            return start + offset + step * done[:, None]

        parts.append(_thing(chance, base, size * (1 - 0.4 * beside), pace, growth))
    first = parts[0]
    assert isinstance(first, Thing)
    if chance.often(0.55):
        angle = float(np.arctan2(*across[::-1])) + np.pi * chance.count(0, 1)
        reach = 0.6 if chance.often(0.7) else np.pi  # mostly from a side, else from anywhere
        hand = chance.hand(angle - reach, angle + reach)
        parts.append(_holding(chance, hand, first.at, pace))
    follow = chance.between(0.0, 0.5) if chance.sometimes(0.25) else 0.0
    return Action(tuple(parts), follow=follow, at=first.at)


def _thing(chance: Clutter, base: Motion, size: float, pace: Pace, growth: float = 0.0) -> Thing:
    """A cut-out that goes where ``base`` goes, swaying, turning and growing a little."""
    sway = [chance.wave(0.03 * chance.clutter, 0.5, 5.0) for _ in range(2)]
    turn, spin = chance.between(-0.4, 0.4), chance.between(-0.6, 0.6) * chance.often(0.5)
    if chance.often(0.3):
        turn = chance.between(0, 2 * np.pi)
    rock = chance.wave(0.12 * chance.clutter, 0.5, 5.0)
    breathe = chance.wave(0.05 * chance.clutter, 0.5, 5.0)
    aspect = chance.log_between(0.75, 1.33)
    sides = size * np.array([aspect, 1 / aspect])

    def at(t: np.ndarray) -> np.ndarray:
        return base(t) + np.stack([at_times(wave, t) for wave in sway], 1)

    def turned(t: np.ndarray) -> np.ndarray:
        return (turn + spin * (pace.along(t) - 0.5) + at_times(rock, t))[:, None]

    def grown(t: np.ndarray) -> np.ndarray:
        return sides * np.exp(growth * (pace.along(t) - 0.5) + at_times(breathe, t))[:, None]

    return Thing(chance.look(size), chance.cut(), at, turned, grown, "actor")


def _holding(chance: Clutter, hand: Hand, at: Motion, pace: Pace) -> DrawnShapes:
    """A hand that comes, moves with what is ``at`` and leaves; or that is there all the time."""
    stays = chance.often(0.5)
    grip = hand.direction * chance.between(0.05, 0.2)
    seed = (chance.count(0, 2**31 - 1),)

    def props(t: float) -> list[Shape]:
        return hand.shapes(at(np.array([t]))[0] + grip, 0.0 if stays else pace.away(t))

    return DrawnShapes(props, seed, chance.clutter)
