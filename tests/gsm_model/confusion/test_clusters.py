"""Classes that are mixed up stand together."""

import numpy as np

from gsm_model.confusion.clusters import cluster_order


def test_blocks_of_classes_that_are_taken_for_each_other_come_out_side_by_side():
    groups = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    rng = np.random.default_rng(0)
    mutual = (groups[:, None] == groups) * 0.3 + rng.uniform(0, 0.05, (8, 8))
    mutual = (mutual + mutual.T) / 2
    np.fill_diagonal(mutual, 0)
    order = cluster_order(mutual)
    assert sorted(order) == list(range(8))
    assert (np.diff(groups[order]) != 0).sum() == 2, "each group is in one piece"


def test_nothing_mixed_up_and_very_few_classes_have_an_order_too():
    assert sorted(cluster_order(np.zeros((5, 5)))) == list(range(5))
    for k in (1, 2):
        assert cluster_order(np.zeros((k, k))).tolist() == list(range(k))
