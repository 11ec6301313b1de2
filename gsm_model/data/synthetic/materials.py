"""What shapes are painted with: two colours mixed by a pattern that rides with the shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Pattern = Literal["plain", "stripes", "checks", "dots", "waves", "rings", "bricks"]


@dataclass(frozen=True)
class Material:
    """Two colours (rows of ``colors``, RGB in 0 … 1) mixed by a pattern.

    ``frequency`` is in radians a scene unit, ``angle`` and ``phase`` in radians.
    """

    colors: np.ndarray
    pattern: Pattern = "plain"
    frequency: float = 12.0
    angle: float = 0.0
    phase: float = 0.0


def paint(material: Material, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Colours of ``material`` at pattern coordinates: broadcast(u, v).shape + (3,) float32 in 0 …
    1.
    """
    first, second = material.colors.astype(np.float32)
    cos, sin = np.float32(np.cos(material.angle)), np.float32(np.sin(material.angle))
    f, phase = np.float32(material.frequency), np.float32(material.phase)
    a, b = f * (cos * u + sin * v) + phase, f * (-sin * u + cos * v) + phase
    mix = _PATTERNS[material.pattern](a, b)
    return first + mix[..., None].astype(np.float32) * (second - first)


def _plain(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.float32(0.12) * (
        np.sin(np.float32(0.3) * a) + np.sin(np.float32(0.3) * b)
    ) + np.float32(0.2)


def _stripes(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.clip(np.float32(0.5) + 2 * np.sin(a), 0, 1)


def _checks(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.clip(np.float32(0.5) + 3 * np.sin(a) * np.sin(b), 0, 1)


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.clip(2 * (np.cos(a) + np.cos(b)) - np.float32(1.6), 0, 1)


def _waves(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.float32(0.5) + np.float32(0.5) * np.sin(
        a + np.float32(1.5) * np.sin(np.float32(0.5) * b)
    )


def _rings(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.clip(np.float32(0.5) + 2 * np.sin(np.hypot(a, b)), 0, 1)


def _bricks(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    row = np.floor(b / np.float32(np.pi))
    along = a / np.float32(2) + row % 2 * np.float32(np.pi / 2)
    return np.clip(3 * np.minimum(np.abs(np.sin(along)), np.abs(np.sin(b))) - np.float32(0.2), 0, 1)


_PATTERNS = {
    "plain": _plain,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "waves": _waves,
    "rings": _rings,
    "bricks": _bricks,
}
