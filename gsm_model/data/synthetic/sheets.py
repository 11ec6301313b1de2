"""Actions with a sheet or a cloth: folding it, covering something with it."""

from __future__ import annotations

import numpy as np

from gsm_model.data.synthetic.chance import Chance, box, placed
from gsm_model.data.synthetic.raster import Shape
from gsm_model.data.synthetic.scene import Action
from gsm_model.data.synthetic.shadows import shadow

STRIPS = 5  # pieces of a cloth, each with its own length and shade: the folds


def fold(chance: Chance) -> Action:
    """A sheet lies flat; the hand takes one side of it and turns it over onto the other along a
    fold line.
    """
    timing, hand = chance.timing(), chance.hand()
    front, back = chance.material(), chance.material()
    half = np.array([chance.between(0.42, 0.6), chance.between(0.35, 0.55)])
    at, turn = chance.point(0.15), chance.between(0, 2 * np.pi)
    crease = chance.between(-0.12, 0.12) * half[0]
    lift = chance.between(0.25, 0.45)
    still = placed(box(-half[0], -half[1], crease, half[1]), at, turn)
    hinge = placed(np.array([[crease, half[1]], [crease, -half[1]]]), at, turn)

    def props(t: float) -> list[Shape]:
        angle = np.pi * timing.progress(t)
        flap = half[0] - crease
        edge, height = crease + flap * np.cos(angle), flap * np.sin(angle) * lift
        on_floor = placed(np.array([[edge, -half[1]], [edge, half[1]]]), at, turn)
        rim = on_floor - (0, height)
        side, shade = back if angle > np.pi / 2 else front, 1.0 - 0.35 * float(np.sin(angle))
        return [
            shadow(still),
            Shape(still, front, "actor", origin=tuple(at), turn=turn),
            shadow(np.concatenate([on_floor, hinge]), float(np.sin(angle))),
            Shape(
                np.concatenate([rim, hinge]),
                side,
                "actor",
                origin=tuple(at),
                turn=turn,
                shade=shade,
            ),
            *hand.shapes(rim.mean(0), timing.away(t)),
        ]

    return Action(props)


def cover(chance: Chance) -> Action:
    """A cloth lies gathered beside a thing; the hand draws it over the thing until that is
    hidden.
    """
    timing = chance.timing()
    turn, at = chance.between(0, 2 * np.pi), chance.point(0.15)
    along = np.array([np.cos(turn), np.sin(turn)])
    hand = chance.hand(turn - 0.5, turn + 0.5)
    size = chance.between(0.17, 0.25)
    points, material, cloth = chance.outline(size), chance.material(), chance.material()
    thing = placed(points, at, chance.between(0, 2 * np.pi))
    reach = float(np.abs(thing - at).max()) * 1.45
    gathered, spread = -reach - chance.between(0.3, 0.42), reach + chance.between(0.02, 0.15)
    ragged, shades = chance.rng.uniform(-0.06, 0.06, STRIPS), chance.rng.uniform(0.86, 1.1, STRIPS)
    width = 2 * reach / STRIPS

    def props(t: float) -> list[Shape]:
        way = timing.progress(t)
        tail = gathered - 0.1 * (1 - way)
        lead = gathered + 0.28 + (spread - gathered - 0.28) * way
        strips = []
        for number in range(STRIPS):
            low, high = -reach + number * width - 0.01, -reach + (number + 1) * width
            corners = placed(box(tail, low, lead + ragged[number], high), at, turn)
            strips.append(
                Shape(
                    corners,
                    cloth,
                    "actor",
                    origin=tuple(at + along * lead),
                    turn=turn,
                    shade=shades[number],
                )
            )
        outer = placed(box(tail, -reach, lead, reach), at, turn)
        hidden = float(np.clip((lead + reach * 0.3) / (0.8 * reach), 0, 1))
        bulge = Shape(
            placed(thing - at, at),
            cloth,
            "actor",
            origin=tuple(at + along * lead),
            turn=turn,
            shade=1.2,
            opacity=0.55 * hidden,
        )
        return [
            shadow(thing),
            Shape(thing, material, "object", origin=tuple(at)),
            shadow(outer, 0.2),
            *strips,
            bulge,
            *hand.shapes(at + along * (lead - 0.05), timing.away(t)),
        ]

    return Action(props)
