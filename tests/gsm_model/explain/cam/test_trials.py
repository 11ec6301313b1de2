"""All tests of one report's map, on a clip of one's own."""

from dataclasses import replace

import pytest

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.report import report_cams
from gsm_model.explain.cam.trials import SHIFTS, trial_of_report, trial_rows
from gsm_model.video.isolate import read_video


@pytest.fixture
def shifted_video(frames_folder):
    return read_video(frames_folder, [4], shifts=(0, *SHIFTS))


def test_a_map_is_tried_against_blind_ones_random_weights_another_class_and_another_moment(
    drawn_model, shifted_video
):
    report = report_cams(drawn_model, shifted_video, Target(1), "gradcam", ["layer3.1"])
    told = []
    found = trial_of_report(
        drawn_model, report, shifted_video, progress=lambda *done: told.append(done)
    )
    assert (
        found.other == "Folding something"
        and -1 <= found.sanity.other_class <= 1
        and -1 <= found.jitter <= 1
    )
    assert told[-1] == (8, 8)
    rows = trial_rows("clip.mp4", report, found)
    assert [row["map"] for row in rows[:4]] == [
        "this map",
        "random maps",
        "centre",
        "change between frames",
    ]
    assert {row["test"] for row in rows} == {"against baselines", "rank correlation"}
    assert (
        rows[-1]["map"] == "sampled one frame earlier and later"
        and rows[-2]["map"] == "map for Folding something"
    )


def test_the_order_of_the_frames_is_that_of_the_report(drawn_model, shifted_video):
    forward, backward = (
        report_cams(drawn_model, shifted_video, Target(1), "gradcam", ["layer3.1"], order)
        for order in ("forward", "reversed")
    )
    one, other = (
        trial_of_report(drawn_model, report, shifted_video) for report in (forward, backward)
    )
    assert one.trial.ours.deletion[0] != other.trial.ours.deletion[0]
    assert one.trial.ours.deletion[0] == pytest.approx(
        forward.prediction.probabilities[1], abs=1e-4
    )
    assert other.trial.ours.deletion[0] == pytest.approx(
        backward.prediction.probabilities[1], abs=1e-4
    )


def test_a_contrast_has_no_class_check_and_a_clip_without_the_frames_beside_no_jitter(
    drawn_model, video
):
    report = report_cams(drawn_model, video, Target(1, 0), "gradcam", ["layer3.1"])
    found = trial_of_report(drawn_model, report, video)
    assert (found.other, found.sanity.other_class, found.jitter) == ("", None, None)


def test_a_slow_method_is_tried_against_blind_maps_only(drawn_model, shifted_video):
    report = report_cams(drawn_model, shifted_video, Target(1), "ablationcam", ["layer4.1"])
    found = trial_of_report(drawn_model, report, shifted_video)
    assert found.sanity is None and found.jitter is None and found.trial.ours.road is not None


def test_frames_of_another_clip_are_refused(drawn_model, video):
    report = report_cams(drawn_model, video, Target(1), num_segments=6)
    other = replace(
        report,
        prediction=replace(report.prediction, frame_indices=report.prediction.frame_indices + 1000),
    )
    with pytest.raises(KeyError, match="was not read with these frames"):
        trial_of_report(drawn_model, other, video)
