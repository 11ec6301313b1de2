"""Other orders of time: each answer is the model's own on the frames so arranged; a TSN notices
none of them.
"""

import numpy as np
import pytest
import torch

from gsm_model.explain.order.report import report_order
from gsm_model.explain.order.tables import clip_table
from gsm_model.io.tables import csv_text
from gsm_model.predict import predict, softmax
from gsm_model.video.transforms import to_views
from tests.conftest import make_small


@pytest.mark.parametrize("temporal", ["gsm", "tsm", "none"])
def test_named_orders_are_the_predictions_of_those_orders(video, temporal):
    model = make_small(temporal)
    report = report_order(model, video, shuffles=3, seed=5)
    for order in ("forward", "reversed", "frozen"):
        np.testing.assert_allclose(
            getattr(report, order), predict(model, video, order).probabilities, atol=1e-5
        )
    for number in range(3):
        np.testing.assert_allclose(
            report.shuffled[number],
            predict(model, video, "shuffled", seed=5 + number).probabilities,
            atol=1e-5,
        )


def test_swaps_and_omissions_are_what_their_names_say(video):
    model = make_small("gsm")
    report = report_order(model, video, num_segments=6, shuffles=1)
    view = to_views(video.clip(6)[1], model.input)

    def answer(positions):
        with torch.inference_mode():
            return softmax(model(view[:, positions])[0].numpy())

    np.testing.assert_allclose(report.swapped[1, 4], answer([0, 4, 2, 3, 1, 5]), atol=1e-5)
    np.testing.assert_array_equal(report.swapped, report.swapped.swapaxes(0, 1))
    for i in range(6):
        np.testing.assert_array_equal(report.swapped[i, i], report.forward)
    np.testing.assert_allclose(report.left_out[2], answer([0, 1, 3, 4, 5]), atol=1e-5)


def test_a_tsn_has_no_order_sensitivity_and_a_model_with_time_has(video):
    assert report_order(make_small("none"), video).sensitivity < 1e-5
    for temporal in ("gsm", "tsm"):
        assert 1e-3 < report_order(make_small(temporal), video).sensitivity <= 1


def test_a_table_has_a_row_for_every_order_and_is_plain_csv(video):
    report = report_order(make_small("gsm"), video, shuffles=5)
    rows = clip_table("=clip", report)
    assert len(rows) == 3 + 5 + 4 + 6 and len({row["order"] for row in rows}) == len(rows)
    assert rows[0]["probability"] == report.forward.max() and rows[0]["reversal"] == ""
    assert csv_text(rows).splitlines()[1].startswith("'=clip,")
