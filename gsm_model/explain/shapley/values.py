"""Shapley values and interactions of the players of a game: exact over all coalitions, or sampled
by antithetic permutations with intervals.

A game is given by its worth, a function of coalitions (m, n) bool → (m,) float64. Sources: Shapley,
"A value for n-person games", 1953; Grabisch and Roubens, "An axiomatic approach to the concept of
interaction among players", 1999; Mitchell and others, "Sampling permutations for Shapley value
estimation", JMLR 2022 (antithetic permutations).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import comb

import numpy as np

from gsm_model.evaluation.intervals import measure_mean

Worth = Callable[[np.ndarray], np.ndarray]
MOST_EXACT = 10  # players: 2¹⁰ coalitions
MOST_EXACT_ORDERS = 5  # players: 5! orders
FEWEST_OF_A_PAIR = 2  # samples of every interaction


@dataclass(frozen=True)
class ShapleyValues:
    """A game of n players, all float64 in the unit of its worth.

    ``values`` (n,) add up to ``full`` − ``empty``, the worths of all and of no players. ``low`` and
    ``high`` (n,) are the ends of their 95 % intervals, the values themselves where they are exact.
    ``interactions`` (n, n) is the Shapley interaction index of every two players, symmetric, with a
    diagonal of 0. ``evaluations`` is how many coalitions were asked for.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    interactions: np.ndarray
    empty: float
    full: float
    evaluations: int
    is_exact: bool

    @property
    def alone(self) -> np.ndarray:
        """(n,): each value less half of the player's interactions. With half of all
        ``interactions`` they add up to ``full`` − ``empty``.
        """
        return self.values - self.interactions.sum(1) / 2


def coalitions(n: int) -> np.ndarray:
    """All 2ⁿ coalitions of n players, (2ⁿ, n) bool; player i is in those whose row has bit i."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def exact_values(worths: np.ndarray) -> ShapleyValues:
    """The Shapley values of a game by its ``worths`` (2ⁿ,), in the order of `coalitions`.

    Raises:
        ValueError: if their number is no power of two.
    """
    n = len(worths).bit_length() - 1
    if n < 1 or len(worths) != 2**n:
        raise ValueError(f"a game of n players has 2^n worths, got {len(worths)}")
    worths = np.asarray(worths, np.float64)
    rows = np.arange(2**n)
    sizes = coalitions(n).sum(1)
    share = np.array([1 / (n * comb(n - 1, size)) for size in range(n)])
    values = np.empty(n)
    for i in range(n):
        without = rows[rows >> i & 1 == 0]
        values[i] = share[sizes[without]] @ (worths[without | 1 << i] - worths[without])
    return ShapleyValues(
        values, values, values, _exact_interactions(worths, sizes), *_ends(worths), 2**n, True
    )


def _ends(worths: np.ndarray) -> tuple[float, float]:
    return float(worths[0]), float(worths[-1])


def _exact_interactions(worths: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    n, rows = len(worths).bit_length() - 1, np.arange(len(worths))
    share = np.array([1 / ((n - 1) * comb(n - 2, size)) for size in range(n - 1)])
    found = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            a, b = 1 << i, 1 << j
            without = rows[(rows & (a | b)) == 0]
            gain = worths[without | a | b] - worths[without | a] - worths[without | b]
            found[i, j] = found[j, i] = share[sizes[without]] @ (gain + worths[without])
    return found


def shapley_values(worth: Worth, n: int, pairs: int = 32, seed: int = 0) -> ShapleyValues:
    """The Shapley values of a game of ``n`` players: exact where there are at most `MOST_EXACT`,
    else `sampled_values`.
    """
    if n <= MOST_EXACT:
        return exact_values(worth(coalitions(n)))
    return sampled_values(worth, n, pairs, seed)


def sampled_values(worth: Worth, n: int, pairs: int = 32, seed: int = 0) -> ShapleyValues:
    """The same estimated from ``pairs`` permutations of the players, each with its reverse.

    Each permutation adds the players one by one, so that the values add up as the exact ones do; a
    pair gives one sample of each value, and the intervals are Student's over the pairs. Two players
    that follow each other in a permutation give a sample of their interaction; what a pair of
    players lacks is drawn until it has `FEWEST_OF_A_PAIR`.

    Raises:
        ValueError: for fewer than two players or two pairs.
    """
    if n < 2 or pairs < 2:
        raise ValueError(f"at least 2 players and 2 pairs are needed, got {n} and {pairs}")
    rng = np.random.default_rng(seed)
    drawn = [rng.permutation(n) for _ in range(pairs)]
    orders = np.array([order for one in drawn for order in (one, one[::-1])])
    chains = _chains(orders)  # (2·pairs, n + 1, n): the first k players of each order
    swapped = chains[:, :-2].copy()  # the first k and, in place of the next, the one after it
    np.put_along_axis(swapped, orders[:, 1:, None], True, axis=2)
    extra = _more_of_pairs(orders, n, rng)
    known = _Known(worth, [chains, swapped, extra.sets])
    along, aside = known(chains), known(swapped)
    gains = np.empty((len(orders), n))
    np.put_along_axis(gains, orders, np.diff(along, axis=1), axis=1)
    by_pair = gains.reshape(pairs, 2, n).mean(1)
    measured = [measure_mean("value", by_pair[:, i], "") for i in range(n)]
    total, count = np.zeros((n, n)), np.zeros((n, n))
    first, second = orders[:, :-1].ravel(), orders[:, 1:].ravel()
    joint = (along[:, 2:] - along[:, 1:-1] - aside + along[:, :-2]).ravel()
    more = known(extra.sets) @ np.array([1.0, -1.0, -1.0, 1.0])
    for i, j, value in (
        (first, second, joint),
        (extra.first, extra.second, more),
    ):
        np.add.at(total, (i, j), value)
        np.add.at(count, (i, j), 1)
    total, count = total + total.T, count + count.T
    interactions = np.divide(total, count, out=np.zeros((n, n)), where=count > 0)
    values, low, high = (
        np.array([getattr(one, name) for one in measured]) for name in ("value", "low", "high")
    )
    return ShapleyValues(
        values, low, high, interactions, *_ends(along[0]), known.evaluations, False
    )


def _chains(orders: np.ndarray) -> np.ndarray:
    """(m, n) orders → (m, n + 1, n) bool: the first 0 … n players of each."""
    places = np.argsort(orders, axis=1)
    return places[:, None, :] < np.arange(orders.shape[1] + 1)[None, :, None]


@dataclass(frozen=True)
class _PairSamples:
    """Samples of interactions: the players, and the sets (m, 4, n) with both, the one, the other,
    neither.
    """

    first: np.ndarray
    second: np.ndarray
    sets: np.ndarray


def _more_of_pairs(orders: np.ndarray, n: int, rng: np.random.Generator) -> _PairSamples:
    """What is to be drawn beside ``orders`` for every two players to have their samples."""
    count = np.zeros((n, n), int)
    np.add.at(count, (orders[:, :-1], orders[:, 1:]), 1)
    count += count.T
    i, j = np.triu_indices(n, 1)
    lacking = np.maximum(FEWEST_OF_A_PAIR - count[i, j], 0)
    i, j = np.repeat(i, lacking), np.repeat(j, lacking)
    sets = np.zeros((len(i), 4, n), bool)
    for row, (a, b) in enumerate(zip(i, j, strict=True)):
        others = rng.permutation(np.setdiff1d(np.arange(n), [a, b]))
        sets[row][:, others[: rng.integers(n - 1)]] = True
        sets[row, [0, 0, 1, 2], [a, b, a, b]] = True
    return _PairSamples(i, j, sets)


class _Known:
    """The worths of the coalitions in ``groups`` (…, n), each asked for once."""

    def __init__(self, worth: Worth, groups: Sequence[np.ndarray]) -> None:
        n = groups[0].shape[-1]
        every = np.unique(np.concatenate([group.reshape(-1, n) for group in groups]), axis=0)
        self.evaluations = len(every)
        found = np.asarray(worth(every), np.float64)
        self.worths = {row.tobytes(): value for row, value in zip(every, found, strict=True)}

    def __call__(self, sets: np.ndarray) -> np.ndarray:
        rows = sets.reshape(-1, sets.shape[-1])
        found = np.array([self.worths[np.ascontiguousarray(row).tobytes()] for row in rows])
        return found.reshape(sets.shape[:-1])


@dataclass(frozen=True)
class OrderRelations:
    """The value of every order relation of n frames, float64 in the unit of the worth.

    ``values`` (n, n): the mean worth over all orders in which i comes before j, less that over all
    in which j comes before i, so that values[j, i] = −values[i, j]. ``low`` and ``high`` are the
    ends of their 95 % intervals, the values themselves where they are exact.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    evaluations: int
    is_exact: bool


