"""Actions of the camera: it turns to a side or up, or it comes closer; each played backwards is its
opposite.
"""

from __future__ import annotations

import numpy as np

from gsm_model.data.randomised.chance import Clutter, at_times
from gsm_model.data.randomised.parts import (
    Action,
    Floor,
    Part,
    Thing,
    scaled,
    still,
    turned,
    unmoved,
)

FAR = 12.0


def turn_left(chance: Clutter) -> Action:
    """The camera turns left, so all that it films goes to the right."""
    return _turn(chance, np.array([1.0, 0.0]))


def turn_up(chance: Clutter) -> Action:
    """The camera turns up, so all that it films goes down."""
    return _turn(chance, np.array([0.0, 1.0]))


def _turn(chance: Clutter, way: np.ndarray) -> Action:
    """What is filmed goes along ``way`` by a turn of the camera, or nearly so by its moving."""
    pace, across = chance.timing(), np.array([-way[1], way[0]])
    length = chance.log_between(0.35 + 0.45 * (1 - chance.clutter), 2.6)
    step = (way + chance.between(-0.25, 0.25) * across) * length
    focal, zoom = chance.between(1.5, 4.0), chance.wave(0.04 * chance.clutter, 0.2, 1.0)
    plain = chance.often(0.5)
    parallax = 0.15 * chance.clutter

    def lens(t: np.ndarray, depth: float) -> np.ndarray:
        moved = step * (pace.along(t)[:, None] - 0.5)
        if plain:
            found = unmoved(t, depth)
            found[:, :2, 2] = moved * (1 + parallax * (1 / depth - 1))
        else:
            found = turned(np.arctan(moved / focal), focal)
        found[:, 2, 2] *= np.exp(at_times(zoom, t))
        return found

    parts: list[Part] = []
    for _ in range(chance.count(1, 3) + chance.count(0, round(8 * chance.clutter))):
        at = chance.point(1.0) - way * chance.between(-0.5, 0.5) * length
        parts.append(_lying(chance, at, chance.log_between(0.1, 0.5), chance.between(0.8, 1.6)))
    filmed = _lying(chance, chance.point(0.25), chance.between(0.25, 0.5), 1.0, "actor")
    followed = [_followed(chance)] if chance.sometimes(0.4) else []
    return Action((*parts, filmed, *followed), lens=lens)


def _followed(chance: Clutter) -> Thing:
    """Something that the camera keeps about where it is in the picture while it turns."""
    base, size = chance.point(0.3), chance.between(0.25, 0.7)
    sway = [chance.wave(0.1, 0.3, 2.0) for _ in range(2)]
    rock, breathe = chance.wave(0.15, 0.3, 2.0), chance.wave(0.1, 0.3, 2.0)
    aspect = chance.log_between(0.5, 1.2)
    sides = size * np.array([aspect, 1 / aspect])
    return Thing(
        chance.look(size),
        chance.cut(),
        lambda t: base + np.stack([at_times(wave, t) for wave in sway], 1),
        lambda t: at_times(rock, t)[:, None],
        lambda t: sides * np.exp(at_times(breathe, t))[:, None],
        depth=np.inf,
    )


def approach(chance: Clutter) -> Action:
    """The camera comes closer: to a picture, to a thing, along a road with things beside it; or it
    zooms in, and may turn a little the while.
    """
    kind = chance.rng.choice(["zoom", "thing", "road"], p=[0.35, 0.3, 0.35])
    if kind == "road":
        return _along_a_road(chance)
    pace = chance.timing()
    growth = chance.log_between(1.2 + 0.5 * (1 - chance.clutter), 2.8)
    towards = chance.point(chance.spread(0.1, 0.6))
    drift = chance.point(0.3 * chance.clutter)
    first = growth ** -chance.between(0.2, 0.8)
    far = 1.0 if kind == "zoom" else chance.between(2.0, FAR)

    def lens(t: np.ndarray, depth: float) -> np.ndarray:
        """At depth 1 all grows by ``growth``; further away, less."""
        done = pace.along(t)
        if depth == 1.0:
            scale = first * growth**done
        else:
            ahead = (1 - 1 / growth) * done  # of the way to depth 1
            scale = first**0.5 * depth / (depth - ahead)
        moved = drift * (done[:, None] - 0.5)
        return scaled(scale, towards * (1 - scale[:, None]) + moved)

    target = _lying(chance, towards + chance.point(0.15), chance.between(0.2, 0.5), 1.0, "actor")
    around = []
    for _ in range(chance.count(0, 2) + chance.count(0, round(7 * chance.clutter))):
        depth = 1.0 if kind == "zoom" else chance.between(1.0, far)
        at = towards + chance.point(1.6)
        around.append(_lying(chance, at, chance.log_between(0.08, 0.4), depth))
    around.sort(key=lambda thing: -thing.depth)
    return Action((*around, target), lens=lens, backdrop_depth=far)


