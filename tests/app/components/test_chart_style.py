"""The figures hold the predictions' numbers."""

from dataclasses import replace

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


def test_the_names_of_models_take_no_width_from_the_bars(two):
    """A legend that is placed in the whole figure one way and beside the plot the other way has its
    width kept free beside the bars.
    """
    legend = probabilities(two, None, ["red", "blue"], 4).layout.legend
    assert legend.xref == legend.yref == "container"


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


def test_titles_of_panels_stand_below_the_charts_buttons_and_take_no_room_from_the_plot(two):
    tall = [replace(one, card=replace(one.card, alias=f"TSN ({i})")) for i, one in enumerate(two)]
    layouts = [frame_scores(of, 2).layout for of in (two, tall)]
    lines = [1, 2]
    assert [one.annotations[0].text.count("<br>") + 1 for one in layouts] == lines
    assert [one.margin.t for one in layouts] == [32 + 20 * count for count in lines]
    assert layouts[1].height - layouts[0].height == 20


def test_the_legend_stands_at_the_figures_end_however_much_room_the_axis_takes(two):
    legend = frame_scores(two, 2).layout.legend
    assert (legend.yref, legend.y, legend.yanchor) == ("container", 0, "bottom")


def test_lines_are_the_frame_logits_over_the_frames_as_seen(two):
    figure = frame_scores(two, 2)
    line = next(trace for trace in figure.data if trace.mode == "lines+markers")
    index = two[0].card.labels.index(line.name)
    np.testing.assert_allclose(line.y, two[0].frame_logits[:, index])
    assert list(figure.layout.xaxis.ticktext) == ["3", "9", "15", "21"]
    frames = [3, 10, 17, 24, 31, 38, 45, 52]
    assert [chart_style.frame_ticks(frames, panels)["ticktext"] for panels in (1, 2, 3)] == [
        ["3", "10", "17", "24", "31", "38", "45", "52"],
        ["3", "10", "17", "24", "31", "38", "45", "52"],
        ["3", "17", "31", "45"],
    ]
    triangle = next(trace for trace in figure.data if trace.mode == "markers")
    assert triangle.y[0] == pytest.approx(two[0].logits[index])


def test_leading_classes_are_those_any_model_ranks_high(two):
    assert set(leading_classes(two, 1)) == {two[0].top(1)[0][1], two[1].top(1)[0][1]}


def test_labels_are_shortened_in_the_middle_and_hold_no_markup():
    assert short("x" * 60).count("x") == 33 and "…" in short("x" * 60)
    assert short("<b>&") == "&lt;b&gt;&amp;"


def test_titles_of_many_panels_are_broken_into_lines_and_hold_no_markup_of_their_own():
    long = [f"{kind} ResNet-50 (mmaction2-{kind.lower()}-r50-sthv2-8f)" for kind in ("TSN", "TSM")]
    assert chart_style.panel_titles(long) == ["TSN ResNet-50", "TSM ResNet-50"]
    alike = [f"TSM ResNet-50 (a-rather-long-name-of-a-file-{n})" for n in (1, 2)]
    assert len(set(chart_style.panel_titles(alike))) == 2
    assert chart_style.panel_titles(["GSM ResNet-18 (untrained)", "TSN"]) == [
        "GSM ResNet-18<br>(untrained)",
        "TSN",
    ]
    assert chart_style.panel_titles(["GSM ResNet-18", "TSN"]) == ["GSM ResNet-18", "TSN"]
    assert chart_style.panel_titles(["GSM ResNet-18, motions", "TSN"])[0] == (
        "GSM ResNet-18,<br>motions"
    )
    assert chart_style.panel_titles(["GSM ResNet-18", "a<b", "TSN"]) == [
        "GSM<br>ResNet-18",
        "a&lt;b",
        "TSN",
    ]


# What the two kinds of red-green blindness make of linear RGB (Machado, Oliveira and Fernandes,
# IEEE TVCG 15(6), 2009).
PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]


@pytest.mark.parametrize("seen", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_a_dozen_models_have_colours_that_differ_to_the_colour_blind_too(seen):
    colors = [chart_style.model_color(number) for number in range(12)]
    rgb = np.array([[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(
        np.clip(linear @ np.transpose(seen), 0, 1) @ np.transpose(to_xyz) / [0.9505, 1, 1.089]
    ).T
    lab = np.stack([116 * y, 500 * (x - y), 200 * (y - z)], 1)
    apart = np.linalg.norm(lab[:, None] - lab, axis=2)[np.triu_indices(12, 1)]
    assert apart.min() > 15, "2.3 is just noticeable"


def test_a_thirteenth_model_has_a_colour_too():
    assert chart_style.model_color(12) == chart_style.model_color(0)
