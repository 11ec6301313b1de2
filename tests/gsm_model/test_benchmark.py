"""The benchmark's figures: of the rounds that count, and ratios within a round."""

import numpy as np
import pytest

from gsm_model.benchmark import WARM_UP, Timing, benchmark_confusions, benchmark_gates


def test_a_row_has_the_medians_and_the_ends():
    row = Timing("x", np.array([0.001, 0.003, 0.002]), np.array([1.0, 3.0, 1.5])).row()
    assert (row["ms"], row["ms_min"], row["ms_max"], row["ratio"], row["ratio_max"], row["runs"]) == pytest.approx((2, 1, 3, 1.5, 3, 3))


def test_every_thing_is_timed_in_every_round_beside_the_forward(small_gsm):
    forwards, rounds = [], []
    small_gsm.register_forward_hook(lambda *_: forwards.append(1))
    timings = benchmark_gates(small_gsm, 4, runs=3, progress=lambda done, total: rounds.append((done, total)))
    assert [timing.what for timing in timings] == ["forward", "gates recorded", "routing recorded", "report of all layers"]
    assert len(forwards) == 4 * (3 + WARM_UP) and rounds == [(1, 3), (2, 3), (3, 3)]
    for timing in timings:
        np.testing.assert_allclose(timing.ratio, timing.seconds / timings[0].seconds)
        assert len(timing.seconds) == 3 and (timing.seconds > 0).all()
    with pytest.raises(ValueError, match="at least one run"):
        benchmark_gates(small_gsm, 4, runs=0)


def test_a_comparison_is_timed_from_the_files_on():
    timings = benchmark_confusions(runs=2, clips=600)
    assert [len(timing.seconds) for timing in timings] == [2, 2, 2] and all((timing.seconds > 0).all() for timing in timings)
    assert "ratio" not in timings[0].row()
    with pytest.raises(ValueError, match="at least one run"):
        benchmark_confusions(runs=0)