def _along_a_road(chance: Clutter) -> Action:
    """Forward over a floor, under a sky, towards and past things that stand on it or hang over
    it.
    """
    pace, drift = chance.timing(), chance.point(0.3 * chance.clutter)
    way = chance.log_between(0.6, 2.5)
    towards = np.array([chance.between(-0.4, 0.4), chance.between(-0.5, 0.3)])
    height = chance.between(0.4, 1.1)

    def lens(t: np.ndarray, depth: float) -> np.ndarray:
        left = np.maximum(depth - way * pace.along(t), 1e-3)
        scale = depth / left
        moved = drift * (pace.along(t)[:, None] - 0.5)
        return scaled(scale, towards * (1 - scale[:, None]) + moved)

    def floor_lens(t: np.ndarray, depth: float) -> np.ndarray:
        """From (sideways, ahead) on the floor to the picture."""
        ahead, n = way * pace.along(t), len(t)
        moved = drift * (pace.along(t)[:, None] - 0.5) + towards
        found = np.zeros((n, 3, 3))
        found[:, 0, 0], found[:, 0, 1], found[:, 0, 2] = 1, moved[:, 0], -moved[:, 0] * ahead
        found[:, 1, 1], found[:, 1, 2] = moved[:, 1], height - moved[:, 1] * ahead
        found[:, 2, 1], found[:, 2, 2] = 1, -ahead
        return found

    things = []
    for number in range(chance.count(3, 6) + chance.count(0, round(8 * chance.clutter))):
        depth = chance.log_between(way * 0.5 + 0.3, way + 4.0)
        side = chance.between(0.35, 1.6) * (1 if chance.often(0.5) else -1)
        size = chance.log_between(0.15, 0.6)
        foot = height - size if chance.often(0.75) else chance.between(-1.2, 0.5)
        if number == 0:  # what the camera comes to
            depth, side, foot = way + chance.between(0.4, 1.2), 0.3 * side, height - size
        # Where it is at the start: its place on the floor, through its distance.
        at = towards + np.array([side, foot]) / depth
        thing = _lying(chance, at, size / depth, depth, "actor" if number == 0 else "background")
        things.append(thing)
    things.sort(key=lambda thing: -thing.depth)

    def horizon(t: np.ndarray) -> np.ndarray:
        return (towards + drift * (pace.along(t)[:, None] - 0.5))[:, 1]

    floor = Floor(chance.look(chance.between(0.6, 2.0)), horizon, floor_lens)
    parts: tuple[Part, ...] = (floor, *things) if chance.often(0.75) else tuple(things)
    return Action(parts, lens=lens, backdrop_depth=chance.between(1.3, 4.0) * (way + 1))


def _lying(
    chance: Clutter, at: np.ndarray, size: float, depth: float, role: str = "background"
) -> Thing:
    """A cut-out that lies still in the scene."""
    sides = size * np.array([aspect := chance.log_between(0.75, 1.33), 1 / aspect])
    turn = chance.between(-0.3, 0.3) if chance.often(0.7) else chance.between(0, 2 * np.pi)
    return Thing(
        chance.look(size), chance.cut(), still(*at), still(turn), still(*sides), role, depth
    )
