"""From reports to the viewer: panels of one clip on one set of layers, compared picture by
picture.
"""

from app.components.panels import Seen, layer_titles
from app.pages.gates.view import gates_data
from gsm_model import build_recognizer
from gsm_model.explain.gates.report import report_gates
from gsm_model.exports.gates import seen_frames
from tests.conftest import make_small


def seen_by(model, video, order="forward", segments=None):
    report = report_gates(model, video, order, segments)
    return Seen(report, seen_frames(report, video, model.input, 64), "#0072B2")


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
