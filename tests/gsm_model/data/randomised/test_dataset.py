"""The randomised clips: the same clip every time, the reversed class backwards, and motion that
goes where the class says.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from gsm_model.data.labels import reversed_class, something_something
from gsm_model.data.randomised.actions import LABELS, MOTIONS
from gsm_model.data.randomised.dataset import motion_clip, randomised_clip
from gsm_model.data.synthetic import actions as drawn
from gsm_model.data.synthetic.dataset import FRAME_COUNTS
from gsm_model.data.synthetic.scene import MASK_ROLES

FIRST = range(0, len(LABELS), 2)
ACTOR = MASK_ROLES.index("actor")
THUMBNAILS = Path(__file__).parents[3] / "data" / "randomised_thumbnails.json"


def test_the_classes_are_the_drawn_sets_and_turns_of_the_camera():
    assert LABELS[: len(drawn.LABELS)] == drawn.LABELS
    assert all("Turning the camera" in label for label in LABELS[len(drawn.LABELS) :])
    for label, name in enumerate(LABELS):
        assert name in something_something() and reversed_class(name) == LABELS[label ^ 1]


@pytest.mark.parametrize("label", FIRST)
def test_a_clip_played_backwards_is_the_clip_of_its_reversed_class(label):
    """In every byte: the noise, the compression and the open shutter are played backwards too."""
    first, second = (randomised_clip("test", 5, one) for one in (label, label + 1))
    assert first.num_frames == second.num_frames
    ends = np.array([0, first.num_frames // 2, first.num_frames - 1])
    backward = second.frames(first.num_frames - 1 - ends, 24, 30)
    np.testing.assert_array_equal(first.frames(ends, 24, 30), backward)
    np.testing.assert_array_equal(
        first.masks(ends, 24, 30), second.masks(first.num_frames - 1 - ends, 24, 30)
    )


def test_the_motions_are_five_pairs_and_their_clips_those_of_the_randomised_set():
    assert len(MOTIONS) == 10 and set(MOTIONS) < set(LABELS)
    assert [reversed_class(name) for name in MOTIONS[::2]] == list(MOTIONS[1::2])
    for index in range(8, 12):
        clip = motion_clip("test", index)
        same = randomised_clip("test", index, LABELS.index(MOTIONS[index % 10]))
        assert clip.label == index % 10 and clip.num_frames == same.num_frames
        np.testing.assert_array_equal(clip.frames([0, 3], 24, 30), same.frames([0, 3], 24, 30))


@pytest.mark.parametrize("label", FIRST)
def test_a_clip_is_still_the_one_that_figures_were_measured_on(label):
    """What models' cards and documents say of randomised clips holds for these clips alone."""
    stored = json.loads(THUMBNAILS.read_text())[LABELS[label]]
    # Another processor rounds otherwise, by less than a step of grey in a mean of 256 pixels.
    np.testing.assert_allclose(thumbnails(label), stored, atol=1)


def thumbnails(label: int) -> np.ndarray:
    """Three frames of a quiet and of a busy clip, (6, 3, 4, 3): means of 16 by 16 pixels."""
    pictures = []
    for clutter in (0.3, 1.0):
        clip = randomised_clip("test", 7, label, clutter)
        moments = [0, clip.num_frames // 2, clip.num_frames - 1]
        pictures.append(clip.frames(moments, 48, 64))
    parts = np.concatenate(pictures).reshape(6, 3, 16, 4, 16, 3)
    return parts.mean((2, 4)).round(1)


@pytest.mark.parametrize("label", [0, 14, 16, 20])
def test_a_frame_does_not_depend_on_what_else_is_asked(label):
    clip = randomised_clip("train", 3, label)
    alone = clip.frames([4], 32, 32)[0].astype(int)
    among = randomised_clip("train", 3, label).frames([23, 4, 0, 11], 32, 32)[1].astype(int)
    assert np.abs(alone - among).max() <= 1


def test_splits_indices_and_clutter_give_different_clips():
    pictures = [
        randomised_clip(split, index, 14, clutter).frames([3], 16, 16).tobytes()
        for split in ("train", "validation", "test")
        for index in range(3)
        for clutter in (0.0, 1.0)
    ]
    assert len(set(pictures)) == len(pictures)


def test_both_classes_of_a_pair_have_clips_of_all_lengths():
    lengths = [[randomised_clip("train", i, side).num_frames for i in range(24)] for side in (0, 1)]
    assert lengths[0] == lengths[1] and set(lengths[0]) == set(FRAME_COUNTS)


@pytest.mark.parametrize("label", range(len(LABELS)))
def test_masks_show_what_acts_in_both_classes(label):
    clip = randomised_clip("validation", 2, label, clutter=0.3)
    masks = clip.masks(range(0, clip.num_frames, 4), 30, 40)
    assert masks.dtype == np.uint8 and masks.max() < len(MASK_ROLES)
    assert (masks == ACTOR).any(axis=(1, 2)).sum() >= len(masks) // 3


def centre(mask):
    rows, columns = np.nonzero(mask == ACTOR)
    return np.array([columns.mean(), rows.mean()])


def ends(label, index):
    """The actor's mask in the first and in the last frame of the middle part of a quiet clip."""
    clip = randomised_clip("test", index, label, clutter=0.0)
    return clip.masks([clip.num_frames // 4, 3 * clip.num_frames // 4], 48, 48)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("Pushing something from left to right", (1, 0)),
        ("Pushing something from right to left", (-1, 0)),
        ("Moving something up", (0, -1)),
        ("Moving something down", (0, 1)),
        ("Turning the camera left while filming something", (1, 0)),
        ("Turning the camera right while filming something", (-1, 0)),
        ("Turning the camera upwards while filming something", (0, 1)),
        ("Turning the camera downwards while filming something", (0, -1)),
    ],
)
def test_what_is_filmed_goes_where_the_class_says(name, way):
    """A camera that turns left makes all it films go right."""
    moved = []
    for index in range(8):
        first, last = ends(LABELS.index(name), index)
        if (first == ACTOR).any() and (last == ACTOR).any():
            moved.append((centre(last) - centre(first)) @ way)
    assert len(moved) >= 4 and np.mean(np.array(moved) > 0) > 0.7 and np.mean(moved) > 2


def test_what_the_camera_approaches_grows():
    label = LABELS.index("Approaching something with your camera")
    sizes = [[(mask == ACTOR).sum() for mask in ends(label, index)] for index in range(8)]
    first, last = np.array(sizes).T
    assert (last >= first).all() and last.sum() > 1.3 * first.sum()


def test_what_moves_closer_ends_nearer():
    label = LABELS.index("Moving something and something closer to each other")
    spreads = []
    for index in range(6):
        for mask in ends(label, index):
            rows, columns = np.nonzero(mask == ACTOR)
            spreads.append(rows.std() + columns.std())
    first, last = np.array(spreads).reshape(-1, 2).T
    assert last.mean() < 0.85 * first.mean()


def test_what_is_not_in_the_set_is_refused():
    for call in (
        lambda: randomised_clip("shifted", 0),
        lambda: randomised_clip("test", -1),
        lambda: randomised_clip("test", 0, len(LABELS)),
        lambda: randomised_clip("test", 0, 0, clutter=1.5),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(IndexError):
        randomised_clip("test", 0).frames([1000], 8, 8)
