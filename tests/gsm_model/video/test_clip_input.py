"""What a model is given of a video: the frames of the sampling rule, in the order asked for, as its
release cuts and normalises them.
"""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from gsm_model.video.clip_input import clip_input, clip_input_at, cut_clip
from gsm_model.video.modality import RGB
from gsm_model.video.sampling import order_positions
from gsm_model.video.transforms import to_views

MIDDLES = [3, 9, 15, 21]  # of four equal spans of 24 frames
ORDERS = {"forward": [0, 1, 2, 3], "reversed": [3, 2, 1, 0], "frozen": [2, 2, 2, 2]}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("crops", [1, 3, 10])
def test_the_frames_of_the_rule_in_the_order_asked_for(video, small_gsm, order, crops):
    given = clip_input(small_gsm, video, order, crops)
    assert given.positions.tolist() == ORDERS[order]
    assert given.frame_indices.tolist() == [MIDDLES[place] for place in ORDERS[order]]
    assert given.modality == RGB
    frames = np.stack(
        [video.frames[video.indices.tolist().index(index)] for index in given.frame_indices]
    )
    torch.testing.assert_close(given.views, to_views(frames, small_gsm.input, crops))


def test_the_seed_picks_the_shuffle_and_another_number_of_frames_can_be_asked_for(video, small_gsm):
    given = clip_input(small_gsm, video, "shuffled", num_segments=6, seed=5)
    positions = order_positions(6, "shuffled", 5)
    assert given.positions.tolist() == positions.tolist()
    assert given.frame_indices.tolist() == [[2, 6, 10, 14, 18, 22][place] for place in positions]
    assert given.views.shape == (1, 6, 3, 32, 32) and given.views.dtype == torch.float32
    with pytest.raises(KeyError, match="5 segments"):
        clip_input(small_gsm, video, num_segments=5)
    with pytest.raises(ValueError, match="unknown order"):
        clip_input(small_gsm, video, "sideways")


def test_a_clip_sampled_before_is_given_again_by_its_frames(video, small_gsm):
    before = clip_input(small_gsm, video, "reversed")
    again = clip_input_at(small_gsm, video, before.frame_indices)
    torch.testing.assert_close(again.views, before.views)
    assert again.frame_indices.tolist() == before.frame_indices.tolist()
    with pytest.raises(KeyError, match="was not read with these frames: 4 is missing"):
        clip_input_at(small_gsm, video, np.array([3, 4, 9, 15]))


def test_a_part_of_a_file_is_sampled_as_if_it_were_the_whole(video, small_gsm):
    part = replace(video, first=8, stop=16)
    assert part.length == 8
    assert part.clip_indices(4).tolist() == [9, 11, 13, 15]
    assert part.clip_indices(4, shift=-2).tolist() == [8, 9, 11, 13], "not before the part begins"
    assert part.clip_indices(4, shift=1).tolist() == [10, 12, 14, 15]
    assert part.clip_indices(4, clip=0, num_clips=2).tolist() == [8, 10, 12, 14]


def test_frames_are_found_by_index_in_any_order_and_as_often_as_asked(video):
    found = video.frames_at(np.array([21, 3, 21]))
    np.testing.assert_array_equal(found[0], found[2])
    places = [video.indices.tolist().index(index) for index in (21, 3)]
    np.testing.assert_array_equal(found[:2], video.frames[places])
    assert video.has(np.array(MIDDLES)) and not video.has(np.array([3, 4]))


def test_cutting_a_clip_needs_no_torch(tmp_path):
    code = (
        "import sys; import numpy as np; from gsm_model.video.clip_input import cut_clip;"
        "from gsm_model.video.decoded import DecodedVideo;"
        "from gsm_model.video.source import VideoInfo;"
        "from gsm_model.video.transforms import InputSpec;"
        "frames = np.zeros((4, 40, 50, 3), np.uint8);"
        "video = DecodedVideo('a', VideoInfo(4, 25.0, 50, 40), np.arange(4), frames, frames[:0],"
        " np.arange(0));"
        "cut = cut_clip(video, InputSpec.imagenet(32), 2, 'reversed');"
        "print(cut.views.shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "(1, 2, 3, 32, 32) False"


def test_of_two_clips_the_first_takes_each_span_from_its_start(video, small_gsm):
    starts = replace(video, indices=np.array([0, 6, 12, 18]), frames=video.frames[:4])
    cut = cut_clip(starts, small_gsm.input, 4, clip=0, num_clips=2)
    assert cut.frame_indices.tolist() == [0, 6, 12, 18]
