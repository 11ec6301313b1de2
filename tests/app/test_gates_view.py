"""From reports to the viewer: panels of one clip on one set of layers, compared picture by picture."""

import numpy as np
import pytest

from app.gates_view import Seen, gates_data, layer_titles, lighter, same_pictures
from gsm_model import build_recognizer
from gsm_model.explain.gates import report_gates
from gsm_model.figures.gate_files import seen_frames
from tests.conftest import make_small


def seen_by(model, video, order="forward"):
    report = report_gates(model, video, order)
    return Seen(report, seen_frames(report, video, model.input, 64), "#0072B2")


def test_a_panel_for_each_model_with_the_layers_of_the_first(video):
    gsm, tsn = seen_by(make_small("gsm"), video), seen_by(make_small("none"), video)
    data = gates_data([gsm, tsn], "layer2.0", 2.4)
    assert data["layers"] == layer_titles([gsm]) == [layer.title for layer in gsm.report.layers]
    assert [len(panel["maps"]) for panel in data["panels"]] == [8, 8]
    assert data["panels"][0]["arrows"] and not data["panels"][1]["arrows"]
    assert data["columns"] == [0, 1, 2, 3] and data["start"] == "layer2.0"
    assert list(data["pictures"]) == [data["panels"][0]["pictures"]], "both see the same frames"


def test_on_reversed_frames_the_same_picture_is_compared(video):
    model = make_small("gsm")
    forward, backward, frozen = (seen_by(model, video, order) for order in ("forward", "reversed", "frozen"))
    assert same_pictures(forward.report, backward.report) == [3, 2, 1, 0]
    assert same_pictures(forward.report, frozen.report) == [0, 1, 2, 3]
    assert backward.name.endswith(", reversed") and not forward.name.endswith("forward")


def test_a_network_of_other_layers_shows_the_one_as_deep(video):
    deep = build_recognizer("bn_inception", "gsm", 5, 4, input_size=64).eval()
    small, large = seen_by(make_small("gsm"), video), seen_by(deep, video)
    titles = layer_titles([small])
    assert large.layer(titles[0], titles).title == "inception_3a" and large.layer(titles[-1], titles).title == "inception_5b"
    assert small.layer("layer3.1", titles).title == "layer3.1"
    data = gates_data([small, large], titles[0], 2.4)
    assert len(data["panels"][1]["maps"]) == len(titles)


@pytest.mark.parametrize("color", ["#0072B2", "#000000", "#FFFFFF"])
def test_a_lighter_colour_is_half_way_to_grey(color):
    shade = lighter(color)
    for start in (1, 3, 5):
        assert int(shade[start : start + 2], 16) == (int(color[start : start + 2], 16) + 150) // 2
    assert np.array_equal(shade, shade.upper())
