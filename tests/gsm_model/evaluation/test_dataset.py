"""Labelled clips for a model: the same pixels as through every other path, nothing dropped."""

import numpy as np
import pytest
import torch

from gsm_model.data.lists import read_video_list
from gsm_model.data.synthetic.dataset import draw_clip
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import batches, drawn_clips, listed_clips
from gsm_model.video.isolate import read_video
from gsm_model.video.sampling import segment_indices
from gsm_model.video.transforms import to_views


def test_drawn_clips_come_in_order_with_their_labels_from_any_start(drawn_model):
    clip_set = drawn_clips(drawn_model, "test", 5)
    found = list(batches(drawn_model, clip_set, 2, 2))
    assert [batch.ids for batch in found] == [("test/000002", "test/000003"), ("test/000004",)]
    assert np.concatenate([batch.labels for batch in found]).tolist() == [2, 3, 4]
    for row, index in enumerate((2, 3)):
        clip = draw_clip("test", index)
        assert clip.label == index
        frames = clip.frames(segment_indices(clip.num_frames, 4), 120, 160)
        torch.testing.assert_close(found[0].clips[row], to_views(frames, drawn_model.input)[0])


def test_listed_clips_are_those_of_the_videos_and_one_that_cannot_be_read_keeps_its_place(
    folder, small_gsm
):
    clip_set = listed_clips(small_gsm, read_video_list(folder))
    [batch] = batches(small_gsm, clip_set, 0, 10)
    assert batch.ids[2] == "broken.mp4" and batch.errors[2].startswith("broken.mp4: not a video")
    assert batch.rows.tolist() == [0, 1, 3, 4, 5] and batch.labels.tolist() == [0, 1, 1, 2, 3, 4]
    video = read_video(folder / "clip 4.mp4", (4,))
    torch.testing.assert_close(batch.clips[4], to_views(video.clip(4)[1], small_gsm.input)[0])


def test_a_batch_of_nothing_readable_has_no_clips(tmp_path, small_gsm):
    (tmp_path / "broken.mp4").write_text("no video")
    (tmp_path / "list.txt").write_text("broken.mp4 24 1\n")
    [batch] = batches(small_gsm, listed_clips(small_gsm, read_video_list(tmp_path)), 0, 4)
    assert batch.clips is None and len(batch.rows) == 0


def test_a_model_of_other_classes_is_refused(small_gsm):
    with pytest.raises(DataError, match="its classes are others"):
        drawn_clips(small_gsm, "test", 2)
