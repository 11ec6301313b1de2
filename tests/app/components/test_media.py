"""Previews and strips."""

import numpy as np
import pytest

from app.components.media import clip_strip, preview, preview_positions, strip
from gsm_model.video.decode import decode
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.isolate import read_video
from gsm_model.video.sampling import order_positions
from gsm_model.video.source import VideoInfo
from tests.videos import constant_rate


def test_reversed_plays_backwards_and_shuffled_plays_the_models_spans():
    assert preview_positions(6, 3, "forward").tolist() == [0, 1, 2, 3, 4, 5]
    assert preview_positions(6, 3, "reversed").tolist() == [5, 4, 3, 2, 1, 0]
    spans = preview_positions(6, 3, "shuffled", 4).reshape(3, 2)
    assert (spans[:, 0] // 2).tolist() == order_positions(3, "shuffled", 4).tolist() and (
        spans[:, 1] - spans[:, 0] == 1
    ).all()


@pytest.mark.parametrize("count", [1, 2, 5, 48])
def test_every_preview_frame_is_played_once_whatever_their_number(count):
    assert sorted(preview_positions(count, 8, "shuffled")) == list(range(count))


def test_a_preview_lasts_as_long_as_its_video(tmp_path, moving_bar):
    video = read_video(constant_rate(tmp_path / "a.mp4", moving_bar), (8,), preview_frames=12)
    (tmp_path / "p.mp4").write_bytes(preview(video, 8, "reversed"))
    shown = read_video(tmp_path / "p.mp4", (12,))
    assert shown.info.seconds == pytest.approx(video.info.seconds, rel=0.05)
    bar = shown.frames[..., 1].mean(axis=1).argmax(axis=1)
    assert (np.diff(bar) < 0).sum() >= 9


@pytest.mark.parametrize("order", ["forward", "reversed"])
def test_a_preview_shows_frames_as_long_as_their_time_stamps_say(tmp_path, order):
    times, grey = np.array([0, 0.5, 1.0, 7.0]), np.array([0, 80, 160, 240], np.uint8)
    frames = np.broadcast_to(grey[:, None, None, None], (4, 16, 16, 3))
    info = VideoInfo(4, 0.5, 16, 16, duration=8.0)
    video = DecodedVideo(
        "a", info, np.arange(4), frames, frames, np.arange(4), times=times, preview_times=times
    )
    (tmp_path / "p.mp4").write_bytes(preview(video, 4, order))
    _, _, shown = decode(tmp_path / "p.mp4", lambda info: range(info.num_frames))
    seen = [int(np.abs(grey.astype(int) - one.mean()).argmin()) for one in shown]
    counts = [seen.count(place) for place in range(4)]
    assert counts[2] >= 5 and max(counts[0], counts[1], counts[3]) == 1
    assert seen == sorted(seen, reverse=order == "reversed")


def test_a_strip_of_a_video_says_when_each_frame_is():
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    info = VideoInfo(9, 4.0, 8, 8)
    video = DecodedVideo("a", info, np.array([2, 8]), frames, frames[:0], np.arange(0))
    html = clip_strip(video, np.array([8, 2]))
    assert html.index("frame 8, 2.00 s") < html.index("frame 2, 0.50 s")


def test_a_strip_has_a_picture_and_a_caption_for_every_frame(moving_bar):
    html = strip(moving_bar[:3], ["frame 1", "frame 5", "frame 9"])
    assert (
        html.count("<img") == 3
        and html.count('alt="frame 5"') == 1
        and "data:image/jpeg;base64," in html
    )
