"""Antialiased drawing of convex, textured shapes in numpy, at any size.

Scene units: the shorter side of the picture spans −1 … 1, x to the right, y down, origin in the
    centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from gsm_model.data.synthetic.materials import Material, paint

Role = Literal["background", "object", "actor", "hand", "shadow"]


@dataclass(frozen=True)
class Shape:
    """A convex polygon ``points`` (n, 2), grown by ``radius``, with its material and place.

    The pattern's coordinates are scene coordinates less ``origin``, turned by ``-turn``. ``shade``
    multiplies the colour; ``opacity`` is 1 for things and less for shadows.
    """

    points: np.ndarray
    material: Material
    role: Role = "object"
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


@dataclass(frozen=True)
class Patch:
    """The part of the picture a shape can touch, and how much of each of its pixels the shape
    covers (0 … 1).
    """

    rows: slice
    columns: slice
    covered: np.ndarray


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
        return cos * u + sin * v + np.float32(self.camera.x), -sin * u + cos * v + np.float32(
            self.camera.y
        )

    def fill(self, material: Material) -> None:
        """Cover the whole picture."""
        self.pixels[:] = paint(
            material,
            *self._to_scene(_centres(0, self.width)[None, :], _centres(0, self.height)[:, None]),
        )

    def patch(self, shape: Shape) -> Patch | None:
        """Where ``shape`` lies in the picture; ``None`` if outside. Edges are blended over one
        pixel.
        """
        corners = self._to_pixels(shape.points)
        grow = shape.radius * self.per_unit
        left, top = np.maximum(np.floor(corners.min(0) - grow - 1), 0).astype(int)
        right, bottom = np.minimum(
            np.ceil(corners.max(0) + grow + 1), (self.width, self.height)
        ).astype(int)
        if left >= right or top >= bottom:
            return None
        covered = coverage(corners, grow, _centres(left, right), _centres(top, bottom))
        return Patch(slice(top, bottom), slice(left, right), covered)

    def draw(self, shape: Shape) -> None:
        """Draw ``shape`` over what is there."""
        patch = self.patch(shape)
        if patch is None:
            return
        u, v = self._to_scene(
            _centres(patch.columns.start, patch.columns.stop)[None, :],
            _centres(patch.rows.start, patch.rows.stop)[:, None],
        )
        u, v = u - np.float32(shape.origin[0]), v - np.float32(shape.origin[1])
        cos, sin = np.float32(np.cos(shape.turn)), np.float32(np.sin(shape.turn))
        color = paint(shape.material, cos * u + sin * v, -sin * u + cos * v) * np.float32(
            shape.shade
        )
        under = self.pixels[patch.rows, patch.columns]
        under += (patch.covered * np.float32(shape.opacity))[..., None] * (color - under)

    def to_bytes(self, light: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """The picture as (H, W, 3) uint8: times ``light`` (broadcast to it), plus ``noise`` in
        8-bit levels.
        """
        levels = self.pixels * (np.float32(255) * light) + noise
        return np.clip(levels + np.float32(0.5), 0, 255).astype(np.uint8)


def _centres(start: int, stop: int) -> np.ndarray:
    return np.arange(start, stop, dtype=np.float32) + np.float32(0.5)


def coverage(corners: np.ndarray, grow: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of each pixel a convex polygon covers: (len(y), len(x)) float32 in 0 … 1.

    ``corners`` (n, 2) in pixels, either way round; two corners make a line, to be grown to a
    capsule.
    """
    if len(corners) == 2:
        return _capsule(corners, grow, x, y)
    edges = corners[_following(len(corners))] - corners
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    keep = lengths > 1e-6
    edges, lengths, corners = edges[keep], lengths[keep], corners[keep]
    if len(corners) < 3:
        return np.zeros((len(y), len(x)), np.float32)
    area = np.sum(corners[:, 0] * edges[:, 1] - edges[:, 0] * corners[:, 1])
    normals = np.stack([edges[:, 1], -edges[:, 0]], 1) / lengths[:, None] * np.sign(area or 1.0)
    offsets = np.sum(normals * corners, axis=1)
    across = (normals[:, :1] * x[None, :]).astype(np.float32)
    down = (normals[:, 1:] * y[None, :] - offsets[:, None]).astype(np.float32)
    distance = across[0][None, :] + down[0][:, None]
    for edge in range(1, len(normals)):
        np.maximum(distance, across[edge][None, :] + down[edge][:, None], out=distance)
    return np.clip(np.float32(0.5 + grow) - distance, 0, 1)


@cache
def _following(count: int) -> np.ndarray:
    """For each of ``count`` corners the index of the next."""
    return np.append(np.arange(1, count), 0)


def _capsule(ends: np.ndarray, grow: float, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    (ax, ay), (bx, by) = ends.astype(np.float32)
    dx, dy = bx - ax, by - ay
    px, py = x[None, :] - ax, y[:, None] - ay
    along = np.clip((px * dx + py * dy) / max(float(dx * dx + dy * dy), 1e-9), 0, 1)
    return np.clip(
        np.float32(0.5 + grow) - np.hypot(px - along * dx, py - along * dy), 0, 1
    ).astype(np.float32)
