"""Does a map lie on what is known to be in the frames?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Pointing:
    """How a map lies on what is known to be in the frames, r kinds of thing. ``hit``: which kind is
    in the middle of the map's largest cell (−1 for an empty map). ``energy`` (r,): the share of the
    positive values that lies on each, summing to 1 (NaN for an empty map). ``area`` (r,): the share
    of the clip that each covers, which is what a map without knowledge would reach."""

    hit: int
    energy: np.ndarray
    area: np.ndarray


def point_at(
    maps: np.ndarray, kinds: np.ndarray, count: int, weights: np.ndarray | None = None
) -> Pointing:
    """``maps`` (T, h, w) against ``kinds`` (T, S, S) integers 0 … ``count`` − 1. ``weights`` are
    the `cell_weights` of the two, for whoever asks for several maps of one size. What speaks
    against the target is left out; the rest is laid over the frames as `upsampled` does.

    Source: Zhang and others, *Excitation Backprop*, 2016 (pointing game), without their margin.

    Raises:
        ValueError: if the two have other numbers of frames.
    """
    if len(maps) != len(kinds):
        raise ValueError(f"{len(maps)} maps for {len(kinds)} masks")
    positive = np.maximum(maps, 0).astype(np.float64)
    side, (h, w) = kinds.shape[-1], maps.shape[1:]
    area = np.bincount(kinds.ravel(), minlength=count) / kinds.size
    if not positive.any():
        return Pointing(-1, np.full(count, np.nan), area)
    energies = (positive * (cell_weights(kinds, count, h, w) if weights is None else weights)).sum(
        (1, 2, 3)
    )
    frame, row, column = np.unravel_index(positive.argmax(), positive.shape)
    at = int((row + 0.5) * side / h), int((column + 0.5) * side / w)
    return Pointing(int(kinds[frame][at]), energies / energies.sum(), area)


def cell_weights(kinds: np.ndarray, count: int, h: int, w: int) -> np.ndarray:
    """(count, T, h, w) float64: how much of each cell, laid over the frames bilinearly, falls on
    each of the ``kinds`` (T, S, S).
    """
    t, side = kinds.shape[:2]
    masks = (
        torch.from_numpy(np.stack([kinds == kind for kind in range(count)]))
        .double()
        .view(count * t, 1, side, side)
    )
    # The adjoint of the bilinear map is its derivative.
    with torch.enable_grad():
        cells = torch.zeros(count * t, 1, h, w, dtype=torch.float64, requires_grad=True)
        (F.interpolate(cells, (side, side), mode="bilinear") * masks).sum().backward()
    assert cells.grad is not None  # backward has filled it
    return cells.grad.view(count, t, h, w).numpy()
