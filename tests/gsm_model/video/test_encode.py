"""Encoding: what browsers play, frame for frame."""

import io
import tempfile

import av
import numpy as np
import pytest
from PIL import Image

from gsm_model.errors import VideoError
from gsm_model.video.encode import to_gif, to_mp4


def test_the_file_is_h264_yuv420p_with_its_index_in_front(tmp_path, moving_bar):
    content = to_mp4(moving_bar, 12.5)
    assert content.index(b"moov") < content.index(b"mdat")
    (tmp_path / "a.mp4").write_bytes(content)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt, float(stream.average_rate)) == (
            "h264",
            "yuv420p",
            12.5,
        )
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    assert frames.shape == moving_bar.shape
    assert np.abs(frames[..., 1].astype(int) - moving_bar[..., 1]).mean() < 12


def test_odd_sides_lose_a_pixel_and_the_same_frames_give_the_same_bytes():
    frames = np.random.default_rng(0).integers(0, 255, (3, 31, 45, 3), dtype=np.uint8)
    assert to_mp4(frames, 10) == to_mp4(frames, 10)


def test_without_a_temporary_folder_it_says_so(tmp_path, moving_bar, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(
        VideoError, match=r"No such file or directory.*make room in its temporary folder"
    ):
        to_mp4(moving_bar, 10)


def test_a_gif_repeats_for_ever_with_every_frame_and_its_time(moving_bar):
    picture = Image.open(io.BytesIO(to_gif(moving_bar, 5)))
    assert (picture.n_frames, picture.info["loop"], picture.info["duration"]) == (24, 0, 200)
    picture.seek(20)
    assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - moving_bar[20]).mean() < 6
    assert to_gif(moving_bar, 5) == to_gif(moving_bar, 5)


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (2, 1, 8, 3), (8, 8, 3)])
def test_nothing_to_encode_is_refused(shape):
    for encode in (to_mp4, to_gif):
        with pytest.raises(ValueError):
            encode(np.zeros(shape, np.uint8), 10)
