"""The parts of a randomised scene: cut-out things, backdrops, and shapes of the drawn set, each at
any times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import Tensor

from gsm_model.data.randomised.chance import Clutter
from gsm_model.data.randomised.layers import NEAR, Layer, Look, project
from gsm_model.data.randomised.textures import textures
from gsm_model.data.synthetic.materials import Material
from gsm_model.data.synthetic.raster import Shape

Motion = Callable[[np.ndarray], np.ndarray]  # times (n,) → (n, …)
Lens = Callable[[np.ndarray, float], np.ndarray]
"""Times (n,) and a depth → homographies (n, 3, 3) from the scene to the picture."""


def unmoved(t: np.ndarray, depth: float) -> np.ndarray:
    """The camera that stays where it is."""
    return np.tile(np.eye(3), (len(t), 1, 1))


class Part(Protocol):
    """Something in a scene: its layers at times (n,), seen through a lens."""

    def layers(self, t: np.ndarray, lens: Lens) -> list[Layer]: ...


@dataclass(frozen=True, eq=False)
class Action:
    """What happens in a clip of a pair's first class: its parts, back to front, and how the camera
    moves.

    ``backdrop_depth`` is the depth of what is behind all. The camera follows what is ``at`` a place
    for the share ``follow`` of its way.
    """

    parts: tuple[Part, ...]
    lens: Lens = unmoved
    backdrop_depth: float = 1.0
    follow: float = 0.0
    at: Motion | None = None


def still(*values: float) -> Motion:
    """A motion that stays at ``values``: times (n,) → (n, len(values))."""
    return lambda t: np.tile(np.array(values), (len(t), 1))


def similarity(at: np.ndarray, turn: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Matrices (n, 3, 3) that scale by ``size`` (n, 2), turn by ``turn`` (n,) and move to ``at``
    (n, 2).
    """
    found = np.zeros((len(at), 3, 3))
    cos, sin = np.cos(turn), np.sin(turn)
    found[:, 0, 0], found[:, 0, 1], found[:, 0, 2] = cos * size[:, 0], -sin * size[:, 1], at[:, 0]
    found[:, 1, 0], found[:, 1, 1], found[:, 1, 2] = sin * size[:, 0], cos * size[:, 1], at[:, 1]
    found[:, 2, 2] = 1
    return found


