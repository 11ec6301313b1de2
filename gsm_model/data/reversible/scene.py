"""What a scene is: its props over time, its background and its camera, all fixed by one random draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gsm_model.data.reversible.raster import PATTERNS, Camera, Canvas, Material, Shape

Rng = np.random.Generator
SKIN = np.array([[0.95, 0.78, 0.66], [0.80, 0.58, 0.44], [0.55, 0.37, 0.26], [0.36, 0.23, 0.16]])


@dataclass(frozen=True)
class Timing:
    """When things happen, as fractions of the clip: the hand arrives, moves the object, lets go, is gone."""

    enter: float
    start: float
    stop: float
    leave: float
    exponent: float

    def progress(self, t: float) -> float:
        """How far the action is at time ``t`` in 0 … 1: 0 before ``start``, 1 after ``stop``, smooth between."""
        x = float(np.clip((t - self.start) / (self.stop - self.start), 0, 1)) ** self.exponent
        return x * x * (3 - 2 * x)

    def away(self, t: float) -> float:
        """How far the hand is from its grip: 1 outside the picture, 0 holding."""
        if t < self.start:
            x = (self.start - t) / (self.start - self.enter)
        elif t > self.stop:
            x = (t - self.stop) / (self.leave - self.stop)
        else:
            return 0.0
        x = float(np.clip(x, 0, 1))
        return x * x * (3 - 2 * x)


def draw_timing(rng: Rng) -> Timing:
    """A timing whose pauses at both ends and whose speed vary."""
    start, stop = rng.uniform(0.14, 0.32), rng.uniform(0.68, 0.86)
    return Timing(
        enter=start - rng.uniform(0.08, 0.14),
        start=start,
        stop=stop,
        leave=stop + rng.uniform(0.08, 0.14),
        exponent=float(np.exp(rng.uniform(-0.4, 0.4))),
    )


def draw_color(rng: Rng) -> np.ndarray:
    """A colour, RGB in 0 … 1, neither black nor white."""
    gray, tint = rng.uniform(0.25, 0.85), rng.uniform(-0.3, 0.3, 3)
    return np.clip(gray + tint, 0.05, 0.95)


def draw_material(rng: Rng, contrast: float = 0.35, frequency: tuple[float, float] = (8.0, 26.0)) -> Material:
    """A random material whose two colours differ by at most ``contrast`` a channel or so."""
    first = draw_color(rng)
    second = np.clip(first + rng.uniform(-contrast, contrast, 3) + rng.choice([-0.18, 0.18]), 0.02, 0.98)
    return Material(
        np.stack([first, second]),
        PATTERNS[rng.integers(len(PATTERNS))],
        frequency=rng.uniform(*frequency),
        angle=rng.uniform(0, np.pi),
        phase=rng.uniform(0, 2 * np.pi),
    )


def outline(rng: Rng, size: float) -> np.ndarray:
    """A random convex outline about the origin, (n, 2): box, ellipse or polygon of about ``size`` from centre to rim."""
    kind = rng.integers(3)
    aspect = rng.uniform(0.7, 1.4)
    if kind == 0:
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.85
    else:
        sides = 16 if kind == 1 else int(rng.integers(3, 7))
        angles = 2 * np.pi * (np.arange(sides) + rng.uniform()) / sides
        corners = np.stack([np.cos(angles), np.sin(angles)], 1) * (1.0 if kind == 1 else 1.15)
    return corners * size * np.array([aspect, 1 / aspect])


def placed(points: np.ndarray, at: np.ndarray, turn: float = 0.0) -> np.ndarray:
    """``points`` turned by ``turn`` radians and moved to ``at``."""
    cos, sin = np.cos(turn), np.sin(turn)
    return points @ np.array([[cos, sin], [-sin, cos]]) + at


@dataclass(frozen=True)
class Hand:
    """An arm and a hand that come from outside the picture along ``direction`` (unit vector, pointing outward)."""

    direction: np.ndarray
    skin: Material
    sleeve: Material
    size: float

    def shapes(self, grip: np.ndarray, away: float) -> list[Shape]:
        """The hand with its fingertips at ``grip``, drawn back by ``away`` (1 is out of sight)."""
        tip = grip + self.direction * (away * 2.6)
        wrist, elbow = tip + self.direction * self.size * 1.6, tip + self.direction * 4.0
        side = np.array([-self.direction[1], self.direction[0]]) * self.size
        thumb = tip + self.direction * self.size * 0.9 + side * 0.9

        def capsule(a: np.ndarray, b: np.ndarray, radius: float, material: Material) -> Shape:
            return Shape(np.stack([a, b]), material, "hand", radius, origin=tuple(tip))

        return [
            capsule(wrist + self.direction * self.size, elbow, self.size * 0.75, self.sleeve),
            capsule(tip + self.direction * self.size * 0.5, wrist + self.direction * self.size, self.size * 0.62, self.skin),
            capsule(thumb, wrist, self.size * 0.3, self.skin),
        ]


def draw_hand(rng: Rng, angle: tuple[float, float] = (0, 2 * np.pi)) -> Hand:
    """A hand that comes from a direction drawn from ``angle`` (radians, 0 is the right, π/2 below)."""
    a = rng.uniform(*angle)
    skin = SKIN[rng.integers(len(SKIN))]
    return Hand(
        np.array([np.cos(a), np.sin(a)]),
        Material(np.stack([skin, skin * 0.85]), "plain", 10.0),
        draw_material(rng),
        size=rng.uniform(0.11, 0.16),
    )


@dataclass(frozen=True)
class Scene:
    """A drawn clip before it is rendered: everything but the size of the picture.

    ``props(t)`` lists the shapes at time ``t`` in 0 … 1, in painter's order.
    """

    seed: tuple[int, ...]
    props: Callable[[float], list[Shape]]
    floor: Material
    clutter: tuple[Shape, ...]
    drift: np.ndarray
    zoom: float
    roll: float
    light: float
    flicker: float
    noise: float

    def camera(self, t: float) -> Camera:
        """A slowly drifting camera: two slow waves a direction."""
        ax, ay, bx, by, phase = self.drift
        wave = np.sin(2 * np.pi * (0.5 * t + phase)), np.sin(2 * np.pi * (1.3 * t + 2 * phase))
        return Camera(ax * wave[0] + bx * wave[1], ay * wave[1] + by * wave[0], self.zoom, self.roll)

    def render(self, moment: int, moments: int, height: int, width: int) -> np.ndarray:
        """Picture ``moment`` of ``moments``, (H, W, 3) uint8 RGB. The noise depends on the moment, not on the order of calls."""
        t = (moment + 0.5) / moments
        canvas = Canvas(height, width, self.camera(t))
        canvas.fill(self.floor)
        for shape in (*self.clutter, *self.props(t)):
            canvas.draw(shape)
        rng = np.random.default_rng((*self.seed, moment))
        noise = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(self.noise)
        return canvas.to_bytes(self.light * (1 + self.flicker * np.sin(9 * t)), noise)


def draw_scene(rng: Rng, seed: tuple[int, ...], props: Callable[[float], list[Shape]]) -> Scene:
    """Put ``props`` before a random background, under random light, seen by a random camera."""
    clutter = []
    for _ in range(rng.integers(0, 5)):
        at = rng.uniform(-1.3, 1.3, 2)
        clutter.append(Shape(placed(outline(rng, rng.uniform(0.08, 0.3)), at), draw_material(rng), "background", origin=tuple(at)))
    return Scene(
        seed=seed,
        props=props,
        floor=draw_material(rng, contrast=0.2, frequency=(3.0, 14.0)),
        clutter=tuple(clutter),
        drift=np.append(rng.uniform(-0.06, 0.06, 4), rng.uniform()),
        zoom=rng.uniform(0.85, 1.1),
        roll=rng.uniform(-0.12, 0.12),
        light=rng.uniform(0.7, 1.15),
        flicker=rng.uniform(-0.05, 0.05),
        noise=rng.uniform(1, 7),
    )
