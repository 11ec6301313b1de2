"""Drawn clips in which what is pushed, its colour, where, and which way vary independently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.chance import TRAINED, Chance, Outline
from gsm_model.data.synthetic.dataset import FRAME_COUNTS, DrawnClip
from gsm_model.data.synthetic.materials import Material
from gsm_model.data.synthetic.scene import draw_scene
from gsm_model.data.synthetic.things import hand_across, slid

Factor = Literal["object", "colour", "position", "direction"]
FACTORS: tuple[Factor, ...] = get_args(Factor)
OBJECTS: tuple[Outline, ...] = ("box", "ellipse", "polygon")
COLOURS = {"red": (0.8, 0.2, 0.2), "green": (0.2, 0.65, 0.25), "blue": (0.2, 0.3, 0.8)}
POSITIONS = {"high": -0.4, "middle": 0.0, "low": 0.4}  # y of the path, in scene units
DIRECTIONS = ("left to right", "right to left")
LEVELS: dict[Factor, tuple[str, ...]] = {
    "object": OBJECTS,
    "colour": tuple(COLOURS),
    "position": tuple(POSITIONS),
    "direction": DIRECTIONS,
}
SCENES = len(OBJECTS) * len(COLOURS) * len(POSITIONS)
ALL_LEVELS = SCENES * len(DIRECTIONS)  # so many clips hold every combination once
_SET, _RIGHT = 5, LABELS.index("Pushing something from left to right")


@dataclass(frozen=True)
class FactorClip:
    """A clip, the level of each of `FACTORS` (indices into `LEVELS`), and the number of its scene:
    the two clips of one scene are each other's time reversal.
    """

    clip: DrawnClip
    levels: tuple[int, ...]
    scene: int


def factor_clip(index: int) -> FactorClip:
    """Clip ``index``: a hand pushes a thing. The levels go round, direction fastest; all else, such
    as background, light, camera, size and speed, is drawn anew for each scene.

    Raises:
        ValueError: for a negative index.
    """
    if index < 0:
        raise ValueError(f"no clip {index}")
    number, direction = divmod(index, len(DIRECTIONS))
    combination = number % SCENES
    thing, rest = divmod(combination, len(COLOURS) * len(POSITIONS))
    colour, position = divmod(rest, len(POSITIONS))
    seed = (_SET, number)
    chance = Chance(np.random.default_rng(seed), replace(TRAINED, outlines=(OBJECTS[thing],)))
    frames = FRAME_COUNTS[chance.count(0, len(FRAME_COUNTS) - 1)]
    timing, hand = chance.timing(), hand_across(chance, chance.often(0.5))
    level = tuple(POSITIONS.values())[position]
    ends = (
        np.array([-chance.between(0.35, 0.65), level + chance.between(-0.08, 0.08)]),
        np.array([chance.between(0.35, 0.65), level + chance.between(-0.08, 0.08)]),
    )
    points = chance.outline(chance.between(0.22, 0.32))
    shade = np.clip(
        np.array(tuple(COLOURS.values())[colour]) + chance.rng.uniform(-0.06, 0.06, 3), 0.02, 0.98
    )
    material = Material(np.stack([shade, shade * 0.85]), "plain")
    action = slid(timing, hand, ends, points, material, chance.between(0, 2 * np.pi))
    # A small seed of its own keeps these scenes apart from those of the splits.
    style = replace(chance, style=TRAINED)
    clip = DrawnClip(_RIGHT + direction, frames, draw_scene(style, seed, action))
    return FactorClip(clip, (thing, colour, position, direction), number)
