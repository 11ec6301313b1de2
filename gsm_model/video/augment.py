"""Training-time crops: random places, and the release's multi-scale crop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gsm_model.video.transforms import resize

SCALES = (1.0, 0.875, 0.75, 0.66)


def crop_sizes(
    width: int, height: int, scales: Sequence[float] = SCALES, max_distort: int = 1
) -> list[tuple[int, int]]:
    """The (width, height) of every crop the release draws from: shares of the shorter side that are
    at most ``max_distort`` steps apart.
    """
    base = min(width, height)
    sides = [int(base * scale) for scale in scales]
    return [
        (w, h)
        for i, h in enumerate(sides)
        for j, w in enumerate(sides)
        if abs(i - j) <= max_distort
    ]


def crop_offsets(
    width: int, height: int, crop_width: int, crop_height: int
) -> list[tuple[int, int]]:
    """The release's 13 places (left, top) of a crop: a grid of corners, sides and centre, and the
    four quarters.
    """
    x, y = (width - crop_width) // 4, (height - crop_height) // 4
    places = [
        (0, 0),
        (4, 0),
        (0, 4),
        (4, 4),
        (2, 2),
        (0, 2),
        (4, 2),
        (2, 4),
        (2, 0),
        (1, 1),
        (3, 1),
        (1, 3),
        (3, 3),
    ]
    return [(i * x, j * y) for i, j in places]


def multi_scale_crop(frames: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """One of the release's crops of a clip, resized to ``size``: (T, H, W, 3) uint8 → (T, size,
    size, 3) uint8.
    """
    height, width = frames.shape[1:3]
    sizes = crop_sizes(width, height)
    crop_width, crop_height = sizes[rng.integers(len(sizes))]
    places = crop_offsets(width, height, crop_width, crop_height)
    left, top = places[rng.integers(len(places))]
    cut = frames[:, top : top + crop_height, left : left + crop_width]
    return resize(cut, size, size)


def random_crop(frames: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """A crop of ``size`` at a random place: (T, H, W, 3) → (T, size, size, 3).

    Raises:
        ValueError: if the frames are smaller than ``size``.
    """
    top = int(rng.integers(frames.shape[1] - size + 1))
    left = int(rng.integers(frames.shape[2] - size + 1))
    return frames[:, top : top + size, left : left + size]
