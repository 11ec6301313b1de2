"""The load run, short: sessions that check every answer against a real server."""

import numpy as np
import pytest

from tests.load import CLICK, QUESTIONS, WORKING, memory_slope, report, run, views


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sessions", "seconds", "clips"),
    [(2, 5, 2), pytest.param(8, 25, 10, marks=pytest.mark.thorough)],
)
def test_sessions_meet_no_wrong_answer_and_no_error(sessions, seconds, clips):
    met = run(sessions, seconds, think=1.0, clips=clips)
    assert met.faults == [] and met.checked >= sessions
    assert len(met.seconds[WORKING]) == met.checked
    assert met.kept[-1] > 1 and "Its caches kept" in report(met, sessions, seconds)


@pytest.mark.slow
@pytest.mark.thorough
def test_sessions_that_only_click_ask_once_each():
    met = run(sessions=3, seconds=10, think=0.5, clicks_only=True)
    assert met.faults == [] and len(met.seconds[WORKING]) == 3
    assert met.checked == 3 + len(met.seconds[CLICK]) > 10


def test_a_slope_of_memory_is_found_with_its_interval():
    rng = np.random.default_rng(0)
    rising = [(float(second), 500 + 2 * second / 60 + rng.normal(0, 1)) for second in range(600)]
    slope, low, high = memory_slope(rising)
    assert low < 2 < high and abs(slope - 2) < 0.5
    flat = [(float(second), 500 + rng.normal(0, 1)) for second in range(600)]
    _, low, high = memory_slope(flat)
    assert low < 0 < high


@pytest.mark.slow
@pytest.mark.thorough
def test_a_page_that_is_shown_again_runs_no_model():
    found = views(runs=2)
    assert (
        list(found) == ["compare", *QUESTIONS]
        and [forwards for _, forwards in found.values()] == [0] * 6
    )
