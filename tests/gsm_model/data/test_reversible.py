"""The drawn set: deterministic, antialiased, and the same scenes in both directions of time."""

import numpy as np
import pytest

from gsm_model.data.labels import partner, something_something
from gsm_model.data.reversible.actions import LABELS
from gsm_model.data.reversible.dataset import FRAME_COUNTS, draw_clip
from gsm_model.data.reversible.raster import coverage


def test_the_classes_are_something_somethings_and_their_partners_time_reversals():
    for label, name in enumerate(LABELS):
        assert name in something_something()
        assert partner(name) == LABELS[label ^ 1]


@pytest.mark.parametrize("label", range(0, len(LABELS), 2))
def test_a_clip_played_backwards_is_the_clip_of_its_partner_with_the_same_scene(label):
    first, second = draw_clip("test", 7, label), draw_clip("test", 7, label + 1)
    every = range(first.num_frames)
    np.testing.assert_array_equal(first.frames(every, 40, 50)[::-1], second.frames(every, 40, 50))


def test_the_scene_of_a_class_does_not_depend_on_its_direction():
    """So the set of scenes of a class, and with it every still frame, says nothing about the direction."""
    for pair in range(0, len(LABELS), 2):
        lengths = [[draw_clip("train", index, pair + side).num_frames for index in range(60)] for side in (0, 1)]
        assert lengths[0] == lengths[1] and set(lengths[0]) == set(FRAME_COUNTS)


def test_the_same_clip_comes_again_whatever_was_drawn_before():
    alone = draw_clip("train", 3).frames([4, 9], 32, 32)
    clip = draw_clip("train", 3)
    clip.frames([0, 1, 2], 32, 32)
    np.testing.assert_array_equal(clip.frames([9, 4], 32, 32)[::-1], alone)


def test_splits_and_indices_give_different_clips():
    pictures = [draw_clip(split, index, 0).frames([0], 16, 16).tobytes() for split in ("train", "validation", "test") for index in range(5)]
    assert len(set(pictures)) == len(pictures)


def test_something_moves_in_every_class():
    for label in range(len(LABELS)):
        clip = draw_clip("test", 11, label)
        frames = clip.frames([0, clip.num_frames // 2], 48, 48).astype(int)
        assert np.abs(frames[0] - frames[1]).max() > 60


def test_what_is_not_in_the_set_is_refused():
    for call in (lambda: draw_clip("holdout", 0), lambda: draw_clip("test", -1), lambda: draw_clip("test", 0, len(LABELS))):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(IndexError):
        draw_clip("test", 0).frames([1000], 8, 8)


@pytest.mark.parametrize("corners", [[(2, 2), (7.5, 2), (7.5, 6.25), (2, 6.25)], [(2, 6.25), (7.5, 6.25), (7.5, 2), (2, 2)]])
def test_an_antialiased_box_covers_its_area_whichever_way_its_corners_go(corners):
    centres = np.arange(10, dtype=np.float32) + 0.5
    covered = coverage(np.array(corners), 0.0, centres, centres)
    assert covered.sum() == pytest.approx(5.5 * 4.25, rel=0.02)
    assert covered[4, 4] == 1 and covered[0, 0] == 0 and covered[4, 7] == pytest.approx(0.5)


def test_a_line_grown_by_a_radius_is_a_capsule():
    centres = np.arange(40, dtype=np.float32) + 0.5
    covered = coverage(np.array([(10.0, 20.0), (30.0, 20.0)]), 5.0, centres, centres)
    assert covered.sum() == pytest.approx(20 * 10 + np.pi * 25, rel=0.02)
