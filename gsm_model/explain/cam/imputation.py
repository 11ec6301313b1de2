"""ROAD's imputation: what was at a position is replaced by what its neighbours would make of it."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import spsolve
from torch import Tensor

NOISE = (
    0.01  # standard deviation of what is added, so that the smooth patch is not a sign by itself
)
# (rows down, columns right, weight): half as much for a neighbour across a corner.
NEIGHBOURS = tuple(
    (down, right, 1 / 6 if 0 in (down, right) else 1 / 12)
    for down in (-1, 0, 1)
    for right in (-1, 0, 1)
    if (down, right) != (0, 0)
)


def filled_in(picture: Tensor, keep: Tensor, noise: float = NOISE) -> Tensor:
    """``picture`` (C, H, W) float32 with the positions that are not in ``keep`` (H, W) bool filled
    in: each is the weighted mean of its eight neighbours, found for all of them at once, and noise.

    The noise is drawn from PyTorch's generator for CPUs. At the border, weights that point outside
    are left out. At least one position has to be kept.

    Source: Rong and others, *A Consistent and Efficient Evaluation Strategy for Attribution
    Methods* (ROAD), ICML 2022, section 4.2: noisy linear imputation.
    """
    matrix, known = _system(keep.numpy(), picture.numpy())
    values = torch.tensor(spsolve(matrix, known), dtype=torch.float).t()  # (C, n)
    filled = picture.clone()
    filled[:, ~keep] = values + noise * torch.randn_like(values)
    return filled


def _system(keep: np.ndarray, picture: np.ndarray) -> tuple[csc_matrix, np.ndarray]:
    """The n positions to fill in as n linear equations: the matrix (n, n), and the right hand side
    (n, C), what the kept neighbours give.
    """
    height, width = keep.shape
    rows, columns = np.nonzero(~keep)
    number = np.full(keep.shape, -1)
    number[rows, columns] = np.arange(len(rows))
    total = np.zeros(len(rows))
    known = np.zeros((len(rows), len(picture)))
    entries = []
    for down, right, weight in NEIGHBOURS:
        y, x = rows + down, columns + right
        [inside] = np.nonzero((y >= 0) & (y < height) & (x >= 0) & (x < width))
        y, x = y[inside], x[inside]
        total[inside] += weight
        given = keep[y, x]
        known[inside[given]] -= weight * picture[:, y[given], x[given]].T
        entries.append((inside[~given], number[y[~given], x[~given]], weight))
    own = np.arange(len(rows))
    values = np.concatenate([np.full(len(at), weight) for at, _, weight in entries] + [-total])
    at = np.concatenate([at for at, _, _ in entries] + [own])
    of = np.concatenate([of for _, of, _ in entries] + [own])
    return csc_matrix((values, (at, of)), shape=(len(rows), len(rows))), known
