"""Shapley values of games: by the definition over all orders of arrival, and by the axioms; sampled
ones against exact ones.
"""

from itertools import combinations, permutations

import numpy as np
import pytest

from gsm_model.explain.shapley.values import (
    coalitions,
    exact_values,
    order_relations,
    sampled_values,
)


def random_game(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=2**n)


def lookup(worths: np.ndarray):
    def worth(sets: np.ndarray) -> np.ndarray:
        return worths[sets @ (1 << np.arange(sets.shape[1]))]

    return worth


def brute_force(worths: np.ndarray) -> np.ndarray:
    """The mean over all n! orders of what each player adds on arrival."""
    n = len(worths).bit_length() - 1
    gains = []
    for order in permutations(range(n)):
        mask, gain = 0, np.empty(n)
        for player in order:
            gain[player] = worths[mask | 1 << player] - worths[mask]
            mask |= 1 << player
        gains.append(gain)
    return np.mean(gains, axis=0)


def brute_force_interaction(worths: np.ndarray, i: int, j: int) -> float:
    """The pair as one player: the mean over all orders of it and the others of the second
    difference on its arrival.
    """
    n = len(worths).bit_length() - 1
    others = [k for k in range(n) if k not in (i, j)]
    found = []
    for order in permutations([*others, "pair"]):
        s = sum(1 << k for k in order[: order.index("pair")])
        a, b = 1 << i, 1 << j
        found.append(worths[s | a | b] - worths[s | a] - worths[s | b] + worths[s])
    return float(np.mean(found))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_exact_values_and_interactions_are_those_of_all_orders_of_arrival(n):
    worths = random_game(n)
    found = exact_values(worths)
    np.testing.assert_allclose(found.values, brute_force(worths), atol=1e-12)
    for i, j in combinations(range(n), 2):
        expected = brute_force_interaction(worths, i, j)
        assert found.interactions[i, j] == found.interactions[j, i] == pytest.approx(expected)
    assert not found.interactions.diagonal().any()


def test_the_axioms_hold():
    a, b = random_game(6, 1), random_game(6, 2)
    found = exact_values(a)
    # Efficiency, also of the parts.
    assert found.values.sum() == pytest.approx(found.full - found.empty)
    whole = found.alone.sum() + found.interactions.sum() / 2
    assert whole == pytest.approx(found.full - found.empty)
    # Linearity.
    both = exact_values(2 * a - 3 * b)
    np.testing.assert_allclose(both.values, 2 * found.values - 3 * exact_values(b).values)
    # A dummy adds its own worth wherever it comes; two that do the same have the same.
    sets = coalitions(6)
    dummy = exact_values(sets[:, :5].astype(float).sum(1) ** 2 + 7.0 * sets[:, 5])
    assert dummy.values[5] == pytest.approx(7)
    np.testing.assert_allclose(dummy.interactions[5], 0, atol=1e-12)
    np.testing.assert_allclose(dummy.values[:5], dummy.values[0])
    # What the worth of nobody is enters every value alike.
    moved = a.copy()
    moved[0] += 6
    np.testing.assert_allclose(exact_values(moved).values, found.values - 1)


def test_sampled_values_add_up_and_their_intervals_hold_the_exact_ones():
    worths = random_game(8, 3)
    exact, found = exact_values(worths), sampled_values(lookup(worths), 8, 60, seed=1)
    assert found.values.sum() == pytest.approx(exact.full - exact.empty)
    held = (found.low <= exact.values) & (exact.values <= found.high)
    assert held.sum() >= 7 and not found.is_exact and found.evaluations <= 2**8
    pairs = np.triu_indices(8, 1)
    assert np.corrcoef(found.interactions[pairs], exact.interactions[pairs])[0, 1] > 0.5


def test_sampling_is_exact_for_a_game_of_pairs():
    """Of a quadratic game an order and its reverse give the values themselves, and every sample of
    an interaction is the interaction.
    """
    rng = np.random.default_rng(0)
    own, joint = rng.normal(size=12), np.triu(rng.normal(size=(12, 12)), 1)

    def worth(sets):
        return sets @ own + np.einsum("mi,ij,mj->m", sets, joint, sets)

    found = sampled_values(worth, 12, 3)
    np.testing.assert_allclose(found.values, own + (joint + joint.T).sum(1) / 2)
    np.testing.assert_allclose(found.high - found.low, 0, atol=1e-9)
    np.testing.assert_allclose(found.interactions, joint + joint.T, atol=1e-9)


def test_the_value_of_a_relation_is_the_difference_of_means_over_all_orders():
    def worth(orders):  # frame 0 before frame 2, and a little of where frame 1 is
        places = np.argsort(orders, axis=1)
        return 3.0 * (places[:, 0] < places[:, 2]) + 0.1 * places[:, 1]

    every = np.array(list(permutations(range(4))))
    before = np.argsort(every, axis=1)
    found = order_relations(worth, 4)
    for i, j in permutations(range(4), 2):
        first = before[:, i] < before[:, j]
        expected = worth(every[first]).mean() - worth(every[~first]).mean()
        assert found.values[i, j] == pytest.approx(expected)
    assert found.is_exact and found.values[0, 2] == pytest.approx(3)
    sampled = order_relations(lambda orders: worth(orders), 8, 200)
    assert sampled.low[0, 2] <= 3 <= sampled.high[0, 2]
    np.testing.assert_allclose(sampled.values, -sampled.values.T)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: exact_values(np.zeros(3)),
        lambda: sampled_values(lookup(np.zeros(2)), 1),
        lambda: order_relations(lambda orders: np.zeros(len(orders)), 1),
    ],
)
def test_what_is_no_game_is_refused(ask):
    with pytest.raises(ValueError, match="needed|worths"):
        ask()
