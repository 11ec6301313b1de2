"""Intervals against formulas worked by hand and against how often they hold what they should."""

import numpy as np
import pytest

from gsm_model.evaluation.intervals import measure_change, measure_mean


def test_a_mean_has_students_interval():
    """1, 2, 3, 4: mean 2.5, standard error √(5/3)/2, t(0.975, 3) = 3.18245."""
    measure = measure_mean("x", np.array([1.0, 2, 3, 4]), "by hand")
    half = 3.182446 * np.sqrt(5 / 3) / 2
    assert (measure.value, measure.low, measure.high) == pytest.approx(
        (2.5, 2.5 - half, 2.5 + half), rel=1e-6
    )


def test_without_spread_the_interval_is_the_mean_and_of_one_clip_it_is_not_known():
    same = measure_mean("x", np.array([0.5, 0.5]), "d")
    assert (same.low, same.high) == (0.5, 0.5)
    one = measure_mean("x", np.array([0.5]), "d")
    assert one.value == 0.5 and np.isnan([one.low, one.high]).all()
    with pytest.raises(ValueError, match="no clip"):
        measure_mean("x", np.array([]), "d")


def test_a_change_has_agresti_and_mins_interval():
    """Of 100 clips 4 are gained and 16 lost: estimate −12/102, z √((21/102 − (12/102)²)/102)."""
    before = np.array([True] * 16 + [False] * 4 + [True] * 60 + [False] * 20)
    after = np.array([False] * 16 + [True] * 4 + [True] * 60 + [False] * 20)
    measure = measure_change("x", before, after, "by hand")
    half = 1.959964 * np.sqrt((21 / 102 - (12 / 102) ** 2) / 102)
    assert (measure.value, measure.low, measure.high) == pytest.approx(
        (-0.12, -12 / 102 - half, -12 / 102 + half), rel=1e-6
    )


def test_no_change_has_an_interval_of_some_width_about_zero():
    measure = measure_change("x", np.ones(50, bool), np.ones(50, bool), "d")
    assert measure.value == 0 and -0.06 < measure.low < 0 < measure.high < 0.06


def test_the_interval_of_a_change_holds_the_truth_about_as_often_as_it_says():
    rng, held = np.random.default_rng(0), 0
    for _ in range(1500):
        cell = rng.choice(4, size=60, p=[0.5, 0.15, 0.05, 0.3])
        measure = measure_change("x", cell <= 1, (cell == 0) | (cell == 2), "d")
        held += measure.low <= 0.05 - 0.15 <= measure.high
    assert 0.93 < held / 1500 < 0.975


@pytest.mark.parametrize("after", [np.ones(2, bool), np.ones(0, bool)])
def test_a_change_of_other_clips_is_refused(after):
    with pytest.raises(ValueError, match="the same clips"):
        measure_change("x", np.ones(len(after) and 3, bool), after, "d")
