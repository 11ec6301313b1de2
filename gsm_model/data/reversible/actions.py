"""The actions: one function a pair draws the scene of its first class; played backwards it is the second.

Because both classes of a pair are the same scenes in opposite order of time, no single frame, no pair
of end states and no speed profile can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gsm_model.data.reversible.raster import Material, Shape
from gsm_model.data.reversible.scene import Hand, Rng, draw_hand, draw_material, draw_timing, outline, placed

Props = Callable[[float], list[Shape]]
SHADOW = Material(np.zeros((2, 3)))


@dataclass(frozen=True)
class Pair:
    """Two classes that are each other's time reversal; ``draw`` makes the props of the first."""

    first: str
    second: str
    draw: Callable[[Rng], Props]


def _shadow(points: np.ndarray, height: float) -> Shape:
    return Shape(points + np.array([0.05, 0.07]) * (0.5 + height), SHADOW, "shadow", radius=0.02, opacity=0.28)


def fold_sheet(rng: Rng) -> Props:
    """A sheet lies flat; the hand takes one side of it and turns it over onto the other along a fold line."""
    timing, hand = draw_timing(rng), draw_hand(rng)
    front, back = draw_material(rng), draw_material(rng)
    half = np.array([rng.uniform(0.42, 0.6), rng.uniform(0.35, 0.55)])
    at, turn = rng.uniform(-0.15, 0.15, 2), rng.uniform(0, 2 * np.pi)
    crease = rng.uniform(-0.12, 0.12) * half[0]
    lift = rng.uniform(0.25, 0.45)

    def props(t: float) -> list[Shape]:
        angle = np.pi * timing.progress(t)
        flap = half[0] - crease
        edge, height = crease + flap * np.cos(angle), flap * np.sin(angle) * lift
        still = placed(np.array([[-half[0], -half[1]], [crease, -half[1]], [crease, half[1]], [-half[0], half[1]]]), at, turn)
        rim = placed(np.array([[edge, -half[1]], [edge, half[1]]]), at, turn) + np.array([0, -height])
        hinge = placed(np.array([[crease, half[1]], [crease, -half[1]]]), at, turn)
        turned = angle > np.pi / 2
        ground = placed(np.array([[edge, -half[1]], [edge, half[1]], [crease, half[1]], [crease, -half[1]]]), at, turn)
        flap_shape = Shape(
            np.concatenate([rim, hinge]),
            back if turned else front,
            "actor",
            origin=tuple(at),
            turn=turn,
            shade=1.0 - 0.35 * float(np.sin(angle)),
        )
        sheet = Shape(still, front, "actor", origin=tuple(at), turn=turn)
        return [_shadow(still, 0), sheet, _shadow(ground, np.sin(angle)), flap_shape, *hand.shapes(rim.mean(0), timing.away(t))]

    return props


def put_in_front(rng: Rng) -> Props:
    """A hand brings a thing from outside the picture and leaves it in front of another, which it hides."""
    timing, from_right = draw_timing(rng), rng.random() < 0.5
    hand = draw_hand(rng, (-0.5, 0.5) if from_right else (np.pi - 0.5, np.pi + 0.5))
    behind_at = rng.uniform(-0.3, 0.3, 2)
    behind_outline, front_outline = outline(rng, rng.uniform(0.2, 0.3)), outline(rng, rng.uniform(0.34, 0.46))
    behind, front = draw_material(rng), draw_material(rng)
    place = behind_at + rng.uniform(-0.12, 0.12, 2)
    turn, turn_on_way = rng.uniform(0, 2 * np.pi), rng.uniform(-0.6, 0.6)

    def props(t: float) -> list[Shape]:
        way = 1 - timing.progress(t)
        at = place + hand.direction * 2.0 * way
        angle = turn + turn_on_way * way
        points = placed(front_outline, at, angle)
        hidden = Shape(placed(behind_outline, behind_at), behind, "object", origin=tuple(behind_at))
        thing = Shape(points, front, "actor", origin=tuple(at), turn=angle)
        away = timing.away(t) if t > timing.stop else 0.0
        grip = at + hand.direction * 0.3
        return [_shadow(hidden.points, 0), hidden, _shadow(points, 0.5 * way), thing, *hand.shapes(grip, away)]

    return props


def move_up(rng: Rng) -> Props:
    """A hand takes a thing and carries it upwards."""
    timing, hand = draw_timing(rng), _side_hand(rng)
    low = np.array([rng.uniform(-0.45, 0.45), rng.uniform(0.15, 0.6)])
    high = low + np.array([rng.uniform(-0.12, 0.12), -rng.uniform(0.5, 0.85)])
    points, material = outline(rng, rng.uniform(0.18, 0.32)), draw_material(rng)
    turn, turn_on_way = rng.uniform(0, 2 * np.pi), rng.uniform(-0.4, 0.4)
    sway = rng.uniform(-0.12, 0.12)

    def props(t: float) -> list[Shape]:
        way = timing.progress(t)
        at = low + (high - low) * way + np.array([sway * np.sin(np.pi * way), 0])
        angle = turn + turn_on_way * way
        drawn = placed(points, at, angle)
        thing = Shape(drawn, material, "actor", origin=tuple(at), turn=angle)
        return [_shadow(drawn, 0.6), thing, *hand.shapes(at + hand.direction * 0.15, timing.away(t))]

    return props


def _side_hand(rng: Rng) -> Hand:
    return draw_hand(rng, (-0.4, 0.4) if rng.random() < 0.5 else (np.pi - 0.4, np.pi + 0.4))


PAIRS: tuple[Pair, ...] = (
    Pair("Folding something", "Unfolding something", fold_sheet),
    Pair("Putting something in front of something", "Removing something, revealing something behind", put_in_front),
    Pair("Moving something up", "Moving something down", move_up),
)
LABELS: tuple[str, ...] = tuple(label for pair in PAIRS for label in (pair.first, pair.second))
