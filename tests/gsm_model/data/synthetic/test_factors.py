"""Clips whose factors are known: every combination once in a set, each seen in the pictures, and
the two directions the same pictures in opposite order.
"""

import numpy as np
import pytest

from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.factors import (
    ALL_LEVELS,
    DIRECTIONS,
    LEVELS,
    SCENES,
    factor_clip,
)

SIZE = (30, 40)


def test_a_set_has_every_combination_once_and_the_next_one_other_scenes():
    first = [factor_clip(index) for index in range(ALL_LEVELS)]
    assert len({one.levels for one in first}) == ALL_LEVELS
    assert np.prod([len(levels) for levels in LEVELS.values()]) == ALL_LEVELS
    again = factor_clip(ALL_LEVELS + 3)
    assert again.levels == first[3].levels and again.scene == first[3].scene + SCENES
    assert [LABELS[one.clip.label] for one in first[:2]] == [
        f"Pushing something from {way}" for way in DIRECTIONS
    ]


def test_the_two_directions_of_a_scene_are_each_others_reversal():
    forward, backward = factor_clip(0).clip, factor_clip(1).clip
    n = forward.num_frames
    frames = [0, n // 3, n - 1]
    np.testing.assert_array_equal(
        forward.frames(frames, *SIZE), backward.frames([n - 1 - at for at in frames], *SIZE)
    )


def middle_of(one, share):
    """Where the thing is, in shares of the height and of the width, and its mean colour."""
    at = [int(share * one.clip.num_frames)]
    [mask], [frame] = one.clip.masks(at, 60, 80) == 2, one.clip.frames(at, 60, 80)
    rows, columns = np.nonzero(mask)
    return rows.mean() / 60, columns.mean() / 80, frame[mask].mean(0)


def test_position_colour_and_direction_are_what_is_seen():
    by_level = {one.levels: one for one in (factor_clip(index) for index in range(18))}
    heights = [middle_of(by_level[0, 1, place, 0], 0.5)[0] for place in range(3)]
    assert heights == sorted(heights) and heights[2] - heights[0] > 0.15
    for colour in range(3):
        seen = middle_of(by_level[0, colour, 1, 0], 0.5)[2]
        assert seen.argmax() == colour
    right, left = (
        [middle_of(by_level[0, 0, 0, way], share)[1] for share in (0.1, 0.9)] for way in range(2)
    )
    assert right[0] < right[1] and left[0] > left[1]


def test_there_is_no_clip_before_the_first():
    with pytest.raises(ValueError, match="no clip -1"):
        factor_clip(-1)
