"""The charts of frame values hold the numbers and add up."""

from dataclasses import replace

import numpy as np
import pytest

from app.components.sentences import frame_worth
from app.pages.order import shapley_charts
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.shapley.frames import DeletionTest, FrameShapley
from gsm_model.explain.shapley.values import exact_values
from gsm_model.models.card import Card


@pytest.fixture
def found():
    game = exact_values(np.random.default_rng(0).normal(size=8))
    tests = tuple(DeletionTest(name, "left out", 0.5, area) for name, area in (("a", 1), ("b", 2)))
    return FrameShapley(
        Card("GSM", "trained", ("x", "y")),
        Target(0, 1),
        "forward",
        "left out",
        np.array([2, 7, 7]),
        game,
        None,
        np.array([0.1, 0.2, 0.3], np.float32),
        tests,
        9.0,
    )


def test_the_steps_go_from_no_frame_to_the_clip(found):
    bars, diamonds = shapley_charts.steps(found).data
    assert sum(bars.y[:-1]) == pytest.approx(bars.y[-1]) == pytest.approx(found.game.full)
    assert bars.x == ("no frame", "1: 2", "2: 7", "3: 7", "the clip")
    assert diamonds.y[0] - found.game.empty == pytest.approx(0.1)


def test_a_matrix_is_of_one_scale_and_of_one_where_all_is_zero(found):
    chart = shapley_charts.matrix(found, found.game.interactions, ("a", "b"), "%{z}")
    assert chart.data[0].zmax == -chart.data[0].zmin == np.abs(found.game.interactions).max()
    assert shapley_charts.matrix(found, np.zeros((3, 3)), ("a", "b"), "%{z}").data[0].zmax == 1


def test_rounding_is_a_blank_matrix_and_no_frame_that_adds_most(found):
    noise = 4e-8 * np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])
    chart = shapley_charts.matrix(found, noise, ("a", "b"), "%{z}")
    assert not chart.data[0].z.any() and chart.data[0].zmax == 1
    tsn = replace(found, game=replace(found.game, values=noise[0], empty=-3e-5, full=-3e-5))
    assert "from 0.00 to 0.00 logits. b agrees" in frame_worth(tsn)


def test_the_sentence_says_what_adds_up_and_what_agrees_better(found):
    text = frame_worth(found)
    assert "3 frames take *x rather than y* from" in text and "b agrees better" in text
