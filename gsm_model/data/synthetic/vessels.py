"""Actions with something that has an inside: opening it, putting into it, burying in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gsm_model.data.synthetic.chance import Chance, box, on_circle, placed
from gsm_model.data.synthetic.materials import Material
from gsm_model.data.synthetic.raster import Shape
from gsm_model.data.synthetic.scene import Action
from gsm_model.data.synthetic.shadows import shadow

STROKES, GRAINS = 3, 8  # strokes of the hand, grains moved by each


def _darker(material: Material, by: float) -> Material:
    return replace(material, colors=material.colors * by)


def open_lid(chance: Chance) -> Action:
    """A box seen from above, or a cupboard: the hand swings its lid open on a hinge, and things in
    the dark inside are seen.
    """
    timing, hand = chance.timing(), chance.hand()
    half = np.array([chance.between(0.34, 0.5), chance.between(0.32, 0.5)])
    at, turn = chance.point(0.2), chance.between(0, 2 * np.pi)
    body, lid = chance.material(), chance.material()
    inside = _darker(chance.material(contrast=0.08), 0.25)
    widest, swell = chance.between(1.75, 2.3), chance.between(0.12, 0.3)
    contents = []
    for _ in range(chance.count(1, 2)):
        place = chance.point(0.16)
        contents.append(
            Shape(
                placed(chance.outline(chance.between(0.08, 0.15)), at + place),
                chance.material(),
                origin=tuple(at + place),
            )
        )
    frame = Shape(
        placed(box(*(-half - 0.07), *(half + 0.07)), at, turn),
        body,
        "actor",
        origin=tuple(at),
        turn=turn,
    )
    hole = Shape(placed(box(*-half, *half), at, turn), inside, "actor", origin=tuple(at), turn=turn)

    def props(t: float) -> list[Shape]:
        angle = widest * timing.progress(t)
        edge, taller = -half[0] + 2 * half[0] * np.cos(angle), half[1] * (1 + swell * np.sin(angle))
        corners = placed(
            np.array([[-half[0], -half[1]], [edge, -taller], [edge, taller], [-half[0], half[1]]]),
            at,
            turn,
        )
        shade = 1.0 - 0.3 * float(np.sin(angle))
        door = Shape(
            corners,
            lid if angle < np.pi / 2 else _darker(lid, 0.6),
            "actor",
            origin=tuple(at),
            turn=turn,
            shade=shade,
        )
        grip = placed(np.array([[edge, 0.0]]), at, turn)[0]
        return [
            shadow(frame.points),
            frame,
            hole,
            *contents,
            shadow(corners, 0.2),
            door,
            *hand.shapes(grip, timing.away(t)),
        ]

    return Action(props)


def put_into(chance: Chance) -> Action:
    """A hand from above lowers a thing into a vessel, where it is hidden behind the front."""
    timing, hand = chance.timing(), chance.hand(-np.pi / 2 - 0.5, -np.pi / 2 + 0.5)
    at = np.array([chance.between(-0.35, 0.35), chance.between(0.3, 0.5)])
    half, height, slant = (
        chance.between(0.36, 0.5),
        chance.between(0.62, 0.85),
        chance.between(-0.08, 0.12),
    )
    depth, material = chance.between(0.1, 0.2), chance.material()
    size = chance.between(0.15, 0.2)
    points, thing = chance.outline(size), chance.material()
    turn, turn_on_way = chance.between(0, 2 * np.pi), chance.between(-0.4, 0.4)
    top, bottom = at[1] - height / 2, at[1] + height / 2
    rim = [[at[0] - half, top], [at[0] + half, top]]
    back = np.array([*rim, [at[0] + half * 0.9, top - depth], [at[0] - half * 0.9, top - depth]])
    front = np.array([*rim, [at[0] + half - slant, bottom], [at[0] - half + slant, bottom]])
    start = np.array([at[0] + chance.between(-0.35, 0.35), -chance.between(0.65, 0.85)])
    stop = np.array([at[0] + chance.between(-0.08, 0.08), top + size * 1.5])
    wall, inner = (
        Shape(front, material, "object", origin=tuple(at)),
        Shape(back, _darker(material, 0.4), "object", origin=tuple(at)),
    )

    def props(t: float) -> list[Shape]:
        way = timing.progress(t)
        over = np.array([stop[0], top - size * 1.6])
        here = (
            start + (over - start) * way / 0.55
            if way < 0.55
            else over + (stop - over) * (way - 0.55) / 0.45
        )
        angle = turn + turn_on_way * way
        held = Shape(placed(points, here, angle), thing, "actor", origin=tuple(here), turn=angle)
        return [
            shadow(front),
            inner,
            held,
            *hand.shapes(here + hand.direction * 0.1, timing.away(t)),
            wall,
        ]

    return Action(props)


def bury(chance: Chance) -> Action:
    """A thing lies in a tray of grains; strokes of a hand bring grains over it until a mound hides
    it.
    """
    timing, hand = chance.timing(), chance.hand()
    tray, color = chance.material(), chance.color()
    sand = Material(np.stack([color, color * 0.72]), chance.style.grain, chance.between(38, 55))
    half = np.array([chance.between(0.62, 0.8), chance.between(0.5, 0.65)])
    middle, turn = chance.point(0.1), chance.between(-0.3, 0.3)
    size = chance.between(0.13, 0.19)
    points, material, side = chance.outline(size), chance.material(), 1 if chance.often(0.5) else -1
    at = middle + np.array([-side * chance.between(0.12, 0.25), chance.between(-0.12, 0.12)])
    pile = middle + np.array([side * chance.between(0.38, 0.48), chance.between(-0.15, 0.15)])
    thing = placed(points, at, chance.between(0, 2 * np.pi))
    reach = 1.3 * float(np.abs(thing - at).max())
    spots = (
        chance.rng.normal(0, 0.4, (2, STROKES, GRAINS, 2)).clip(-0.9, 0.9)
        * np.array([0.2, reach])[:, None, None, None]
    )
    radii = chance.rng.uniform(0.035, 0.06, (STROKES, GRAINS))
    shades = chance.rng.uniform(0.85, 1.1, (STROKES, GRAINS))
    circle = on_circle(2 * np.pi * np.arange(14) / 14)
    floor = [
        placed(box(*(-half - 0.06), *(half + 0.06)), middle, turn),
        placed(box(*-half, *half), middle, turn),
    ]

    def mound(center: np.ndarray, radius: float) -> list[Shape]:
        there = float(radius >= 0.02)
        return [
            Shape(
                center + circle * there * radius * grow,
                sand,
                "actor",
                origin=tuple(center),
                shade=shade,
                opacity=there,
            )
            for grow, shade in ((1.0, 0.9), (0.7, 1.0), (0.4, 1.1))
        ]

    def props(t: float) -> list[Shape]:
        done = STROKES * timing.progress(t)
        grains = []
        for stroke in range(STROKES):
            moved = min(max((done - stroke) / 0.6, 0.0), 1.0)
            for n in range(GRAINS):
                spot = (
                    pile
                    + spots[0, stroke, n]
                    + (at + spots[1, stroke, n] - pile - spots[0, stroke, n]) * moved
                )
                line = np.stack([spot, spot])
                grains.append(
                    Shape(
                        line,
                        sand,
                        "actor",
                        radii[stroke, n],
                        origin=tuple(spot),
                        shade=shades[stroke, n],
                    )
                )
        there = done % 1 / 0.6 if done % 1 < 0.6 else (1 - done % 1) / 0.4
        if done >= STROKES:
            there = 0.0
        grip = pile + (at - pile) * there
        return [
            Shape(floor[0], tray, "object", origin=tuple(middle), turn=turn),
            Shape(floor[1], sand, "object", origin=tuple(middle), turn=turn, shade=0.95),
            shadow(thing),
            Shape(thing, material, "object", origin=tuple(at)),
            *mound(at, reach * min(done / STROKES * 1.25, 1.0)),
            *mound(pile, 0.26 * (1 - 0.75 * done / STROKES)),
            *grains,
            *hand.shapes(grip, timing.away(t)),
        ]

    return Action(props)
