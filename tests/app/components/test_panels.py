"""What one model saw beside another: the same pictures, one length, one colour."""

import numpy as np
import pytest

from app.components.panels import by_length, captions, lighter, same_pictures
from tests.app.pages.gates.test_view import seen_by
from tests.conftest import make_small


def test_on_reversed_frames_the_same_picture_is_compared(video):
    model = make_small("gsm")
    forward, backward, frozen = (
        seen_by(model, video, order) for order in ("forward", "reversed", "frozen")
    )
    assert same_pictures(forward, backward) == [3, 2, 1, 0]
    assert same_pictures(forward, frozen) == [0, 1, 2, 3]
    assert backward.name.endswith(", reversed") and not forward.name.endswith("forward")


def test_what_has_one_number_of_frames_stands_in_one_picture(video):
    four, six = seen_by(make_small("gsm"), video), seen_by(make_small("none"), video, segments=6)
    assert by_length([four, six, four]) == {4: [four, four], 6: [six]}
    assert (
        captions(six) == tuple(f"frame {index}" for index in six.report.prediction.frame_indices)
        and len(captions(six)) == 6
    )


@pytest.mark.parametrize("color", ["#0072B2", "#000000", "#FFFFFF"])
def test_a_lighter_colour_is_half_way_to_grey(color):
    shade = lighter(color)
    for start in (1, 3, 5):
        assert int(shade[start : start + 2], 16) == (int(color[start : start + 2], 16) + 150) // 2
    assert np.array_equal(shade, shade.upper())
