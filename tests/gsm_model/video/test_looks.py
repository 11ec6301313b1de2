"""How a clip looks: values worked out by hand, and what a decoding process says of a file."""

import math

import numpy as np
import pytest

from gsm_model.data.lists import Entry
from gsm_model.evaluation.loader import Views, wanted_views
from gsm_model.video.looks import ClipLook, brightness_and_motion
from gsm_model.video.views import views_and_notes
from tests.conftest import make_small
from tests.videos import constant_rate


def plain(*colours):
    return np.stack([np.full((40, 64, 3), colour, np.uint8) for colour in colours])


def test_brightness_is_luma_and_motion_its_mean_absolute_change():
    red = 0.299  # Rec. 601
    found = brightness_and_motion(plain((0, 0, 0), (255, 0, 0), (255, 255, 255)))
    assert found == pytest.approx(((0 + red + 1) / 3, (red + (1 - red)) / 2))
    brightness, motion = brightness_and_motion(plain((255, 255, 255)))
    assert brightness == pytest.approx(1) and math.isnan(motion)


def test_a_look_comes_back_from_json_with_what_is_not_known():
    look = ClipLook(3, math.nan, 0.5, math.nan, 2, 5)
    assert look.sent()["seconds"] is None
    back = ClipLook.of(look.sent())
    assert (back.frames, back.first, back.stop) == (3, 2, 5) and math.isnan(back.motion)


def test_of_a_part_of_a_video_the_part_is_told(tmp_path, moving_bar):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    spec = make_small("none").input
    whole, part = (
        views_and_notes(wanted_views(Entry("clip", path, 0, *ends), 4, spec, Views())).look
        for ends in ((), (8, 16))
    )
    assert (whole.frames, whole.first, whole.stop) == (24, 0, 24)
    assert (part.frames, part.first, part.stop) == (8, 8, 16)
    assert part.seconds == pytest.approx(whole.seconds / 3)
    expected = brightness_and_motion(moving_bar[[9, 11, 13, 15]])
    assert (part.brightness, part.motion) == pytest.approx(expected, abs=0.02)
