"""How maps are shown: several models' on one scale that is never hidden, and as large as the frames
they are laid over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F

Normalise = Literal["clip", "frame", "models"]
NORMALISE: tuple[Normalise, ...] = get_args(Normalise)


@dataclass(frozen=True)
class Scaled:
    """``maps`` (T, h, w) float32 in −1 … 1, or 0 … 1 where what speaks against is left out; ``one``
    (T,): what 1 stands for in each frame, in the method's own numbers (0 where the map is
    empty). ``signed``: whether what speaks against is there."""

    maps: np.ndarray
    one: np.ndarray
    signed: bool = False

    @property
    def sums(self) -> np.ndarray:
        """(T,) float32: the sum of each frame's map, the largest as 1."""
        sums = self.maps.sum((1, 2))
        return sums / max(float(np.abs(sums).max()), np.finfo(np.float32).tiny)

    @property
    def stands_for(self) -> str:
        """What 1 stands for, in words: one number, or the least and the largest of all frames."""
        low, high = self.one.min(), self.one.max()
        return f"{high:.3g}" if low == high else f"{low:.3g} to {high:.3g} by frame"


def scaled(
    maps: Sequence[np.ndarray], normalise: Normalise = "clip", signed: bool = False
) -> list[Scaled]:
    """Several models' maps, each (T, h, w), made comparable: divided by the largest value of the
    clip, of each frame, or of all of them.

    Without ``signed``, negative values become 0.

    Raises:
        ValueError: for an unknown way.
    """
    if normalise not in NORMALISE:
        raise ValueError(
            f"maps cannot be put on one scale by {normalise!r}; ways are {', '.join(NORMALISE)}"
        )
    kept = [one if signed else np.maximum(one, 0) for one in maps]
    largest = [np.abs(one).max((1, 2)) for one in kept]
    if normalise == "clip":
        largest = [np.full_like(one, one.max()) for one in largest]
    elif normalise == "models":
        largest = [np.full_like(one, max(other.max() for other in largest)) for one in largest]
    return [
        Scaled((one / np.where(top > 0, top, 1)[:, None, None]).astype(np.float32), top, signed)
        for one, top in zip(kept, largest, strict=True)
    ]


def upsampled(maps: np.ndarray, side: int) -> np.ndarray:
    """(T, h, w) → (T, side, side) float32, bilinear, as they are laid over the frames."""
    grown = F.interpolate(
        torch.from_numpy(np.ascontiguousarray(maps, dtype=np.float32))[:, None],
        (side, side),
        mode="bilinear",
    )
    return grown[:, 0].numpy()
