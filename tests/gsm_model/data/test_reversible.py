"""The drawn set: deterministic, antialiased, and the same scenes in both directions of time."""

import numpy as np
import pytest

from gsm_model.data.labels import reversed_class, something_something
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.chance import SHIFTED, TRAINED, Chance
from gsm_model.data.synthetic.dataset import FRAME_COUNTS, draw_clip
from gsm_model.data.synthetic.materials import Material, paint
from gsm_model.data.synthetic.raster import coverage
from gsm_model.data.synthetic.scene import MASK_ROLES

FIRST_TEST_CLIP = [
    216.5,
    184.1,
    167.7,
    157.4,
    153.8,
    80.5,
    101.1,
    154.5,
    81.0,
    63.4,
    61.2,
    93.5,
    86.3,
    72.2,
    67.2,
    87.4,
]


def test_the_classes_are_something_somethings_and_their_reversed_classes_time_reversals():
    for label, name in enumerate(LABELS):
        assert name in something_something()
        assert reversed_class(name) == LABELS[label ^ 1]


@pytest.mark.parametrize("label", range(0, len(LABELS), 2))
def test_a_clip_played_backwards_is_the_clip_of_its_reversed_class_with_the_same_scene(label):
    first, second = draw_clip("test", 7, label), draw_clip("test", 7, label + 1)
    every = range(first.num_frames)
    np.testing.assert_array_equal(first.frames(every, 40, 50)[::-1], second.frames(every, 40, 50))


def test_the_scene_of_a_class_does_not_depend_on_its_direction():
    """So the set of scenes of a class, and with it every still frame, says nothing about the
    direction.
    """
    for pair in range(0, len(LABELS), 2):
        lengths = [
            [draw_clip("train", index, pair + side).num_frames for index in range(60)]
            for side in (0, 1)
        ]
        assert lengths[0] == lengths[1] and set(lengths[0]) == set(FRAME_COUNTS)


def test_the_same_clip_comes_again_whatever_was_drawn_before():
    alone = draw_clip("train", 3).frames([4, 9], 32, 32)
    clip = draw_clip("train", 3)
    clip.frames([0, 1, 2], 32, 32)
    np.testing.assert_array_equal(clip.frames([9, 4], 32, 32)[::-1], alone)


def test_splits_and_indices_give_different_clips():
    pictures = [
        draw_clip(split, index, 0).frames([0], 16, 16).tobytes()
        for split in ("train", "validation", "test", "shifted")
        for index in range(5)
    ]
    assert len(set(pictures)) == len(pictures)


def test_the_speed_of_an_action_is_as_likely_as_its_reversal():
    """Slow starts and slow ends, early and late actions balance: means over 4,000 timings agree to
    3 standard errors.
    """
    chance = Chance(np.random.default_rng(0))
    timings = [chance.timing() for _ in range(4000)]
    times = np.linspace(0.05, 0.95, 7)
    progress = np.array([[timing.progress(t) for t in times] for timing in timings])
    backward = 1 - progress[:, ::-1]
    error = np.sqrt(progress.var(0) + backward.var(0)) / np.sqrt(len(timings))
    assert np.all(np.abs(progress.mean(0) - backward.mean(0)) <= 3 * error + 1e-12)
    away = np.array([[timing.away(t) for t in times] for timing in timings])
    error = np.sqrt(2 * away.var(0)) / np.sqrt(len(timings))
    assert np.all(np.abs(away.mean(0) - away[:, ::-1].mean(0)) <= 3 * error + 1e-12)


def test_the_action_begins_and_ends_at_rest_with_the_hand_away():
    chance = Chance(np.random.default_rng(1))
    for timing in (chance.timing() for _ in range(50)):
        assert (timing.progress(0.0), timing.progress(1.0)) == (0.0, 1.0)
        assert timing.away(0.0) == timing.away(1.0) == 1.0
        assert timing.away((timing.start + timing.stop) / 2) == 0.0


def test_the_shifted_split_shares_no_pattern_outline_or_camera_motion_with_training():
    assert (
        not set(TRAINED.patterns) & set(SHIFTED.patterns) and TRAINED.grain not in SHIFTED.patterns
    )
    assert not set(TRAINED.outlines) & set(SHIFTED.outlines) and TRAINED.camera != SHIFTED.camera
    used = {"train": set(), "shifted": set()}
    for split, patterns in used.items():
        for index in range(40):
            scene = draw_clip(split, index).scene
            patterns |= {
                shape.material.pattern
                for t in (0.2, 0.8)
                for shape in scene.shapes(t)
                if shape.role not in ("hand", "shadow")
            }
            patterns.add(scene.floor.pattern)
    assert used["train"] == {*TRAINED.patterns, TRAINED.grain} and used["shifted"] == {
        *SHIFTED.patterns,
        SHIFTED.grain,
    }