def order_relations(
    worth: Callable[[np.ndarray], np.ndarray], n: int, pairs: int = 64, seed: int = 0
) -> OrderRelations:
    """What it is worth that frame i comes before frame j, with ``worth`` of orders (m, n) int64 of
    all n frames → (m,): exact over all n! orders of at most `MOST_EXACT_ORDERS` frames, else from
    ``pairs`` random orders, each with its reverse.

    It is the main effect of a relation on the worth of a random order. An order and its reverse
    differ in every relation, so a pair gives one sample of each; intervals are Student's over the
    pairs. Worths of ordered coalitions are as in Nowak and Radzik, "The Shapley value for n-person
    games in generalized characteristic function form", 1994; here all frames are there.

    Raises:
        ValueError: if there are fewer than two frames, or pairs to sample.
    """
    is_exact = n <= MOST_EXACT_ORDERS
    if n < 2 or (pairs < 2 and not is_exact):
        raise ValueError(f"at least 2 frames and 2 pairs are needed, got {n} and {pairs}")
    if is_exact:
        orders = np.array([row for row in permutations(range(n)) if row[0] < row[-1]])
    else:
        rng = np.random.default_rng(seed)
        orders = np.array([rng.permutation(n) for _ in range(pairs)])
    both = np.concatenate([orders, orders[:, ::-1]])
    ahead, back = np.asarray(worth(both), np.float64).reshape(2, -1)
    places = np.argsort(orders, axis=1)
    sign = np.sign(places[:, None, :] - places[:, :, None])  # (m, i, j): +1 where i is before j
    samples = sign * (ahead - back)[:, None, None]
    if is_exact:
        values = samples.mean(0)
        return OrderRelations(values, values, values, len(both), True)
    return replace(_with_intervals(samples), evaluations=len(both))


def _with_intervals(samples: np.ndarray) -> OrderRelations:
    n = samples.shape[1]
    values, low, high = np.zeros((3, n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                one = measure_mean("relation", samples[:, i, j], "")
                values[i, j], low[i, j], high[i, j] = one.value, one.low, one.high
    return OrderRelations(values, low, high, 0, False)
