"""Previews and strips."""

import numpy as np
import pytest

from app.components.media import preview, preview_positions, strip
from gsm_model.video.isolate import read_video
from gsm_model.video.sampling import order_positions
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


def test_a_strip_has_a_picture_and_a_caption_for_every_frame(moving_bar):
    html = strip(moving_bar[:3], ["frame 1", "frame 5", "frame 9"])
    assert (
        html.count("<img") == 3
        and html.count('alt="frame 5"') == 1
        and "data:image/jpeg;base64," in html
    )