@pytest.mark.parametrize("label", range(len(LABELS)))
def test_masks_show_who_acts_and_the_hand_comes_and_goes(label):
    clip = draw_clip("validation", 4, label)
    masks = clip.masks(range(clip.num_frames), 60, 80)
    assert masks.shape == (clip.num_frames, 60, 80) and masks.dtype == np.uint8
    assert masks.max() < len(MASK_ROLES)
    shown = {role: (masks == value).any(axis=(1, 2)) for value, role in enumerate(MASK_ROLES)}
    assert shown["background"].all() and shown["actor"].sum() >= clip.num_frames // 3
    if "camera" in LABELS[label]:
        assert not shown["hand"].any()
    else:
        assert (
            shown["hand"][clip.num_frames // 2] and not shown["hand"][0] and not shown["hand"][-1]
        )


def test_a_mask_has_the_edges_of_the_picture():
    """Where only the acting object changes between two frames, the mask says so."""
    clip = draw_clip("test", 0, 0)
    frames, masks = (
        clip.frames([0, clip.num_frames // 2], 64, 64).astype(int),
        clip.masks([0, clip.num_frames // 2], 64, 64),
    )
    moving = np.isin(masks, [MASK_ROLES.index("actor"), MASK_ROLES.index("hand")]).any(axis=0)
    change = np.abs(frames[0] - frames[1]).mean(axis=-1)
    assert change[moving].mean() > 1.5 * change[~moving].mean()


def test_the_same_pictures_on_every_machine():
    """Means over a 4 × 4 grid as they were when the set was made; another processor may round a
    level differently.
    """
    frames = draw_clip("test", 0).frames([10], 64, 64)[0].astype(float)
    assert frames.reshape(4, 16, 4, 16, 3).mean(axis=(1, 3, 4)).ravel() == pytest.approx(
        FIRST_TEST_CLIP, abs=0.6
    )


def test_rings_are_round_and_bricks_have_mortar():
    colors = np.array([[0, 0, 0], [1, 1, 1]])
    u, v = np.array([0.3, 0.0, -0.3, 0.0]), np.array([0.0, 0.3, 0.0, -0.3])
    rings = paint(Material(colors, "rings"), u.astype(np.float32), v.astype(np.float32))[:, 0]
    assert rings == pytest.approx(rings[0], abs=1e-5)
    line = paint(
        Material(colors, "bricks", 10.0), np.linspace(0, 2, 400, dtype=np.float32), np.float32(0.1)
    )[:, 0]
    assert line.min() == 0 and line.max() == 1 and (line == 1).mean() > 0.5


def test_something_moves_in_every_class():
    for label in range(len(LABELS)):
        clip = draw_clip("test", 11, label)
        frames = clip.frames([0, clip.num_frames // 2], 48, 48).astype(int)
        assert np.abs(frames[0] - frames[1]).max() > 60


def test_what_is_not_in_the_set_is_refused():
    for call in (
        lambda: draw_clip("holdout", 0),
        lambda: draw_clip("test", -1),
        lambda: draw_clip("test", 0, len(LABELS)),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(IndexError):
        draw_clip("test", 0).frames([1000], 8, 8)


@pytest.mark.parametrize(
    "corners",
    [[(2, 2), (7.5, 2), (7.5, 6.25), (2, 6.25)], [(2, 6.25), (7.5, 6.25), (7.5, 2), (2, 2)]],
)
def test_an_antialiased_box_covers_its_area_whichever_way_its_corners_go(corners):
    centres = np.arange(10, dtype=np.float32) + 0.5
    covered = coverage(np.array(corners), 0.0, centres, centres)
    assert covered.sum() == pytest.approx(5.5 * 4.25, rel=0.02)
    assert covered[4, 4] == 1 and covered[0, 0] == 0 and covered[4, 7] == pytest.approx(0.5)


def test_a_line_grown_by_a_radius_is_a_capsule():
    centres = np.arange(40, dtype=np.float32) + 0.5
    covered = coverage(np.array([(10.0, 20.0), (30.0, 20.0)]), 5.0, centres, centres)
    assert covered.sum() == pytest.approx(20 * 10 + np.pi * 25, rel=0.02)
