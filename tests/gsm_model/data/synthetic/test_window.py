"""An action that takes up a part of a clip: nothing of it is seen before and after, and the part is
the whole action.
"""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.data.synthetic.dataset import draw_clip
from gsm_model.data.synthetic.scene import Action
from gsm_model.data.synthetic.window import action_within

SIZE = (24, 32)


def test_outside_its_part_the_scene_is_empty_and_inside_it_all_is_played():
    clip = draw_clip("test", 8)  # moving something up
    part = action_within(clip, 0.25, 0.75)
    empty = replace(clip, scene=replace(clip.scene, action=Action(lambda t: [])))
    n = clip.num_frames
    outside = [0, n // 4 - 1, 3 * n // 4, n - 1]
    np.testing.assert_array_equal(part.frames(outside, *SIZE), empty.frames(outside, *SIZE))
    assert part.masks([0, n - 1], *SIZE).max() == 0 and part.masks([n // 2], *SIZE).max() > 1
    # Where it is played, a moment is one of twice as fast an action.
    for t in (0.3, 0.5, 0.7):
        shown = part.scene.action.props(t)
        expected = clip.scene.action.props((t - 0.25) / 0.5)
        assert len(shown) == len(expected)
        for one, other in zip(shown, expected, strict=True):
            np.testing.assert_array_equal(one.points, other.points)


def test_the_part_is_that_of_the_clip_as_it_is_shown_also_backwards():
    forward, backward = (action_within(draw_clip("test", 8, label), 0.0, 0.5) for label in (8, 9))
    n = forward.num_frames
    for clip in (forward, backward):
        seen = clip.masks(range(n), *SIZE).max((1, 2)) > 0
        assert seen[n // 4] and not seen[n // 2 :].any()
    mirrored = action_within(draw_clip("test", 8, 8), 0.5, 1.0)
    np.testing.assert_array_equal(
        backward.frames([3, 5], *SIZE), mirrored.frames([n - 4, n - 6], *SIZE)
    )


@pytest.mark.parametrize(("begin", "end"), [(0.5, 0.5), (-0.1, 0.5), (0.5, 1.1)])
def test_a_part_that_is_none_is_refused(begin, end):
    with pytest.raises(ValueError, match="give 0 ≤ begin < end ≤ 1"):
        action_within(draw_clip("test", 0), begin, end)
