"""The Confusions page's charts hold the comparisons' numbers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from app.components.chart_style import MODEL_COLORS, RING_COLOR
from app.components.sentences import compared
from app.pages.confusions.charts import calibration, gains, matrix
from app.pages.confusions.slice_charts import slices
from gsm_model.confusion.calibration import reliability
from gsm_model.confusion.matrix import confusion
from gsm_model.confusion.significance import class_groups, compare
from gsm_model.confusion.slices import measure_slices, with_properties
from gsm_model.predictions.join import join_predictions
from tests.predictions import make_predictions


def test_gains_are_sorted_with_their_intervals_and_filled_where_they_are_sure(two_models):
    rows = compare(two_models, class_groups(two_models))
    [trace] = gains(rows, ("#111111", "#222222")).data
    ordered = sorted(rows[1:], key=lambda row: -row.difference)
    assert list(trace.x) == [row.difference for row in ordered]
    np.testing.assert_allclose(
        np.array(trace.error_x.array) + trace.x, [row.high for row in ordered]
    )
    np.testing.assert_allclose(
        trace.x - np.array(trace.error_x.arrayminus), [row.low for row in ordered]
    )
    assert [symbol == "circle" for symbol in trace.marker.symbol] == [
        row.p_holm < 0.05 for row in ordered
    ]
    better = {1: "#222222", 0: RING_COLOR, -1: "#111111"}
    signs = np.sign([row.difference for row in ordered])
    assert list(trace.marker.color) == [better[int(sign)] for sign in signs]


@pytest.mark.parametrize("k", [7, 174])
def test_every_cell_with_clips_can_be_clicked_and_knows_its_classes(k):
    answers = make_predictions(n=600, k=k)
    counts, order = confusion(answers), np.random.default_rng(0).permutation(k)
    heat, marks = matrix(
        confusion(answers, "true"), counts, answers.labels, order, "A", share=True
    ).data
    np.testing.assert_array_equal(heat.z, confusion(answers, "true")[np.ix_(order, order)])
    assert len(marks.x) == (counts > 0).sum()
    for x, y, (true, answer, row, column, clips, _, share, low, high) in list(
        zip(marks.x, marks.y, marks.customdata, strict=True)
    )[:50]:
        assert (order[y], order[x]) == (row, column) and (true, answer) == (
            answers.labels[row],
            answers.labels[column],
        )
        assert counts[row, column] == clips
        interval = binomtest(int(clips), int(counts[row].sum())).proportion_ci(
            0.95, method="wilson"
        )
        assert (share, low, high) == pytest.approx(
            (clips / counts[row].sum(), interval.low, interval.high)
        )


def test_a_difference_is_on_a_scale_that_is_neutral_at_zero():
    a, b = make_predictions("A"), make_predictions("B", seed=3)
    values = confusion(a, "true") - confusion(b, "true")
    heat = matrix(
        values,
        confusion(a) + confusion(b),
        a.labels,
        np.arange(7),
        "A less B",
        share=True,
        signed=True,
    ).data[0]
    assert heat.zmin == -heat.zmax == -np.abs(values).max()


def test_the_sentence_counts_what_only_one_gets_right_and_what_is_left_out(two_models):
    a, b = two_models.a.right, two_models.b.right
    text = compared(two_models, two_models.a)
    assert (
        f"{(b & ~a).sum()} clips only B gets right, {(a & ~b).sum()} only A." in text
        and "On the same 300 clips of my clips" in text
    )
    fewer = join_predictions(two_models.a, two_models.b.take(np.arange(290)))
    assert compared(fewer, fewer.a).endswith("Left out: 10 only A\\.parquet has.")
    alone = replace(make_predictions("A", skill=50.0))
    assert compared(None, alone) == "**A** is right on 100.0 % of 300 clips of my clips."


def test_calibration_has_a_line_a_model_with_its_bins():
    models = [
        reliability(make_predictions("A", n=800)),
        reliability(make_predictions("B", n=800, skill=3.0)),
    ]
    _, *lines = calibration(models, MODEL_COLORS[3:]).data
    assert [line.marker.color for line in lines] == list(MODEL_COLORS[3:][: len(lines)])
    for line, one in zip(lines, models, strict=True):
        np.testing.assert_allclose(line.x, one.confidence)
        assert (
            list(line.y) == [share.value for share in one.accuracy] and sum(line.customdata) == 800
        )


def test_calibration_shows_every_model_however_many_they_are():
    models = [reliability(make_predictions(f"model {n}", n=200, seed=n)) for n in range(8)]
    _, *lines = calibration(models, MODEL_COLORS[3:]).data
    assert [line.marker.color for line in lines] == list(MODEL_COLORS[3:][: len(lines)])
    assert [line.name for line in lines] == [model.model for model in models]
    assert len({line.marker.color for line in lines}) == 8


def test_slices_stand_under_their_property_and_are_filled_where_they_are_sure(two_models):
    properties = {"motion": np.linspace(0, 1, 300)}
    models = with_properties([two_models.a, two_models.b], properties)
    results = measure_slices(models, two_models)
    a, b = slices(results, ("A", "B"), ("#111111", "#222222")).data
    assert list(a.x) == [one.accuracy[0].value for one in results]
    assert list(b.x) == [one.accuracy[1].value for one in results]
    np.testing.assert_allclose(
        a.x + np.array(a.error_x.array), [one.accuracy[0].high for one in results]
    )
    assert [not symbol.endswith("-open") for symbol in a.marker.symbol] == [
        one.comparison.p_holm < 0.05 for one in results
    ]
    axis = slices(results, ("A", "B"), ("#111111", "#222222")).layout.yaxis
    assert axis.ticktext[0] == "<b>motion</b>" and len(axis.ticktext) == len(results) + 2
    assert list(axis.tickvals[1:5]) == pytest.approx(list((np.array(a.y) + np.array(b.y))[:4] / 2))
