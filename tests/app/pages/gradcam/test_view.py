"""What the viewer of the Grad-CAM page is sent, the charts, and the sentences."""

import base64
from dataclasses import replace

import numpy as np
import pytest

from app.components.panels import PanelView
from app.components.sentences import believable, compared_with_package, looks, measured_maps
from app.pages.gradcam.charts import curves, evidence
from app.pages.gradcam.view import cams_data
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.faithfulness import Curves, Trial
from gsm_model.explain.cam.package import Comparison
from gsm_model.explain.cam.report import report_cams
from gsm_model.explain.cam.sanity import Sanity
from gsm_model.explain.cam.scale import scaled
from gsm_model.explain.cam.trials import MapTrial
from gsm_model.exports.gates import seen_frames
from gsm_model.figures.map_scale import cam_scale

LAYERS = ["layer3.1", "layer4.1:before", "layer4.1"]


@pytest.fixture
def seen(drawn_model, video):
    reports = [
        report_cams(drawn_model, video, Target(1), "gradcam", LAYERS, order)
        for order in ("forward", "reversed")
    ]
    return [
        PanelView(report, seen_frames(report, video, drawn_model.input, 32), "#0072B2")
        for report in reports
    ]


@pytest.mark.parametrize("signed", [False, True])
def test_maps_are_sent_on_the_scale_that_is_asked_for(seen, signed):
    data = cams_data(seen, "models", signed, "layer4.1", 2.0)
    for number, layer in enumerate(LAYERS):
        expected = scaled([one.report.layer(layer).maps for one in seen], "models", signed)
        for panel, one in zip(data["panels"], expected, strict=True):
            sent = panel["maps"][number]
            values = (
                np.frombuffer(base64.b64decode(sent["values"]), "<i2").reshape(one.maps.shape)
                / 32767
            )
            np.testing.assert_allclose(values, one.maps, atol=1e-4)
    assert (
        data["scale"]["low"] == (-1 if signed else 0)
        and data["scale"]["fade"]
        and len(data["scale"]["palettes"]) == (1 if signed else 3)
    )
    assert data["columns"] == [3, 2, 1, 0], "a difference compares the same pictures"


def test_there_are_no_arrows_and_each_frames_evidence_stands_below_it(seen):
    panel = cams_data(seen, "clip", False, "layer4.1", 2.0)["panels"][0]
    assert panel["arrows"] is None and seen[1].name == "Small, reversed"
    values = seen[0].report.layer("layer4.1").evidence
    assert panel["below"][2] == tuple(
        f"evidence {value:+.2f}".replace("-", "−") for value in values
    )
    sums = np.array(panel["overview"][2][0])
    assert sums.max() == pytest.approx(1) or not sums.any()


def test_palettes_rise_in_lightness():
    for name, stops in cam_scale(False).palettes:
        luminance = [
            sum(
                weight * int(stop[at : at + 2], 16)
                for weight, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
            )
            for stop in stops
        ]
        assert luminance == sorted(luminance), name


def test_the_chart_of_evidence_has_bars_and_own_scores_that_sum_to_the_target(seen):
    report = seen[0].report
    bars, marks = evidence([report], ["layer4.1"], ["#0072B2"]).data
    np.testing.assert_allclose(bars.y, report.layer("layer4.1").evidence)
    assert sum(marks.y) == pytest.approx(float(report.prediction.logits[1]), rel=1e-4)


def test_the_sentence_names_the_frame_with_the_largest_evidence(seen):
    values = np.array([0.5, 3.0, -0.5, 0.0], np.float32)
    report = replace(
        seen[0].report,
        layers=tuple(replace(layer, evidence=values) for layer in seen[0].report.layers),
    )
    text = looks([report], ["layer4.1"])
    assert text.startswith("Evidence for *Unfolding something* is largest in frame ")
    assert (
        f"in frame {report.prediction.frame_indices[1]} of **Small** (75 % of all, where an even"
        " spread would be 25 %)" in text
    )
    against = replace(
        report,
        layers=tuple(replace(layer, evidence=-np.abs(values) - 1) for layer in report.layers),
    )
    assert "in no frame of **Small**" in looks([against], ["layer4.1"])


def trial(ours, centre=0.1, low=0.1, high=0.9):
    shares = np.linspace(0, 1, 3)

    def of(area):
        deletion = np.array([high, 0.5, low])
        return Curves("x", shares, deletion, deletion + area, 0.1)

    return Trial(of(ours), of(centre), of(0.0), (of(0.0), of(0.05)))


def test_a_map_that_does_not_beat_blind_maps_is_called_so():
    sanity = Sanity((("classifier", 0.9), ("conv1", 0.1)), 0.95)
    good = believable("GSM", MapTrial("layer4.1", trial(0.4), sanity, "Folding something", 0.8))
    assert (
        "matters more to the prediction than any model-independent baseline" in good
        and "area +0.40" in good
    )
    assert "It changes with the weights (ρ +0.10 with all of them random)" in good
    assert (
        "the map for *Folding something* is nearly the same (ρ +0.95)" in good
        and "it stays the same" in good
    )
    bad = believable("TSN", MapTrial("layer4.1", trial(0.05), None, "", None))
    assert "**not better than a blob in the centre and random maps**" in bad and "too slow" in bad
    flat = believable("TSN", MapTrial("layer4.1", trial(0.02, 0.01, 0.49, 0.51), None, "", None))
    assert "**inconclusive**: no deletion changes the probability by more than 7 points" in flat


def test_the_curves_show_the_map_beside_the_mean_of_random_ones():
    figure = curves(trial(0.4), "#0072B2")
    names = [trace.name for trace in figure.data if trace.showlegend]
    assert names == ["this map", "centre", "change between frames", "random maps"]
    random = [trace for trace in figure.data if trace.name == "random maps"][1]
    np.testing.assert_allclose(random.y, np.array([0.9, 0.5, 0.1]) + 0.025)


def test_what_was_measured_on_drawn_clips_is_told_with_its_interval_and_its_rivals():
    row = {
        "hit": "0.492",
        "hit_low": "0.448",
        "hit_high": "0.536",
        "area": "0.137",
        "centre_hit": "0.3",
        "change_hit": "0.6",
        "n": "500",
    }
    text = measured_maps(
        "GSM", {**row, "data": "Reversible Actions, test split", "other_class": "-0.48"}
    )
    assert (
        "on 500 clips of Reversible Actions, test split" in text
        and "in 49 % (95 % interval 45 % to 54 %)" in text
    )
    assert (
        "the centre does in 30 %, the largest change between frames in 60 %, a place at random in"
        " 14 %" in text
    )
    assert text.endswith("The map for the time reversal correlates by −0.48 on average.")
    assert "correlates" not in measured_maps("GSM", {**row, "data": "x", "other_class": ""})


@pytest.mark.parametrize(
    ("package", "sentence"),
    [
        (None, ""),
        ("torchvision does not fit", "Not compared with the package grad-cam: torchvision does"),
        (Comparison("1.5.7", 3e-8), "The package grad-cam 1.5.7 makes the same map"),
        (Comparison("1.5.7", 0.2), "The package grad-cam 1.5.7 makes **another map**"),
    ],
)
def test_the_comparison_with_the_package_is_said_or_why_there_is_none(package, sentence):
    found = MapTrial("layer4.1", trial(0.4), None, "", None, package)
    said = compared_with_package(found)
    assert said.startswith(sentence) and bool(said) == bool(sentence)
