"""Mutual information by its truths: a column that is the factor has all of its entropy, one that is
not has none beyond chance, and the counts are those of scikit-learn.
"""

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from gsm_model.explain.channels.information import mutual_information, permuted

DIRECTION = np.tile([0, 1], 60)
COLOUR = np.repeat([0, 1, 2], 40)


def test_a_column_that_is_the_factor_has_its_entropy_and_one_of_noise_has_none():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((120, 40))
    for labels, entropy in ((DIRECTION, 1), (COLOUR, np.log2(3))):
        exact = np.stack([labels, -7.5 * labels, labels + 0.1 * rng.random(120)], axis=1)
        found = mutual_information(np.concatenate([exact, noise], axis=1), labels)
        assert found.entropy == pytest.approx(entropy)
        np.testing.assert_allclose(found.plain[:3], entropy, rtol=1e-5)
        np.testing.assert_allclose(found.bits[:3], entropy, rtol=1e-5)
        assert found.carries[:3].all() and not found.carries[3:].any()
        assert abs(found.bits[3:].mean()) < 0.01, "the permutations take off what chance counts"
        assert found.plain[3:].mean() > 0.02


def test_counts_are_those_of_another_library():
    values = (
        np.random.default_rng(1).integers(0, 3, 120).astype(float)[:, None] + 0.2 * COLOUR[:, None]
    )
    found = mutual_information(values, COLOUR, permutations=400, bins=120)
    binned = np.unique(values[:, 0], return_inverse=True)[1]
    assert found.plain[0] == pytest.approx(mutual_info_score(COLOUR, binned) / np.log(2), rel=1e-4)
    table = contingency_matrix(COLOUR, binned).astype(np.int64)
    expected = expected_mutual_information(table, 120) / np.log(2)
    assert found.baseline[0] == pytest.approx(expected, rel=0.1)


def test_what_never_changes_says_nothing():
    found = mutual_information(np.full((120, 2), 3.0), DIRECTION)
    np.testing.assert_allclose(found.bits, 0, atol=1e-6)
    assert not found.carries.any()


def test_rows_that_belong_together_are_permuted_together():
    rng = np.random.default_rng(0)
    groups = np.repeat(rng.permutation(20), 2)
    groups = groups[rng.permutation(40)]
    of_group = (np.arange(20) % 4)[groups]
    for _ in range(5):
        mixed = permuted(of_group, groups, rng)
        assert sorted(mixed) == sorted(of_group)
        for group in range(20):
            assert len(set(mixed[groups == group])) == 1
    within = np.zeros(40, int)
    for group in range(20):
        within[np.flatnonzero(groups == group)[1]] = 1
    mixed = [permuted(within, groups, rng) for _ in range(5)]
    for one in mixed:
        assert all(sorted(one[groups == group]) == [0, 1] for group in range(20))
    assert any((one != within).any() for one in mixed)


def test_columns_that_are_the_same_for_both_rows_of_a_group_are_no_more_than_20_rows_say():
    """Doubling every row is not more to know: the threshold is that of the groups."""
    rng = np.random.default_rng(2)
    values, labels, groups = rng.standard_normal((20, 200)), np.arange(20) % 2, np.arange(20)
    single = mutual_information(values, labels, groups)
    double = mutual_information(*(np.repeat(one, 2, axis=0) for one in (values, labels, groups)))
    assert double.threshold == pytest.approx(single.threshold, rel=0.15)


@pytest.mark.parametrize("rows", [0, 3])
def test_other_numbers_of_rows_are_refused(rows):
    with pytest.raises(ValueError, match=f"{rows} rows of values for 4 labels"):
        mutual_information(np.zeros((rows, 2)), np.zeros(4, int))
