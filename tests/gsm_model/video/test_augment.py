"""Training crops and mirrors: the release's sizes, places and label swaps."""

import numpy as np
import pytest

from gsm_model.data.labels import mirrored_labels, something_something
from gsm_model.video.augment import crop_offsets, crop_sizes, multi_scale_crop, random_crop


def test_crop_sizes_are_scales_of_the_shorter_side_at_most_one_step_apart():
    """Shorter side 240: sides 240, 210, 180, 158; ten pairs whose scales are the same or
    neighbours.
    """
    sizes = crop_sizes(320, 240)
    assert len(sizes) == 10 and set(sizes) == {
        *((s, s) for s in (240, 210, 180, 158)),
        (240, 210),
        (210, 240),
        (210, 180),
        (180, 210),
        (180, 158),
        (158, 180),
    }


def test_thirteen_places_lie_inside_the_picture_and_reach_its_corners():
    places = crop_offsets(320, 240, 160, 180)
    assert len(set(places)) == 13
    assert {(0, 0), (160, 0), (0, 60), (160, 60), (80, 30)} <= set(places)
    assert all(0 <= left <= 160 and 0 <= top <= 60 for left, top in places)


def test_a_clip_is_cut_alike_in_all_its_frames(moving_bar):
    still = np.repeat(moving_bar[:1], 5, axis=0)
    for crop in (multi_scale_crop, random_crop):
        cut = crop(still, 32, np.random.default_rng(3))
        assert cut.shape == (5, 32, 32, 3) and cut.dtype == np.uint8
        assert (cut == cut[:1]).all()


def test_a_mirror_swaps_left_and_right_by_name_wherever_the_classes_stand():
    names = something_something()
    swaps = mirrored_labels(names)
    moved = {index: int(other) for index, other in enumerate(swaps) if index != other}
    assert moved == {86: 87, 87: 86, 93: 94, 94: 93, 166: 167, 167: 166}
    assert all(
        ("left" in names[index] and "right" in names[index]) or "camera" in names[index]
        for index in moved
    )
    few = (
        "Holding something",
        "Pushing something from right to left",
        "Pushing something from left to right",
    )
    assert mirrored_labels(few).tolist() == [0, 2, 1]
    assert mirrored_labels(few[:2]).tolist() == [0, 1]


def test_frames_smaller_than_the_crop_are_refused():
    with pytest.raises(ValueError):
        random_crop(np.zeros((1, 8, 8, 3), np.uint8), 9, np.random.default_rng(0))