def scaled(size: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Matrices (n, 3, 3) that scale by ``size`` (n,) and move to ``at`` (n, 2)."""
    return similarity(at, np.zeros(len(at)), np.stack([size, size], 1))


def turned(angles: np.ndarray, focal: float) -> np.ndarray:
    """What a camera of focal length ``focal`` (picture units) that turns by ``angles`` (n, 2),
    to the left and up, makes of its picture: homographies (n, 3, 3).
    """
    (a, b), found = angles.T, np.zeros((len(angles), 3, 3))
    left, up = found.copy(), found
    left[:, 0, 0] = left[:, 2, 2] = np.cos(a)
    left[:, 0, 2], left[:, 2, 0], left[:, 1, 1] = np.sin(a), -np.sin(a), 1
    up[:, 1, 1] = up[:, 2, 2] = np.cos(b)
    up[:, 1, 2], up[:, 2, 1], up[:, 0, 0] = np.sin(b), -np.sin(b), 1
    scale = np.diag([focal, focal, 1.0])
    return scale @ up @ left @ np.linalg.inv(scale)


@dataclass(frozen=True, eq=False)
class Thing:
    """Something cut out by a mask: where it is (n, 2), how turned (n,) and how large (n, 2) at
    times (n,).
    """

    look: Look
    cut: Tensor
    at: Motion
    turn: Motion
    size: Motion
    role: str = "background"
    depth: float = 1.0
    opacity: float = 1.0

    def layers(self, t: np.ndarray, lens: Lens) -> list[Layer]:
        frame = similarity(self.at(t), self.turn(t)[:, 0], self.size(t))
        n = len(t)
        return [
            Layer(
                self.look,
                lens(t, self.depth) @ frame,
                self.role,
                np.full(n, self.opacity),
                np.ones(n),
                cut=self.cut,
            )
        ]


@dataclass(frozen=True, eq=False)
class Backdrop:
    """What is behind everything and fills the picture, in scene coordinates at a depth."""

    look: Look
    depth: float = 1.0

    def layers(self, t: np.ndarray, lens: Lens) -> list[Layer]:
        n = len(t)
        return [Layer(self.look, lens(t, self.depth), "background", np.ones(n), np.ones(n))]


@dataclass(frozen=True, eq=False)
class Polygon:
    """A convex polygon (m, 2) that lies still in the scene: a table, a wall, a board."""

    look: Look
    points: np.ndarray
    role: str = "background"
    depth: float = 1.0

    def layers(self, t: np.ndarray, lens: Lens) -> list[Layer]:
        place, n = lens(t, self.depth), len(t)
        outline, ones = _seen(place, self.points), np.ones(n)
        return [Layer(self.look, place, self.role, ones, ones, outline=outline, grow=np.zeros(n))]


@dataclass(frozen=True, eq=False)
class Floor:
    """A plane that goes to the horizon (n,), in picture units before the camera shakes; ``onto``
    takes (sideways, ahead) on it to the picture.
    """

    look: Look
    horizon: Motion
    onto: Lens

    def layers(self, t: np.ndarray, lens: Lens) -> list[Layer]:
        n, far = len(t), np.inf
        shake = lens(t, far)
        outline = np.tile(np.array([[-20.0, 0.0], [20, 0], [20, 20], [-20, 20]]), (n, 1, 1))
        outline[:, :2, 1] = self.horizon(t)[:, None] + 0.01
        ones, outline = np.ones(n), _seen(shake, outline)
        place = shake @ self.onto(t, far)
        return [
            Layer(self.look, place, "background", ones, ones, outline=outline, grow=np.zeros(n))
        ]


def _seen(place: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Polygons in the picture (n, m, 2); NaN where a part of them is behind the camera."""
    outline, depth = project(place, points)
    outline[(depth <= NEAR).any(1)] = np.nan
    return outline


class DrawnShapes:
    """An action of the drawn set in other materials: its shapes, each painted with a look that
    its material decides.
    """

    def __init__(
        self, props: Callable[[float], list[Shape]], seed: tuple[int, ...], clutter: float
    ) -> None:
        self.props, self.seed, self.clutter = props, seed, clutter
        self.looks: dict[tuple, Look] = {}

    def layers(self, t: np.ndarray, lens: Lens) -> list[Layer]:
        shapes = [self.props(float(moment)) for moment in t]
        place = lens(t, 1.0)
        return [
            layer
            for track in zip(*shapes, strict=True)
            for layer in self._track(list(track), place)
        ]

    def _track(self, track: list[Shape], place: np.ndarray) -> list[Layer]:
        """One shape in all frames: a layer for each of the materials that it has in them."""
        outline = _seen(place, np.stack([shape.points for shape in track]))
        frame = similarity(
            np.array([shape.origin for shape in track]),
            np.array([shape.turn for shape in track]),
            np.ones((len(track), 2)),
        )
        scale = np.sqrt(np.abs(np.linalg.det(place[:, :2, :2]))) / place[:, 2, 2]
        looks = [self._look(shape) for shape in track]
        return [
            Layer(
                look,
                place @ frame,
                track[0].role,
                np.array([shape.opacity for shape in track]),
                np.array([shape.shade for shape in track]),
                outline=np.where(
                    np.array([one is look for one in looks])[:, None, None], outline, np.nan
                ),
                grow=np.array([shape.radius for shape in track]) * scale,
            )
            for look in dict.fromkeys(looks)
        ]

    def _look(self, shape: Shape) -> Look:
        """The look of a material depends on it and the clip alone, not on what was asked before."""
        material = shape.material
        colors = material.colors
        key = (material.frequency, material.angle, material.phase, *colors.ravel().tolist())
        if key not in self.looks:
            self.looks[key] = self._new_look(shape.role, material)
        return self.looks[key]

    def _new_look(self, role: str, material: Material) -> Look:
        seed = [int(abs(v) * 1e6) for v in (material.frequency, material.angle, material.phase)]
        chance = Clutter(np.random.default_rng((*self.seed, *seed)), clutter=self.clutter)
        level = material.colors.mean(0)
        if role == "shadow" or not material.colors.any():
            return Look(textures("noise")[0], np.eye(2, 3), np.zeros((3, 3)), np.zeros(3))
        skin = role == "hand" and material.pattern == "plain" and material.phase == 0.0
        look = chance.look(0.4, contrast=0.25 if skin else 1.0)
        brightness = float(np.clip(level.mean() / 0.4, 0.1, 1.0))
        base = level if skin else 0.5 * level + 0.5 * np.minimum(look.base, level.mean() + 0.3)
        return Look(look.texture, look.matrix, look.mix * brightness, base)
