"""Actions with things that a hand moves: up, sideways, together, or in front of another."""

from __future__ import annotations

import numpy as np

from gsm_model.data.synthetic.chance import Chance, Hand, Timing, placed
from gsm_model.data.synthetic.materials import Material
from gsm_model.data.synthetic.raster import Shape
from gsm_model.data.synthetic.scene import Action
from gsm_model.data.synthetic.shadows import shadow


def put_in_front(chance: Chance) -> Action:
    """A hand brings a thing from outside the picture, from below, and leaves it in front of
    another, which it hides.
    """
    timing, hand = chance.timing(), chance.hand(np.pi / 2 - 0.7, np.pi / 2 + 0.7)
    behind_at = chance.point(0.3)
    behind_outline, front_outline = (
        chance.outline(chance.between(0.2, 0.3)),
        chance.outline(chance.between(0.36, 0.46)),
    )
    behind, front = chance.material(), chance.material()
    place = behind_at + chance.point(0.1)
    turn, turn_on_way = chance.between(0, 2 * np.pi), chance.between(-0.6, 0.6)
    hidden = placed(behind_outline, behind_at)

    def props(t: float) -> list[Shape]:
        way = 1 - timing.progress(t)
        at, angle = place + hand.direction * 2.2 * way, turn + turn_on_way * way
        points = placed(front_outline, at, angle)
        away = timing.away(t) if t > timing.stop else 0.0
        return [
            shadow(hidden),
            Shape(hidden, behind, "object", origin=tuple(behind_at)),
            shadow(points, 0.5 * way),
            Shape(points, front, "actor", origin=tuple(at), turn=angle),
            *hand.shapes(at + hand.direction * 0.25, away),
        ]

    return Action(props)


def move_up(chance: Chance) -> Action:
    """A hand from a side takes a thing and carries it upwards."""
    timing, hand = chance.timing(), chance.hand_from_a_side()
    low = np.array([chance.between(-0.45, 0.45), chance.between(0.15, 0.6)])
    high = low + np.array([chance.between(-0.12, 0.12), -chance.between(0.5, 0.85)])
    points, material = chance.outline(chance.between(0.18, 0.32)), chance.material()
    turn, turn_on_way = chance.between(0, 2 * np.pi), chance.between(-0.4, 0.4)
    sway = chance.between(-0.12, 0.12)

    def props(t: float) -> list[Shape]:
        way = timing.progress(t)
        at = low + (high - low) * way + np.array([sway * np.sin(np.pi * way), 0])
        drawn = placed(points, at, turn + turn_on_way * way)
        thing = Shape(drawn, material, "actor", origin=tuple(at), turn=turn + turn_on_way * way)
        return [shadow(drawn, 0.6), thing, *hand.shapes(at + hand.direction * 0.15, timing.away(t))]

    return Action(props)


def push_right(chance: Chance) -> Action:
    """A hand from above or below lies on a thing and slides it from left to right, without turning
    it.
    """
    timing, below = chance.timing(), chance.often(0.5)
    hand = hand_across(chance, below)
    left = np.array([-chance.between(0.35, 0.65), chance.between(-0.4, 0.4)])
    right = np.array([chance.between(0.35, 0.65), left[1] + chance.between(-0.1, 0.1)])
    points, material = chance.outline(chance.between(0.18, 0.32)), chance.material()
    return slid(timing, hand, (left, right), points, material, chance.between(0, 2 * np.pi))


def hand_across(chance: Chance, below: bool) -> Hand:
    """A hand that comes from below, or from above."""
    middle = np.pi / 2 if below else -np.pi / 2
    return chance.hand(middle - 0.35, middle + 0.35)


def slid(
    timing: Timing,
    hand: Hand,
    ends: tuple[np.ndarray, np.ndarray],
    points: np.ndarray,
    material: Material,
    turn: float,
) -> Action:
    """``hand`` lies on the thing of outline ``points`` and slides it from the first of ``ends`` to
    the second.
    """
    start, stop = ends

    def props(t: float) -> list[Shape]:
        at = start + (stop - start) * timing.progress(t)
        drawn = placed(points, at, turn)
        thing = Shape(drawn, material, "actor", origin=tuple(at), turn=turn)
        return [shadow(drawn), thing, *hand.shapes(at + hand.direction * 0.1, timing.away(t))]

    return Action(props)


def move_closer(chance: Chance) -> Action:
    """Two hands, one from each side, move two things towards each other."""
    timing = chance.timing()
    slope, at = chance.between(-0.5, 0.5), chance.point(0.15)
    along = np.array([np.cos(slope), np.sin(slope)])
    sides = []
    for sign, middle in ((1, 0.0), (-1, np.pi)):
        hand = chance.hand(middle + slope - 0.35, middle + slope + 0.35)
        size = chance.between(0.14, 0.24)
        near, far = size + chance.between(0.02, 0.1), chance.between(0.62, 0.85)
        sides.append(
            (
                sign,
                hand,
                chance.outline(size),
                chance.material(),
                near,
                far,
                chance.between(0, 2 * np.pi),
            )
        )

    def props(t: float) -> list[Shape]:
        way, shapes, hands = timing.progress(t), [], []
        for sign, hand, points, material, near, far, turn in sides:
            here = at + along * sign * (far + (near - far) * way)
            drawn = placed(points, here, turn)
            shapes += [
                shadow(drawn),
                Shape(drawn, material, "actor", origin=tuple(here), turn=turn),
            ]
            hands += hand.shapes(here + hand.direction * 0.12, timing.away(t))
        return shapes + hands

    return Action(props)


def approach(chance: Chance) -> Action:
    """Something with a sign on it lies still, others perhaps beside it; the camera comes closer."""
    timing, growth = chance.timing(), chance.between(1.7, 2.6)
    first, at, turn = chance.between(0.6, 0.8), chance.point(0.2), chance.between(0, 2 * np.pi)
    size, inner = chance.between(0.28, 0.42), chance.between(0.4, 0.65)
    outline, sign = chance.outline(size), chance.outline(size * inner)
    still = [
        shadow(placed(outline, at, turn)),
        Shape(placed(outline, at, turn), chance.material(), "actor", origin=tuple(at), turn=turn),
        Shape(placed(sign, at, turn), chance.material(), "actor", origin=tuple(at), turn=turn),
        Shape(
            placed(sign * 0.45, at, turn), chance.material(), "actor", origin=tuple(at), turn=turn
        ),
    ]
    for _ in range(chance.count(0, 2)):
        beside = at + chance.point(0.6)
        points = placed(chance.outline(chance.between(0.1, 0.2)), beside)
        still = [
            shadow(points),
            Shape(points, chance.material(), "object", origin=tuple(beside)),
            *still,
        ]
    return Action(lambda t: still, lambda t: first * growth ** timing.progress(t))
