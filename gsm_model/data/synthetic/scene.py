"""What a scene is: an action before a background, under some light, seen by a moving camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gsm_model.data.synthetic.chance import Chance, box, placed
from gsm_model.data.synthetic.materials import Material
from gsm_model.data.synthetic.raster import Camera, Canvas, Shape

# What a mask's pixels say, by value.
MASK_ROLES = ("background", "object", "actor", "hand")
FAR = 1.6  # shapes centred this far out may still reach into the picture


@dataclass(frozen=True)
class Action:
    """What is done in a scene: ``props(t)`` lists its shapes at time ``t`` in 0 … 1, in painter's
    order.

    ``zoom(t)`` multiplies the camera's zoom, for the action in which the camera is what moves.
    """

    props: Callable[[float], list[Shape]]
    zoom: Callable[[float], float] = lambda t: 1.0


@dataclass(frozen=True)
class Wave:
    """A sum of sines over the clip: rows of ``terms`` are (amplitude, turns a clip, phase in
    radians).
    """

    terms: np.ndarray

    def __call__(self, t: float) -> float:
        amplitude, turns, phase = self.terms.T
        return float(np.sum(amplitude * np.sin(2 * np.pi * turns * t + phase)))


@dataclass(frozen=True)
class Mover:
    """Something that glides through the picture on a straight line and has no part in the
    action.
    """

    points: np.ndarray
    material: Material
    start: np.ndarray
    stop: np.ndarray
    turn: float
    spin: float

    def shape(self, t: float) -> Shape:
        at, turn = self.start + (self.stop - self.start) * t, self.turn + self.spin * (t - 0.5)
        return Shape(
            placed(self.points, at, turn), self.material, "background", origin=tuple(at), turn=turn
        )


@dataclass(frozen=True)
class View:
    """The camera's motion (a wave each for x, y, roll) and the light (``gain`` a channel, a
    ``ramp`` over the picture, ``flicker``).
    """

    x: Wave
    y: Wave
    roll: Wave
    zoom: float
    gain: np.ndarray
    ramp: np.ndarray
    flicker: Wave
    noise: float


@dataclass(frozen=True)
class Scene:
    """A drawn clip before it is rendered: everything but the size of the picture."""

    seed: tuple[int, ...]
    action: Action
    view: View
    floor: Material
    behind: tuple[Mover, ...]
    before: tuple[Mover, ...]

    def shapes(self, t: float) -> list[Shape]:
        """All shapes at time ``t``, in painter's order."""
        return [
            *(m.shape(t) for m in self.behind),
            *self.action.props(t),
            *(m.shape(t) for m in self.before),
        ]

    def camera(self, t: float) -> Camera:
        """Where the picture of time ``t`` is taken from."""
        return Camera(
            self.view.x(t), self.view.y(t), self.view.zoom * self.action.zoom(t), self.view.roll(t)
        )

    def render(self, moment: int, moments: int, height: int, width: int) -> np.ndarray:
        """Picture ``moment`` of ``moments``, (H, W, 3) uint8 RGB. The noise depends on the moment,
        not on the order of calls.
        """
        t = (moment + 0.5) / moments
        canvas = Canvas(height, width, self.camera(t))
        canvas.fill(self.floor)
        for shape in self.shapes(t):
            canvas.draw(shape)
        rng = np.random.default_rng((*self.seed, moment))
        noise = rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(
            self.view.noise
        )
        across = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(
            self.view.ramp[0]
        )
        down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(self.view.ramp[1])
        gain = (self.view.gain * (1 + self.view.flicker(t))).astype(np.float32)
        return canvas.to_bytes((1 + across + down)[..., None] * gain, noise)

    def mask(self, moment: int, moments: int, height: int, width: int) -> np.ndarray:
        """What each pixel of that picture shows, (H, W) uint8: an index into `MASK_ROLES`. Shadows
        do not count.
        """
        t = (moment + 0.5) / moments
        canvas = Canvas(height, width, self.camera(t))
        mask = np.zeros((height, width), np.uint8)
        for shape in self.shapes(t):
            patch = canvas.patch(shape) if shape.role in MASK_ROLES else None
            if patch is not None:
                mask[patch.rows, patch.columns][patch.covered >= 0.5] = MASK_ROLES.index(shape.role)
        return mask


def draw_scene(chance: Chance, seed: tuple[int, ...], action: Action) -> Scene:
    """Put ``action`` before a random background, behind random passers-by, under random light,
    before a random camera.

    All that is drawn here is as likely as its own reversal in time.
    """
    behind = [_table(chance)] if chance.often(0.5) else []
    behind += [
        _still(chance, chance.point(1.3), chance.between(0.08, 0.3))
        for _ in range(chance.count(0, 4))
    ]
    behind += [_passing(chance, chance.between(0.08, 0.22)) for _ in range(chance.count(0, 1))]
    before = [_at_the_rim(chance)] if chance.often(0.3) else []
    before += [_passing(chance, chance.between(0.06, 0.14))] if chance.often(0.2) else []
    floor = chance.ground()
    return Scene(seed, action, _draw_view(chance), floor, tuple(behind), tuple(before))


def _still(chance: Chance, at: np.ndarray, size: float) -> Mover:
    return Mover(chance.outline(size), chance.material(), at, at, chance.between(0, 2 * np.pi), 0.0)


def _passing(chance: Chance, size: float) -> Mover:
    turn, spin = chance.between(0, 2 * np.pi), chance.between(-1.5, 1.5)
    return Mover(
        chance.outline(size), chance.material(), chance.point(FAR), chance.point(FAR), turn, spin
    )


def _at_the_rim(chance: Chance) -> Mover:
    """Something near the camera that hides a part of the picture's rim, and may sway."""
    angle = chance.between(0, 2 * np.pi)
    start, stop = (
        np.array([np.cos(angle), np.sin(angle)]) * chance.between(0.85, 1.15) + chance.point(0.15)
        for _ in range(2)
    )
    return Mover(
        chance.outline(chance.between(0.2, 0.4)),
        chance.material(),
        start,
        stop,
        angle,
        chance.between(-0.3, 0.3),
    )


def _table(chance: Chance) -> Mover:
    """A half plane in another material: the edge of a table, or where a wall meets the floor."""
    corners = box(-6.0, 0.0, 6.0, 9.0)
    at = np.array([0.0, chance.between(-0.9, 0.7)])
    return Mover(corners, chance.ground(), at, at, chance.between(-0.15, 0.15), 0.0)


def _wave(chance: Chance, *terms: tuple[float, float, float]) -> Wave:
    """A wave of a term for each (largest amplitude, fewest turns, most turns), at random phases."""
    rows = [
        (chance.between(0, most), chance.between(low, high), chance.between(0, 2 * np.pi))
        for most, low, high in terms
    ]
    return Wave(np.array(rows))


def _draw_view(chance: Chance) -> View:
    if chance.style.camera == "drift":
        x, y = (_wave(chance, (0.09, 0.3, 1.2), (0.018, 4, 9)) for _ in range(2))
        roll = _wave(chance, (0.12, 0.0, 0.4))
    else:
        x, y = (_wave(chance, (0.16, 1.2, 2.2)) for _ in range(2))
        roll = _wave(chance, (0.25, 0.5, 1.5))
    return View(
        x=x,
        y=y,
        roll=roll,
        zoom=chance.between(0.8, 1.1),
        gain=chance.between(0.7, 1.15) * chance.rng.uniform(0.92, 1.08, 3),
        ramp=chance.point(0.25),
        flicker=_wave(chance, (0.06, 0.5, 3.0)),
        noise=chance.between(1, 7),
    )
