"""Mutual information of numbers with a factor of few levels, against permuted labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 6  # what tells 2 or 3 equally frequent levels apart falls into bins of its own
PERMUTATIONS = 100


@dataclass(frozen=True)
class Information:
    """What C columns say of one factor, in bits. ``plain`` (C,): the mutual information as counted;
    ``baseline`` (C,): its mean over permuted labels, which is what chance counts; ``threshold``:
    the 95th percentile over permutations of the largest of all columns, so that a column above it
    is found by chance in one of twenty sets of columns; ``entropy`` that of the factor.
    """

    plain: np.ndarray
    baseline: np.ndarray
    threshold: float
    entropy: float

    @property
    def bits(self) -> np.ndarray:
        """(C,): corrected for chance: 0 on average for a column that says nothing, the factor's
        entropy for one that says it exactly.

        Source: the adjustment of Vinh, Epps and Bailey (JMLR 2010), with the mean over permutations
        for the expectation.
        """
        room = np.maximum(self.entropy - self.baseline, 1e-12)
        return (self.plain - self.baseline) / room * self.entropy

    @property
    def carries(self) -> np.ndarray:
        """(C,) bool: above the threshold."""
        return self.plain > self.threshold + 1e-6


def mutual_information(
    values: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray | None = None,
    permutations: int = PERMUTATIONS,
    bins: int = BINS,
    seed: int = 0,
) -> Information:
    """What each column of ``values`` (n, C) says of ``labels`` (n,) integers 0 … F − 1: values are
    put into ``bins`` of equal counts, equal values into one.

    ``groups`` (n,) are rows that belong together, such as a clip and its reversal. Where a label is
    the same throughout every group, whole groups are permuted, else labels within each group, so
    that what the rows of a group share is not taken for independent.

    Raises:
        ValueError: if the numbers of rows differ or there are none.
    """
    return informations(values, [labellings(labels, groups, permutations, seed)], bins)[0]


def labellings(
    labels: np.ndarray, groups: np.ndarray | None, permutations: int, seed: int = 0
) -> np.ndarray:
    """``labels`` (n,), and as often as ``permutations`` says in another order: (1 + P, n)."""
    rng = np.random.default_rng(seed)
    return np.stack([labels, *(permuted(labels, groups, rng) for _ in range(permutations))])


def informations(
    values: np.ndarray, factors: Sequence[np.ndarray], bins: int = BINS
) -> list[Information]:
    """`mutual_information` of the columns of ``values`` (n, C) with each of several factors, whose
    `labellings` were made before.

    Raises:
        ValueError: if the numbers of rows differ or there are none.
    """
    n, c = values.shape
    for labels in factors:
        if n == 0 or labels.shape[1] != n:
            raise ValueError(f"{n} rows of values for {labels.shape[1]} labels")
    counted = _binned(values, bins)
    columns = (counted[:, :, None] == np.arange(bins)).reshape(n, c * bins).astype(np.float32)
    return [_information(columns, labels, c) for labels in factors]


def _information(columns: np.ndarray, labels: np.ndarray, c: int) -> Information:
    found = _bits(columns, labels, c)
    shares = np.bincount(labels[0]) / labels.shape[1]
    entropy = float(-(shares[shares > 0] * np.log2(shares[shares > 0])).sum())
    if len(found) == 1:
        return Information(found[0], np.zeros(c), 0.0, entropy)
    threshold = float(np.quantile(found[1:].max(1), 0.95))
    return Information(found[0], found[1:].mean(0), threshold, entropy)


def permuted(labels: np.ndarray, groups: np.ndarray | None, rng: np.random.Generator) -> np.ndarray:
    """``labels`` (n,) in another order, as `mutual_information` says."""
    if groups is None:
        return rng.permutation(labels)
    _, first, inside = np.unique(groups, return_index=True, return_inverse=True)
    if (labels == labels[first][inside]).all():
        return rng.permutation(labels[first])[inside]
    # By group and then by chance, and back to where the groups' rows are.
    order = np.argsort(inside, kind="stable")
    mixed = np.lexsort((rng.random(len(labels)), inside))
    out = np.empty_like(labels)
    out[order] = labels[mixed]
    return out


def _binned(values: np.ndarray, bins: int) -> np.ndarray:
    """(n, C) → the bin of each, integers 0 … ``bins`` − 1."""
    inner = np.arange(1, bins) / bins
    edges = np.quantile(values.astype(np.float64), inner, axis=0)  # (bins − 1, C)
    return (values[None] >= edges[:, None]).sum(0)


def _bits(columns: np.ndarray, labels: np.ndarray, c: int) -> np.ndarray:
    """Which bin each value is in, (n, C·bins) of 0 and 1, and P ways to label (P, n) → (P, C)
    mutual information in bits.
    """
    n, levels = len(columns), int(labels.max()) + 1
    rows = (labels[:, None] == np.arange(levels)[:, None]).reshape(-1, n).astype(np.float32)
    joint = (rows @ columns).reshape(len(labels), levels, c, -1) / n
    own = joint.sum(1, keepdims=True) * joint.sum(3, keepdims=True)
    ratio = np.divide(joint, own, out=np.ones_like(joint), where=joint > 0)
    return (joint * np.log2(ratio)).sum((1, 3), dtype=np.float64)
