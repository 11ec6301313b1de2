"""Sampling: the release's rules."""

import numpy as np
import pytest

from gsm_model.video.sampling import (
    dense_indices,
    order_positions,
    segment_indices,
    training_indices,
)


def test_one_clip_takes_the_middle_frame_of_each_span():
    assert segment_indices(80, 8).tolist() == [5, 15, 25, 35, 45, 55, 65, 75]
    assert segment_indices(57, 8).tolist() == [3, 10, 17, 24, 32, 39, 46, 53]


def test_two_clips_take_the_first_and_the_middle_frame():
    assert segment_indices(80, 8, clip=0, num_clips=2).tolist() == [0, 10, 20, 30, 40, 50, 60, 70]
    assert segment_indices(80, 8, clip=1, num_clips=2).tolist() == segment_indices(80, 8).tolist()


@pytest.mark.parametrize("num_frames", [1, 3, 7, 8, 9, 1000])
@pytest.mark.parametrize("num_segments", [1, 8, 16])
def test_indices_are_ascending_and_inside_the_video(num_frames, num_segments):
    for indices in (
        segment_indices(num_frames, num_segments),
        *(segment_indices(num_frames, num_segments, c, 2) for c in (0, 1)),
    ):
        assert len(indices) == num_segments and indices.dtype == np.int64
        assert indices.min() >= 0 and indices.max() < num_frames and (np.diff(indices) >= 0).all()


@pytest.mark.parametrize("num_frames", [24, 40, 56])
def test_odd_spans_give_the_same_frames_forwards_and_backwards(num_frames):
    indices = segment_indices(num_frames, 8)
    assert (num_frames - 1 - indices[::-1]).tolist() == indices.tolist()


def test_dense_clips_are_strided_windows_of_64_frames_that_wrap():
    assert dense_indices(200, 8, clip=0).tolist() == [0, 8, 16, 24, 32, 40, 48, 56]
    assert dense_indices(200, 8, clip=9).tolist() == [136, 144, 152, 160, 168, 176, 184, 192]
    assert dense_indices(20, 8, clip=0).tolist() == [0, 8, 16, 4, 12, 0, 8, 16]


def test_training_draws_once_in_each_span_and_short_videos_give_their_first_frame():
    rng = np.random.default_rng(0)
    drawn = np.stack([training_indices(43, 8, rng) for _ in range(400)])
    spans = np.arange(8) * 5
    assert (drawn.min(0) == spans).all() and (drawn.max(0) == spans + 4).all()
    assert training_indices(7, 8, rng).tolist() == [0] * 8


def test_orders():
    assert order_positions(4, "forward").tolist() == [0, 1, 2, 3]
    assert order_positions(4, "reversed").tolist() == [3, 2, 1, 0]
    assert order_positions(4, "frozen").tolist() == [2, 2, 2, 2]
    for seed in range(50):
        shuffled = order_positions(3, "shuffled", seed).tolist()
        assert sorted(shuffled) == [0, 1, 2] and shuffled not in ([0, 1, 2], [2, 1, 0])
    assert order_positions(8, "shuffled", 7).tolist() == order_positions(8, "shuffled", 7).tolist()
    assert sorted(order_positions(2, "shuffled").tolist()) == [0, 1]


@pytest.mark.parametrize(
    "call",
    [
        lambda: segment_indices(0, 8),
        lambda: segment_indices(8, 0),
        lambda: segment_indices(8, 8, 2, 2),
        lambda: segment_indices(8, 8, 0, 3),
        lambda: dense_indices(8, 8, 10),
        lambda: order_positions(4, "sideways"),
        lambda: training_indices(0, 8, None),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    with pytest.raises(ValueError):
        call()
