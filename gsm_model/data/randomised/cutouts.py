"""Outlines to cut things out with: blobs, polygons, figures, vehicles, bottles, plants."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

SIDE = 64
CUTOUTS = 96
_Y, _X = np.mgrid[:SIDE, :SIDE].astype(np.float64)
X, Y = (2 * (_X + 0.5) / SIDE - 1) * 1.06, (2 * (_Y + 0.5) / SIDE - 1) * 1.06


@cache
def cutouts() -> tuple[Tensor, ...]:
    """Masks (1, 1, 64, 64) float32 in 0 … 1, whose things fill the square −1 … 1; the same on
    every machine.
    """
    makers = (_blob, _blob, _polygon, _ellipses, _figure, _vehicle, _bottle, _plant)
    found = []
    for number in range(CUTOUTS):
        rng = np.random.default_rng((13, number))
        distance = makers[number % len(makers)](rng)
        found.append(_mask(distance[:, ::-1] if rng.random() < 0.5 else distance))
    return tuple(found)


@cache
def figures() -> tuple[Tensor, ...]:
    """Masks of people alone, as `cutouts`."""
    return tuple(_mask(_figure(np.random.default_rng((14, number)))) for number in range(16))


@cache
def limb() -> Tensor:
    """The mask of a part of an arm or a leg, which fills the square, as one of `cutouts`."""
    return _mask(_box(-0.98, -0.98, 0.98, 0.98, 0.7))


@cache
def on_device(cut: Tensor, device: torch.device) -> Tensor:
    """A mask where it is sampled."""
    return cut.to(device)


def _mask(distance: np.ndarray) -> Tensor:
    """From distances to the rim, positive outside, in units of the square's half side."""
    covered = np.clip(0.5 - distance * SIDE / 2, 0, 1)
    covered[[0, -1]] = covered[:, [0, -1]] = 0
    return torch.from_numpy(covered.astype(np.float32))[None, None].contiguous()


def _ellipse(x: float, y: float, a: float, b: float, turn: float = 0.0) -> np.ndarray:
    cos, sin = np.cos(turn), np.sin(turn)
    u, v = cos * (X - x) + sin * (Y - y), cos * (Y - y) - sin * (X - x)
    return (np.hypot(u / a, v / b) - 1) * min(a, b)


def _box(left: float, top: float, right: float, bottom: float, round: float = 0.0) -> np.ndarray:
    x, y = (left + right) / 2, (top + bottom) / 2
    dx = np.abs(X - x) - (right - left) / 2 + round
    dy = np.abs(Y - y) - (bottom - top) / 2 + round
    return (
        np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - round
    )


def _line(x0: float, y0: float, x1: float, y1: float, radius: float) -> np.ndarray:
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((X - x0) * dx + (Y - y0) * dy) / (dx * dx + dy * dy + 1e-9), 0, 1)
    return np.hypot(X - x0 - along * dx, Y - y0 - along * dy) - radius


def _union(*parts: np.ndarray) -> np.ndarray:
    return np.minimum.reduce(parts)


def _blob(rng: np.random.Generator) -> np.ndarray:
    angle, radius = np.arctan2(Y, X), np.ones_like(X)
    for k in range(2, 8):
        radius += rng.uniform(-0.5, 0.5) / k * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    aspect = np.exp(rng.uniform(-0.4, 0.4))
    return np.hypot(X * max(aspect, 1), Y * max(1 / aspect, 1)) - 0.95 * radius / radius.max()


def _polygon(rng: np.random.Generator) -> np.ndarray:
    """Corners at random angles and distances, as a union of triangles about the centre."""
    count = int(rng.integers(3, 9))
    angles = (np.arange(count) + rng.uniform(-0.3, 0.3, count)) * 2 * np.pi / count
    radii = rng.uniform(0.45, 0.98, count)
    corners = np.stack([radii * np.cos(angles), radii * np.sin(angles)], 1)
    parts = []
    for one, two in zip(corners, np.roll(corners, -1, 0), strict=True):
        triangle = np.stack([np.zeros(2), one, two])
        edges = np.roll(triangle, -1, 0) - triangle
        normals = np.stack([edges[:, 1], -edges[:, 0]], 1)
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        parts.append(
            np.maximum.reduce(
                [
                    n[0] * (X - c[0]) + n[1] * (Y - c[1])
                    for n, c in zip(normals, triangle, strict=True)
                ]
            )
            - 0.02
        )
    return _union(*parts)


def _ellipses(rng: np.random.Generator) -> np.ndarray:
    return _union(
        *(
            _ellipse(x, y, a, b, rng.uniform(0, np.pi))
            for x, y, a, b in rng.uniform([-0.4, -0.4, 0.2, 0.2], [0.4, 0.4, 0.55, 0.55], (4, 4))
        )
    )


def _figure(rng: np.random.Generator) -> np.ndarray:
    """Head, trunk, two legs, two arms."""
    head, width, stride = rng.uniform(0.12, 0.17), rng.uniform(0.14, 0.24), rng.uniform(-0.3, 0.3)
    arms = rng.uniform(-0.4, 0.4, 2)
    return _union(
        _ellipse(0, -0.98 + head, head * 0.85, head),
        _box(-width, -0.7, width, 0.15, 0.1),
        _line(-width / 2, 0.1, stride, 0.92, 0.08),
        _line(width / 2, 0.1, -stride, 0.92, 0.08),
        *(
            _line(side * width, -0.6, side * width + arm, 0.1, 0.06)
            for side, arm in zip((-1, 1), arms, strict=True)
        ),
    )


def _vehicle(rng: np.random.Generator) -> np.ndarray:
    """A body, a cabin and two wheels, or seen from the front."""
    if rng.random() < 0.4:
        cabin = rng.uniform(0.5, 0.8)
        return _union(_box(-0.9, -0.1, 0.9, 0.7, 0.15), _box(-cabin, -0.75, cabin, 0.1, 0.2))
    top, left, right = rng.uniform(-0.6, -0.2), rng.uniform(-0.8, -0.3), rng.uniform(0.2, 0.7)
    return _union(
        _box(-0.98, -0.1, 0.98, 0.35, 0.12),
        _box(left, top, right, 0.1, 0.1),
        _ellipse(-0.55, 0.35, 0.2, 0.2),
        _ellipse(0.55, 0.35, 0.2, 0.2),
    )


def _bottle(rng: np.random.Generator) -> np.ndarray:
    """A bottle, a cup or a book, upright."""
    width, neck = rng.uniform(0.3, 0.6), rng.uniform(0.1, 0.25)
    body = _box(-width, rng.uniform(-0.4, -0.1), width, 0.98, 0.12)
    if rng.random() < 0.5:
        return _union(body, _box(-neck, -0.98, neck, 0.2, 0.05))
    handle = np.abs(_ellipse(width, 0.35, 0.3, 0.3)) - 0.06
    return _union(body, handle) if rng.random() < 0.5 else body


def _plant(rng: np.random.Generator) -> np.ndarray:
    """Leaves or branches from one stem."""
    parts = [_line(0, 0.98, rng.uniform(-0.1, 0.1), 0, rng.uniform(0.04, 0.09))]
    for _ in range(int(rng.integers(3, 9))):
        angle, reach = rng.uniform(-2.9, -0.2), rng.uniform(0.4, 0.8)
        parts.append(
            _ellipse(
                reach / 2 * np.cos(angle),
                reach / 2 * np.sin(angle),
                reach / 2,
                rng.uniform(0.08, 0.2),
                angle,
            )
        )
    return _union(*parts)
