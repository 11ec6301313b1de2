"""The Order page's figures hold the reports' numbers."""

import numpy as np
import pytest

from app.pages.order import charts
from gsm_model.explain.order.flow import Flow
from gsm_model.explain.order.report import OrderReport
from gsm_model.models.card import Card

LABELS = ("Folding something", "Unfolding something", "Holding something")
FRAMES = np.array([2, 7, 7])


@pytest.fixture
def report():
    rng = np.random.default_rng(0)

    def p(*shape):
        return rng.dirichlet(np.ones(3), shape)

    forward = np.array([0.7, 0.2, 0.1])
    return OrderReport(
        Card("GSM", "trained", LABELS), FRAMES, forward, p(1)[0], p(1)[0], p(4), p(3), p(3, 3)
    )


@pytest.fixture
def found():
    matrix = np.array([[4, 1, 0], [0, 2, 1], [0, 0, 8]], np.float32)
    return Flow(
        Card("GSM", "trained", LABELS),
        0,
        FRAMES,
        matrix / 2,
        matrix,
        ("layer1.0.conv2", "layer4.1.conv2"),
        np.stack([matrix, matrix]),
    )


def test_the_answer_and_its_reversal_stand_in_every_order(report):
    figure = charts.orders([report], ["#000"])
    shown = [trace.y for trace in figure.data if trace.y[0] is not None]
    for index, (fixed, shuffled) in enumerate((shown[:2], shown[2:])):
        assert fixed == pytest.approx(
            [report.forward[index], report.reversed[index], report.frozen[index]]
        )
        assert shuffled == pytest.approx(report.shuffled[:, index])


def test_a_swap_is_a_cell_and_an_omission_is_on_the_diagonal(report):
    [trace] = charts.swaps(report).data
    assert trace.z[0][2] == report.swapped[0, 2, 0] and trace.z[1][1] == report.left_out[1, 0]
    assert list(trace.x) == ["1: 2", "2: 7", "3: 7"], "places tell repeated frames apart"


def test_the_flow_is_in_shares_of_its_largest_cell(found):
    for kind in ("replacement", "gradient"):
        [trace] = charts.flow(found, kind).data
        np.testing.assert_allclose(trace.z, found.replacement / 8)


def test_the_reach_is_the_mean_at_each_distance(found):
    [trace] = charts.reach(found, 5.0).data
    np.testing.assert_allclose(trace.z[0], [14 / 3, 2 / 4, 0])
    assert list(trace.y) == list(found.layers) and trace.zmax == 5.0
