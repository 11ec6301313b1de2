"""Antialiased drawing of convex, textured shapes in numpy, at any size.

Scene units: the shorter side of the picture spans −1 … 1, x to the right, y down, origin in the centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Pattern = Literal["plain", "stripes", "checks", "dots", "waves"]
PATTERNS: tuple[Pattern, ...] = ("plain", "stripes", "checks", "dots", "waves")


@dataclass(frozen=True)
class Material:
    """Two colours (rows of ``colors``, RGB in 0 … 1) mixed by a pattern that rides with the shape.

    ``frequency`` is in radians a scene unit, ``angle`` and ``phase`` in radians.
    """

    colors: np.ndarray
    pattern: Pattern = "plain"
    frequency: float = 12.0
    angle: float = 0.0
    phase: float = 0.0


@dataclass(frozen=True)
class Shape:
    """A convex polygon ``points`` (n, 2), grown by ``radius``, with its material and place.

    The pattern's coordinates are scene coordinates less ``origin``, turned by ``-turn``. ``shade``
    multiplies the colour; ``opacity`` is 1 for things and less for shadows.
    """

    points: np.ndarray
    material: Material
    role: Literal["background", "object", "actor", "hand", "shadow"] = "object"
    radius: float = 0.0
    origin: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    shade: float = 1.0
    opacity: float = 1.0


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from: scene point in the centre, zoom factor, roll in radians."""

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    roll: float = 0.0


class Canvas:
    """One picture in the making: ``pixels`` (H, W, 3) float32 in 0 … 1, seen through a camera."""

    def __init__(self, height: int, width: int, camera: Camera) -> None:
        self.camera = camera
        self.per_unit = camera.zoom * min(height, width) / 2
        self.height, self.width = height, width
        self.pixels = np.zeros((height, width, 3), np.float32)

    def _to_pixels(self, points: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(self.camera.roll), np.sin(self.camera.roll)
        moved = (points - (self.camera.x, self.camera.y)) @ np.array([[cos, sin], [-sin, cos]])
        return moved * self.per_unit + (self.width / 2, self.height / 2)

    def _to_scene(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u, v = (x - self.width / 2) / self.per_unit, (y - self.height / 2) / self.per_unit
        cos, sin = np.float32(np.cos(self.camera.roll)), np.float32(np.sin(self.camera.roll))
        return cos * u + sin * v + np.float32(self.camera.x), -sin * u + cos * v + np.float32(self.camera.y)

    def fill(self, material: Material) -> None:
        """Cover the whole picture."""
        x, y = np.arange(self.width, dtype=np.float32) + 0.5, np.arange(self.height, dtype=np.float32) + 0.5
        self.pixels[:] = paint(material, *self._to_scene(x[None, :], y[:, None]))

    def draw(self, shape: Shape) -> None:
        """Draw ``shape`` over what is there; edges are blended over one pixel."""
        corners = self._to_pixels(shape.points)
        grow = shape.radius * self.per_unit
        left, top = np.maximum(np.floor(corners.min(0) - grow - 1), 0).astype(int)
        right, bottom = np.minimum(np.ceil(corners.max(0) + grow + 1), (self.width, self.height)).astype(int)
        if left >= right or top >= bottom:
            return
        x = np.arange(left, right, dtype=np.float32) + 0.5
        y = np.arange(top, bottom, dtype=np.float32) + 0.5
        alpha = coverage(corners, grow, x, y) * np.float32(shape.opacity)
        u, v = self._to_scene(x[None, :], y[:, None])
        u, v = u - np.float32(shape.origin[0]), v - np.float32(shape.origin[1])
        cos, sin = np.float32(np.cos(shape.turn)), np.float32(np.sin(shape.turn))
        color = paint(shape.material, cos * u + sin * v, -sin * u + cos * v) * np.float32(shape.shade)
        under = self.pixels[top:bottom, left:right]
        under += alpha[..., None] * (color - under)

    def to_bytes(self, light: float = 1.0, noise: np.ndarray | None = None) -> np.ndarray:
        """The picture as (H, W, 3) uint8, lit by ``light``, with ``noise`` (H, W, 3) in 8-bit levels added."""
        levels = self.pixels * np.float32(255 * light)
        if noise is not None:
            levels += noise
        return np.clip(levels + 0.5, 0, 255).astype(np.uint8)


def coverage(corners: np.ndarray, grow: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of each pixel a convex polygon covers: (len(y), len(x)) float32 in 0 … 1.

    ``corners`` (n, 2) in pixels, either way round; two corners make a line, to be grown to a capsule.
    """
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    if len(corners) == 2:
        return _capsule(corners, grow, x, y)
    keep = lengths > 1e-6
    edges, lengths, corners = edges[keep], lengths[keep], corners[keep]
    if len(corners) < 3:
        return np.zeros((len(y), len(x)), np.float32)
    area = np.sum(corners[:, 0] * np.roll(corners[:, 1], -1) - np.roll(corners[:, 0], -1) * corners[:, 1])
    normals = np.stack([edges[:, 1], -edges[:, 0]], 1) / lengths[:, None] * np.sign(area or 1.0)
    offsets = np.sum(normals * corners, axis=1)
    across = (normals[:, :1] * x[None, :]).astype(np.float32)
    down = (normals[:, 1:] * y[None, :] - offsets[:, None]).astype(np.float32)
    distance = across[0][None, :] + down[0][:, None]
    for edge in range(1, len(normals)):
        np.maximum(distance, across[edge][None, :] + down[edge][:, None], out=distance)
    return np.clip(np.float32(0.5 + grow) - distance, 0, 1)


def _capsule(ends: np.ndarray, grow: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    (ax, ay), (bx, by) = ends.astype(np.float32)
    dx, dy = bx - ax, by - ay
    px, py = x[None, :] - ax, y[:, None] - ay
    along = np.clip((px * dx + py * dy) / max(float(dx * dx + dy * dy), 1e-9), 0, 1)
    return np.clip(np.float32(0.5 + grow) - np.hypot(px - along * dx, py - along * dy), 0, 1).astype(np.float32)


def paint(material: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Colours of ``material`` at pattern coordinates: broadcast(u, v).shape + (3,) float32 in 0 … 1."""
    first, second = material.colors.astype(np.float32)
    cos, sin = np.float32(np.cos(material.angle)), np.float32(np.sin(material.angle))
    f, phase = np.float32(material.frequency), np.float32(material.phase)
    a, b = f * (cos * u + sin * v) + phase, f * (-sin * u + cos * v) + phase
    if material.pattern == "plain":
        mix = 0.12 * np.sin(0.3 * a) + 0.12 * np.sin(0.3 * b) + 0.2
    elif material.pattern == "stripes":
        mix = np.clip(0.5 + 2 * np.sin(a) + 0 * b, 0, 1)
    elif material.pattern == "checks":
        mix = np.clip(0.5 + 3 * np.sin(a) * np.sin(b), 0, 1)
    elif material.pattern == "dots":
        mix = np.clip(2 * (np.cos(a) + np.cos(b)) - 1.6, 0, 1)
    else:
        mix = 0.5 + 0.5 * np.sin(a + 1.5 * np.sin(0.5 * b))
    return first + mix[..., None].astype(np.float32) * (second - first)
