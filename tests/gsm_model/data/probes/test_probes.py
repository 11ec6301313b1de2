"""The probes: both classes of a question show the same frames, in orders that the question is
about; those of a control do not.
"""

import numpy as np
import pytest

from gsm_model.data.labels import reversed_class
from gsm_model.data.probes.dataset import probe_clip
from gsm_model.data.probes.plans import BLUE, LABELS, PROBES, RED
from gsm_model.data.synthetic.scene import MASK_ROLES

TEMPORAL = [number for number, probe in enumerate(PROBES) if not probe.static]
STATIC = [number for number, probe in enumerate(PROBES) if probe.static]


def both(probe, index=0, **options):
    return [probe_clip("test", index, label, **options) for label in (2 * probe, 2 * probe + 1)]


def of_name(name):
    return next(number for number, probe in enumerate(PROBES) if probe.name == name)


def played(clip):
    """What each frame shows, as the class plays them."""
    return [clip.plan.frames[k] for k in clip.order]


@pytest.mark.parametrize("frames", [8, 12, 16])
@pytest.mark.parametrize("probe", TEMPORAL)
def test_both_classes_of_a_probe_contain_exactly_the_same_frames_in_another_order(probe, frames):
    for index in range(0, 4, 2):
        first, second = both(probe, index, num_frames=frames, camera=0.5)
        assert first.num_frames == second.num_frames == frames
        pictures = [clip.frames(range(frames), 12, 16) for clip in (first, second)]
        one, other = (sorted(picture.tobytes() for picture in each) for each in pictures)
        assert one == other
        assert played(first) != played(second)


@pytest.mark.parametrize("probe", STATIC)
def test_a_control_shows_other_things_in_every_frame(probe):
    first, second = both(probe)
    assert set(played(first)).isdisjoint(played(second))


def test_clips_of_a_scene_stand_side_by_side_and_come_with_every_distance():
    clips = [probe_clip("test", index) for index in range(7 * len(LABELS))]
    assert [clip.label for clip in clips] == 7 * list(range(len(LABELS)))
    assert all(a.plan.frames == b.plan.frames for a, b in zip(clips[::2], clips[1::2], strict=True))
    assert [clip.distance for clip in clips[:: len(LABELS)]] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("distance", [1, 3, 7])
def test_the_two_flashes_are_as_far_apart_as_asked_and_swap_places(distance):
    found = []
    for clip in both(of_name("which first"), distance=distance):
        shown = played(clip)
        lit = [frame for frame, things in enumerate(shown) if things]
        assert lit[1] - lit[0] == distance and len(lit) == 2
        found.append((lit, [shown[frame][0].color for frame in lit]))
    assert found == [(found[0][0], [RED, BLUE]), (found[0][0], [BLUE, RED])]


def test_a_crossing_goes_the_way_its_class_says_and_is_the_other_backwards():
    right, left = both(of_name("direction"))
    places = [things[0].at[0] for things in played(right)]
    assert (np.diff(places) > 0).all() and played(left) == played(right)[::-1]


def test_there_and_back_twice_turns_more_often_than_once():
    for index in range(8):
        turns = []
        for clip in both(of_name("speed"), index):
            places = np.array([things[0].at for things in played(clip)])
            along = places @ (places.max(0) - places.min(0) + 1e-9)
            steps = np.sign(np.diff([*along, along[0]]))
            steps = steps[steps != 0]
            turns.append(np.sum(steps != np.roll(steps, 1)))
        assert turns == [2, 4]


@pytest.mark.parametrize("frames", [8, 16])
def test_a_thing_is_there_once_or_twice_for_as_many_frames(frames):
    for index in range(8):
        clips = both(of_name("count"), index, num_frames=frames)
        lit = [np.array([bool(things) for things in played(clip)]) for clip in clips]
        assert [np.sum(np.diff(one.astype(int)) == 1) for one in lit] == [1, 2]
        assert lit[0].sum() == lit[1].sum() == frames // 2
        assert not any(one[0] or one[-1] for one in lit)


def test_what_is_brought_stays_at_its_place_or_comes_back():
    stays, back = (played(clip) for clip in both(of_name("completed")))
    goal = stays[0][0].at
    assert stays[0] == back[0] == back[-1]
    assert stays[-1][1].at == goal and goal in [things[1].at for things in back]


def test_of_two_movers_the_one_that_the_class_names_turns_back():
    red_turns, blue_turns = (
        np.array([[thing.at[0] for thing in things] for things in played(clip)])
        for clip in both(of_name("which turns"))
    )
    for places, turns, goes in ((red_turns, 0, 1), (blue_turns, 1, 0)):
        steps = np.sign(np.diff(places, axis=0))
        assert len(set(steps[:, goes])) == 1
        assert steps[0, turns] == -steps[-1, turns]


def test_masks_show_the_things_and_the_frame_of_the_goal():
    clip = probe_clip("test", 0, 2 * of_name("completed"))
    masks = clip.masks([0, 7], 32, 32)
    roles = {MASK_ROLES[role] for role in np.unique(masks)}
    assert masks.shape == (2, 32, 32) and roles == {"background", "object", "actor"}


def test_a_camera_at_rest_shows_each_thing_where_it_is():
    clip = probe_clip("test", 0, 2 * of_name("color"), clutter=0.0)
    frame, thing = clip.frames([0], 64, 64)[0], played(clip)[0][0]
    x, y = (int((at + 1) * 32) for at in thing.at)
    assert np.abs(frame[y, x] / 255 - RED).max() < 0.01
    assert np.abs(frame[0, 0] / 255 - RED).max() > 0.2


@pytest.mark.parametrize(
    "options",
    [{"num_frames": 10}, {"num_frames": 4}, {"clutter": 2}, {"camera": -1}, {"label": 99}],
)
def test_what_is_out_of_range_is_refused(options):
    with pytest.raises(ValueError):
        probe_clip("test", 0, **options)


def test_frames_outside_the_clip_are_refused():
    with pytest.raises(IndexError, match="frame 8 of a clip of 8"):
        probe_clip("test", 0).frames([8], 8, 8)


@pytest.mark.parametrize("probe", range(len(PROBES)))
def test_the_pairs_that_are_known_as_each_other_backwards_are_those_that_show_it(probe):
    first, second = both(probe)
    colors = [[things[0].color for things in played(clip) if things] for clip in (first, second)]
    flashes = PROBES[probe].name == "which first" and colors[1] == colors[0][::-1]
    backwards = flashes or played(second) == played(first)[::-1]
    assert (reversed_class(PROBES[probe].first) == PROBES[probe].second) == backwards
