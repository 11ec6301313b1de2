"""The figures hold the predictions' numbers."""

import numpy as np
import pytest

from app.components import chart_style
from app.components.chart_style import (
    MODEL_COLORS,
    frame_scores,
    leading_classes,
    probabilities,
    short,
)
from gsm_model.models.card import Card
from gsm_model.predict import Prediction


def prediction(title, labels, seed, order="forward"):
    logits = np.random.default_rng(seed).normal(size=(4, len(labels))).astype(np.float32)
    return Prediction(Card(title, "trained", labels), order, np.array([3, 9, 15, 21]), logits, 0.0)


@pytest.fixture
def two():
    return [prediction("A", ("a", "b", "c", "d"), 0), prediction("B", ("d", "c", "x"), 1)]


def test_bars_are_the_probabilities_of_each_model_and_empty_where_it_has_no_such_class(two):
    figure = probabilities(two, None, MODEL_COLORS, 4)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    for bar, model in zip(bars, two, strict=True):
        for label, value in zip(bar.y, bar.x, strict=True):
            if label in model.card.labels:
                assert value == pytest.approx(model.probabilities[model.card.labels.index(label)])
            else:
                assert value is None
    assert set(bars[0].y) == {"a", "b", "c", "d", "x"}


def test_rings_mark_the_forward_probabilities(two):
    now = [prediction("A", ("a", "b", "c", "d"), 5, "reversed")]
    figure = probabilities(now, two[:1], MODEL_COLORS, 4)
    ring = next(
        trace for trace in figure.data if trace.type == "scatter" and trace.mode == "markers"
    )
    expected = two[0].probabilities
    assert dict(zip(ring.y, ring.x, strict=True)) == {
        label: pytest.approx(expected[i]) for i, label in enumerate("abcd")
    }


def test_lines_are_the_frame_logits_over_the_frames_as_seen(two):
    figure = frame_scores(two, 2)
    line = next(trace for trace in figure.data if trace.mode == "lines+markers")
    index = two[0].card.labels.index(line.name)
    np.testing.assert_allclose(line.y, two[0].frame_logits[:, index])
    assert list(figure.layout.xaxis.ticktext) == ["3", "9", "15", "21"]
    triangle = next(trace for trace in figure.data if trace.mode == "markers")
    assert triangle.y[0] == pytest.approx(two[0].logits[index])


def test_leading_classes_are_those_any_model_ranks_high(two):
    assert set(leading_classes(two, 1)) == {two[0].top(1)[0][1], two[1].top(1)[0][1]}


def test_labels_are_shortened_in_the_middle_and_hold_no_markup():
    assert short("x" * 60).count("x") == 33 and "…" in short("x" * 60)
    assert short("<b>&") == "&lt;b&gt;&amp;"


def test_titles_of_many_panels_are_broken_into_lines_and_hold_no_markup_of_their_own():
    assert chart_style.panel_titles(["GSM ResNet-18", "TSN"]) == ["GSM ResNet-18", "TSN"]
    assert chart_style.panel_titles(["GSM ResNet-18", "a<b", "TSN"]) == [
        "GSM<br>ResNet-18",
        "a&lt;b",
        "TSN",
    ]
