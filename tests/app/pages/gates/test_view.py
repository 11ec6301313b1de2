"""From reports to the viewer: panels of one clip on one set of layers, compared picture by
picture.
"""

import base64

import numpy as np

from app.components.panels import PanelView, layer_titles
from app.pages.gates.view import gates_data, reading_data, reading_groups
from gsm_model import build_recognizer
from gsm_model.explain.gates.report import report_gates
from gsm_model.exports.gates import seen_frames
from tests.conftest import make_small


def seen_by(model, video, order="forward", segments=None):
    report = report_gates(model, video, order, segments)
    return PanelView(report, seen_frames(report, video, model.input, 64), "#0072B2")


def test_a_panel_for_each_model_with_the_layers_of_the_first(video):
    gsm, tsn = seen_by(make_small("gsm"), video), seen_by(make_small("none"), video)
    data = gates_data([gsm, tsn], "layer2.0", 2.4)
    assert data["layers"] == layer_titles([gsm]) == [layer.title for layer in gsm.report.layers]
    assert [len(panel["maps"]) for panel in data["panels"]] == [8, 8]
    assert data["panels"][0]["arrows"] and not data["panels"][1]["arrows"]
    assert data["columns"] == [0, 1, 2, 3] and data["start"] == "layer2.0"
    assert list(data["pictures"]) == [data["panels"][0]["pictures"]], "both see the same frames"


def test_a_network_of_other_layers_shows_the_one_as_deep(video):
    deep = build_recognizer("bn_inception", "gsm", 5, 4, input_size=64).eval()
    small, large = seen_by(make_small("gsm"), video), seen_by(deep, video)
    titles = layer_titles([small])
    assert (
        large.layer(titles[0], titles).title == "inception_3a"
        and large.layer(titles[-1], titles).title == "inception_5b"
    )
    assert small.layer("layer3.1", titles).title == "layer3.1"
    data = gates_data([small, large], titles[0], 2.4)
    assert len(data["panels"][1]["maps"]) == len(titles)


def test_maps_that_modules_compute_are_shown_on_each_layers_own_scale(video):
    model = make_small("motion_feature")
    ways = seen_by(model, video), seen_by(model, video, "reversed")
    [group] = reading_groups(ways)
    data = reading_data(group, "layer3.1", 2.4)
    assert data["layers"] == ("layer1.1", "layer2.1", "layer3.1", "layer4.1")
    assert data["ways"][0] == "stays" and len(data["ways"]) == 5
    assert (data["start"], data["scale"]["low"], data["scale"]["high"]) == ("layer3.1", 0, 1)
    largest = [max(np.abs(panel.values[layer]).max() for _, panel in group) for layer in range(4)]
    shown = np.frombuffer(base64.b64decode(data["panels"][0]["maps"][1]["values"]), "<i2") / 32767
    expected = group[0][1].values[1].ravel() / largest[1]
    np.testing.assert_allclose(shown, expected, atol=1e-4)


def test_signed_maps_have_zero_in_the_middle_and_models_without_maps_no_viewer(video):
    groups = reading_groups([seen_by(make_small("off"), video), seen_by(make_small("gsm"), video)])
    scales = {group[0][1].name: reading_data(group, "", 2.4)["scale"]["low"] for group in groups}
    assert scales == {"gradients": 0, "normal_flow": -1}
