"""Tests and intervals against statsmodels and scipy, on random and degenerate answers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap, false_discovery_control
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar
from statsmodels.stats.multitest import multipletests

from gsm_model.confusion.significance import class_groups, compare, mcnemar, pair_groups
from gsm_model.errors import DataError
from gsm_model.predictions.join import join_predictions
from tests.predictions import make_predictions


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 0), (1, 0), (0, 6), (3, 3), (10, 25), (400, 350)]
)
def test_mcnemars_p_is_statsmodels_exact_one(only_a, only_b):
    expected = (
        reference_mcnemar([[50, only_a], [only_b, 20]], exact=True).pvalue
        if only_a + only_b
        else 1.0
    )
    assert mcnemar(only_a, only_b) == pytest.approx(min(expected, 1.0), rel=1e-9)


def test_every_figure_of_every_class_is_that_of_its_clips(two_models):
    rows = compare(two_models, class_groups(two_models))
    assert [row.name for row in rows] == ["all", *two_models.a.labels]
    right_a, right_b = two_models.a.right, two_models.b.right
    assert (rows[0].n, rows[0].accuracy_a, rows[0].accuracy_b) == (
        300,
        right_a.mean(),
        right_b.mean(),
    )
    for index, row in enumerate(rows[1:]):
        of = two_models.a.truth == index
        assert row.n == of.sum() and row.difference == pytest.approx(
            right_b[of].mean() - right_a[of].mean()
        )
        assert (row.only_a_right, row.only_b_right) == (
            (right_a & ~right_b & of).sum(),
            (right_b & ~right_a & of).sum(),
        )
    p = [row.p for row in rows[1:]]
    assert [row.p_holm for row in rows[1:]] == pytest.approx(multipletests(p, method="holm")[1])
    assert [row.p_bh for row in rows[1:]] == pytest.approx(false_discovery_control(p))
    assert rows[0].p == rows[0].p_holm == rows[0].p_bh


def test_the_interval_is_scipys_paired_bootstrap_up_to_chance(two_models):
    [row] = compare(two_models, {})
    change = two_models.b.right.astype(float) - two_models.a.right
    expected = bootstrap(
        (change,), np.mean, n_resamples=20000, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert (row.low, row.high) == pytest.approx((expected.low, expected.high), abs=0.007)
    assert row.low < row.difference < row.high


def test_the_same_seed_gives_the_same_interval_and_another_another(two_models):
    first, again, other = (compare(two_models, {}, seed=seed)[0] for seed in (0, 0, 1))
    assert (first.low, first.high) == (again.low, again.high) != (other.low, other.high)


def test_clips_of_one_block_are_drawn_together(two_models):
    """Three copies of every clip, in one block each, say no more than the clips once: the interval
    stays, where it would shrink.
    """
    thrice = np.tile(np.arange(300), 3)
    tripled = join_predictions(
        *(
            replace(model.take(thrice), ids=tuple(map(str, range(900))))
            for model in (two_models.a, two_models.b)
        ),
    )
    once = compare(two_models, {})[0]
    blocked = compare(tripled, {}, blocks=[str(clip) for clip in thrice])[0]
    unaware = compare(tripled, {})[0]
    assert blocked.high - blocked.low == pytest.approx(once.high - once.low, rel=0.06)
    assert unaware.high - unaware.low < 0.65 * (once.high - once.low)
    with pytest.raises(DataError, match="2 blocks for 300 clips"):
        compare(two_models, {}, blocks=["a", "b"])


def test_two_perfect_models_one_clip_and_a_class_without_clips():
    perfect = join_predictions(make_predictions("A", skill=50.0), make_predictions("B", skill=60.0))
    row = compare(perfect, {})[0]
    assert (row.difference, row.low, row.high, row.p) == (0, 0, 0, 1) and row.too_few
    one = join_predictions(
        make_predictions("A", truth=[3], skill=50.0), make_predictions("B", truth=[3], skill=-50.0)
    )
    rows = compare(one, class_groups(one))
    assert [(row.name, row.n, row.difference, row.p) for row in rows] == [
        ("all", 1, -1, 1),
        ("class 3", 1, -1, 1),
    ]


def test_a_thousand_classes_are_compared():
    paired = join_predictions(
        make_predictions("A", n=4000, k=1000, seed=1),
        make_predictions("B", n=4000, k=1000, seed=2, skill=3.0),
    )
    rows = compare(paired, class_groups(paired))
    assert sum(row.n for row in rows[1:]) == 4000 and all(
        row.p_holm >= row.p_bh >= row.p for row in rows
    )


def test_a_pair_is_the_clips_of_both_classes(two_models):
    groups = pair_groups(two_models, [(0, 3)])
    assert groups["class 0 / class 3"].sum() == np.isin(two_models.a.truth, (0, 3)).sum()


def test_too_few_is_said_exactly_where_no_outcome_could_reach_five_per_cent():
    assert mcnemar(0, 5) > 0.05 > mcnemar(0, 6)
