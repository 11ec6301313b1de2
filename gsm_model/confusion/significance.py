"""Is the difference between two models on the same clips real? Exact tests, corrected for their
number, and intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # whose parts are loaded when they are first used; statistics take a second

from gsm_model.errors import DataError
from gsm_model.predictions.join import PairedPredictions

ALL = "all"
DRAWS = 10_000
# With fewer clips on which just one of the models is right, McNemar's exact test cannot reach 5 %:
# 2 · ½⁵ = 6.25 %.
FEWEST_DISCORDANT = 6


@dataclass(frozen=True)
class Comparison:
    """Models A and B on the n clips of one group: how many only one of them gets right, McNemar's
    exact two-sided ``p``, corrected over the family of groups after Holm and after Benjamini and
    Hochberg; ``difference`` of accuracies B − A with its 95 % bootstrap interval.

    The group *all* is a family of its own.
    """

    name: str
    n: int
    accuracy_a: float
    accuracy_b: float
    only_a_right: int
    only_b_right: int
    p: float
    p_holm: float
    p_bh: float
    difference: float
    low: float
    high: float

    @property
    def too_few(self) -> bool:
        """Whether no outcome of the test could reach 5 % on so few clips on which the models
        disagree.
        """
        return self.only_a_right + self.only_b_right < FEWEST_DISCORDANT


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p of McNemar's test: under equal accuracy either model is the right one
    with probability ½. 1 where none is.
    """
    n = only_a + only_b
    return float(scipy.stats.binomtest(only_b, n, 0.5).pvalue) if n else 1.0


def compare(
    paired: PairedPredictions,
    groups: Mapping[str, np.ndarray],
    blocks: Sequence[str] | None = None,
    seed: int = 0,
) -> list[Comparison]:
    """Compare two models on all clips and on each of ``groups`` (name → (n,) bool), in this order.

    The bootstrap draws clips, both models' answers to one together; with ``blocks`` (n,), such as
    the person or the video a clip is of, it draws whole blocks. 10,000 draws from ``seed``,
    percentile interval. Groups without clips are left out.

    Raises:
        DataError: if ``blocks`` has another length than there are clips.
    """
    n = len(paired.a.ids)
    if blocks is not None and len(blocks) != n:
        raise DataError(f"{len(blocks)} blocks for {n} clips")
    _, block = np.unique(
        np.arange(n) if blocks is None else np.asarray(blocks), return_inverse=True
    )
    masks = {ALL: np.ones(n, bool)} | {name: mask for name, mask in groups.items() if mask.any()}
    right_a, right_b = paired.a.right, paired.b.right
    only_a = [int((right_a & ~right_b & mask).sum()) for mask in masks.values()]
    only_b = [int((right_b & ~right_a & mask).sum()) for mask in masks.values()]
    p = [mcnemar(*pair) for pair in zip(only_a, only_b, strict=True)]
    holm, bh = ([p[0], *corrected(p[1:], method)] for method in ("holm", "fdr_bh"))
    rows = []
    for row, (name, mask) in enumerate(masks.items()):
        change = right_b[mask].astype(np.int64) - right_a[mask]
        low, high = _bootstrap(
            change, block[mask], blocks is not None, np.random.default_rng((seed, row))
        )
        accuracies = float(right_a[mask].mean()), float(right_b[mask].mean())
        rows.append(
            Comparison(
                name,
                int(mask.sum()),
                *accuracies,
                only_a[row],
                only_b[row],
                p[row],
                holm[row],
                bh[row],
                float(change.mean()),
                low,
                high,
            )
        )
    return rows


def corrected(p: Sequence[float], method: str) -> list[float]:
    """``p`` of a family of tests corrected for their number, by a ``method`` of statsmodels: *holm*
    or *fdr_bh* (Benjamini and Hochberg).
    """
    from statsmodels.stats.multitest import multipletests  # takes seconds, and is seldom needed

    return multipletests(p, method=method)[1].tolist() if len(p) else []


def _bootstrap(
    change: np.ndarray, block: np.ndarray, grouped: bool, rng: np.random.Generator
) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the mean of ``change`` (−1, 0, +1 a clip) over drawn clips
    or blocks.
    """
    if not grouped:
        only_a, _, only_b = np.bincount(change + 1, minlength=3).tolist()
        return difference_interval(only_a, only_b, len(change), rng)
    _, own = np.unique(block, return_inverse=True)
    sums, sizes = np.bincount(own, weights=change), np.bincount(own)
    means = np.empty(DRAWS)
    for draw in range(DRAWS):  # one at a time: draws × blocks would not fit into memory
        taken = rng.integers(len(sizes), size=len(sizes))
        means[draw] = sums[taken].sum() / sizes[taken].sum()
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def difference_interval(
    only_a: int, only_b: int, n: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The 95 % bootstrap interval of the difference of accuracies B − A of two models, of which
    just one is right on ``only_a`` and ``only_b`` of ``n`` clips.

    Drawing n clips anew draws their three kinds multinomially.
    """
    kinds = np.array([only_a, n - only_a - only_b, only_b]) / n
    drawn = rng.multinomial(n, kinds, size=DRAWS)
    low, high = np.percentile((drawn[:, 2] - drawn[:, 0]) / n, [2.5, 97.5])
    return float(low), float(high)


def class_groups(paired: PairedPredictions) -> dict[str, np.ndarray]:
    """The clips of every true class, by its name."""
    return {label: paired.a.truth == index for index, label in enumerate(paired.a.labels)}


def pair_groups(
    paired: PairedPredictions, pairs: Sequence[tuple[int, int]]
) -> dict[str, np.ndarray]:
    """The clips of every pair of classes, by both names."""
    names = paired.a.labels
    return {f"{names[i]} / {names[j]}": np.isin(paired.a.truth, (i, j)) for i, j in pairs}


def named_groups(
    paired: PairedPredictions, groups: Mapping[str, Sequence[int]]
) -> dict[str, np.ndarray]:
    """The clips of every group of classes (name → class indices)."""
    return {name: np.isin(paired.a.truth, list(classes)) for name, classes in groups.items()}
