"""A frame of a probe: things before a ground, seen by a camera that may shake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model.data.probes.plans import Thing
from gsm_model.data.synthetic.scene import MASK_ROLES

_WAVES = 5
_RIM = 0.03  # half width of an edge that is neither in nor out, in half widths of the picture


@dataclass(frozen=True)
class Ground:
    """What lies behind: ``base`` (3,) with waves (n, 6: x and y frequency, phase, RGB amplitude),
    and things that never move.
    """

    base: np.ndarray
    waves: np.ndarray
    still: tuple[Thing, ...]


def any_ground(rng: np.random.Generator, clutter: float) -> Ground:
    """A ground of any colour, the busier the more ``clutter`` (0 … 1) there is."""
    frequencies = rng.uniform(-6, 6, (_WAVES, 2))
    phases = rng.uniform(0, 2 * np.pi, (_WAVES, 1))
    amplitudes = (0.01 + 0.05 * clutter) * rng.standard_normal((_WAVES, 3))
    waves = np.concatenate([frequencies, phases, amplitudes], axis=1)
    base = rng.uniform(0.3, 0.6) + rng.uniform(-0.08, 0.08, 3)
    still = tuple(
        Thing(
            (float(rng.uniform(-1, 1)), float(rng.uniform(-1, 1))),
            (float(grey),) * 3,
            bool(rng.integers(2)),
            float(rng.uniform(0.08, 0.2)),
        )
        for grey in rng.uniform(0.15, 0.75, round(5 * clutter))
    )
    return Ground(base, waves, still)


def paint(
    ground: Ground,
    frames: Sequence[Sequence[Thing]],
    cameras: np.ndarray,
    height: int,
    width: int,
) -> np.ndarray:
    """(n, height, width, 3) uint8: the things of each of n ``frames`` before ``ground``, the later
    in front, all moved by the frame's place in ``cameras`` (n, 2).
    """
    painted = np.empty((len(frames), height, width, 3), np.uint8)
    behind: tuple[bytes, np.ndarray] | None = None
    for number, (shown, camera) in enumerate(zip(frames, cameras, strict=True)):
        x, y = _places(camera, height, width)
        if behind is None or behind[0] != camera.tobytes():  # a camera at rest paints it once
            behind = camera.tobytes(), _behind(ground, x, y)
        picture = behind[1].copy()
        for thing in shown:
            _put(picture, thing, x, y)
        painted[number] = np.rint(255 * np.clip(picture, 0, 1))
    return painted


def _behind(ground: Ground, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The ground alone, (height, width, 3) in 0 … 1."""
    frequency_x, frequency_y, phase = ground.waves[:, :3].T[..., None, None]
    waves = np.sin(frequency_x * x + frequency_y * y + phase)
    picture = ground.base + np.tensordot(waves, ground.waves[:, 3:], (0, 0))
    for thing in ground.still:
        _put(picture, thing, x, y)
    return picture


def _put(picture: np.ndarray, thing: Thing, x: np.ndarray, y: np.ndarray) -> None:
    """Paint a thing over ``picture``, in the rows and columns that it can reach."""
    reach = thing.size + 2 * _RIM
    rows = slice(*np.searchsorted(y[:, 0], (thing.at[1] - reach, thing.at[1] + reach)))
    columns = slice(*np.searchsorted(x[0], (thing.at[0] - reach, thing.at[0] + reach)))
    covered = _covered(thing, x[rows, columns], y[rows, columns])[..., None]
    picture[rows, columns] += covered * (np.array(thing.color) - picture[rows, columns])


def paint_roles(shown: Sequence[Thing], camera: np.ndarray, height: int, width: int) -> np.ndarray:
    """(height, width) uint8: which pixels show a thing that the probe is about, as indices into
    `MASK_ROLES`; an outline is an object, the rest is an actor.
    """
    x, y = _places(camera, height, width)
    roles = np.zeros((height, width), np.uint8)
    for thing in shown:
        role = MASK_ROLES.index("object" if thing.outline else "actor")
        roles[_covered(thing, x, y) >= 0.5] = role
    return roles


def _places(camera: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The place that each pixel shows, x and y (height, width); the shorter side spans −1 … 1."""
    side = min(height, width)
    y, x = np.mgrid[:height, :width] + 0.5
    return (2 * x - width) / side - camera[0], (2 * y - height) / side - camera[1]


def _covered(thing: Thing, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of each pixel a thing covers, in 0 … 1."""
    across, down = x - thing.at[0], y - thing.at[1]
    if thing.square:
        distance = np.maximum(np.abs(across), np.abs(down)) / 0.88
    else:
        distance = np.hypot(across, down)
    inside = np.clip((thing.size - distance) / (2 * _RIM) + 0.5, 0, 1)
    if thing.outline:
        inside = inside - np.clip((0.8 * thing.size - distance) / (2 * _RIM) + 0.5, 0, 1)
    return inside
