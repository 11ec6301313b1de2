"""A file's own motion vectors: those of a moving texture are its move, frame by frame and added up,
and files whose vectors say something else are refused.
"""

import numpy as np
import pytest

from gsm_model.errors import VideoError
from gsm_model.video.isolate import read_vectors
from tests.gsm_model.motion.test_vectors import picture
from tests.videos import constant_rate, write_video

FINE = {"qmin": "2", "qmax": "2", "bf": "0", "g": "12", "sc_threshold": "1000000000"}
MOVE = (2, -1)


@pytest.fixture
def moving(tmp_path):
    frames = np.stack([picture(MOVE[0] * k, MOVE[1] * k) for k in range(4)])
    return write_video(tmp_path / "clip.avi", frames, codec="mpeg4", options=FINE)


def inner(flow):
    """What most places of the middle have, (2,)."""
    middle = flow[:, 16:48, 16:48].reshape(2, -1)
    return np.median(middle, axis=1).tolist()


def test_each_frame_has_the_move_from_the_one_before_and_the_first_has_none(moving):
    read = read_vectors(moving, [0, 1, 3])
    assert read.flow.shape == (3, 2, 64, 64) and read.since.tolist() == [0, 0, 2]
    assert not read.flow[0].any()
    assert inner(read.flow[1]) == inner(read.flow[2]) == list(MOVE)


def test_added_up_they_are_the_move_from_the_last_frame_that_is_coded_alone(moving):
    read = read_vectors(moving, [1, 2, 3], accumulate=True)
    assert read.since.tolist() == [0, 0, 0]
    for k in range(3):
        assert inner(read.flow[k]) == [(k + 1) * MOVE[0], (k + 1) * MOVE[1]]


def test_a_still_clip_has_none(tmp_path):
    path = write_video(
        tmp_path / "still.avi", np.stack([picture()] * 3), codec="mpeg4", options=FINE
    )
    assert not read_vectors(path, [1, 2], accumulate=True).flow.any()


def test_files_whose_vectors_say_something_else_are_refused(tmp_path, moving_bar):
    with pytest.raises(VideoError, match=r"h.mp4: is coded as h264, .* encoded anew"):
        read_vectors(constant_rate(tmp_path / "h.mp4", moving_bar), [1])
    options = {**FINE, "bf": "2"}
    path = write_video(tmp_path / "b.avi", moving_bar, codec="mpeg4", options=options)
    with pytest.raises(VideoError, match=r"b.avi: frame \d+ is predicted from a later one too"):
        read_vectors(path, [5])


def test_frames_that_are_not_there_and_files_that_are_no_video_are_said(moving, tmp_path):
    with pytest.raises(VideoError, match="frame 9 was asked for"):
        read_vectors(moving, [1, 9])
    with pytest.raises(VideoError, match="frame 1000+ was asked for; no video has it"):
        read_vectors(moving, [10**20])
    (tmp_path / "x.avi").write_bytes(b"nothing")
    with pytest.raises(VideoError, match="x.avi: not a video that can be read"):
        read_vectors(tmp_path / "x.avi", [0])
    with pytest.raises(ValueError, match="ascending"):
        read_vectors(moving, [2, 1])
