"""Which clips are drawn: decided by their frames, whatever a file says of itself."""

import shutil

import numpy as np
import pytest
from PIL import Image

from gsm_model.bundled import sample_clips
from gsm_model.data.own_clips import OwnClip, all_drawn, mark_of, recognised
from gsm_model.data.synthetic.dataset import FPS, draw_clip
from gsm_model.video.decode import decode
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.encode import to_mp4


def read(path):
    """``path`` decoded in this process, for eight segments."""
    info, indices, frames = decode(
        path, lambda info: np.unique(np.linspace(0, info.num_frames - 1, 8).astype(int))
    )
    none = np.zeros((0, 2, 2, 3), np.uint8), np.zeros(0, np.int64)
    return DecodedVideo(path.name, info, indices, frames, *none)


def frames_of(index, label=None):
    clip = draw_clip("test", index, label)
    return clip.frames(range(clip.num_frames), 24, 32)


def test_a_sample_clip_is_known_by_its_bytes_under_any_name(tmp_path):
    sample = sample_clips()["folding"]
    copy = shutil.copy(sample.path, tmp_path / "holiday.mp4")
    assert recognised(read(copy), copy).drawn == sample.label
    assert all_drawn([sample.path])


@pytest.mark.parametrize("format", ["mp4", "frames"])
def test_a_clip_of_make_dataset_is_known_by_drawing_it_again(tmp_path, format):
    from gsm_model.data.synthetic.export import _write_clip

    path, own = (
        tmp_path / ("000003.mp4" if format == "mp4" else "000003"),
        OwnClip("drawn", "test", 3),
    )
    clip = draw_clip("test", 3)
    _write_clip(clip, path, format, 24, 32, own.mark())
    assert mark_of(path) == own
    assert recognised(read(path), path).drawn == "Removing something, revealing something behind"


def test_a_mark_alone_makes_no_clip_drawn(tmp_path):
    mark = OwnClip("drawn", "test", 3).mark()
    other = tmp_path / "other.mp4"
    other.write_bytes(to_mp4(frames_of(3)[::-1], FPS, comment=mark))  # its frames, backwards
    assert mark_of(other) is not None and recognised(read(other), other).drawn is None
    unknown = tmp_path / "unknown.mp4"
    mark = OwnClip("randomised", "shifted", 1).mark()  # the randomised set has no such split
    unknown.write_bytes(to_mp4(frames_of(3), FPS, comment=mark))
    assert recognised(read(unknown), unknown).drawn is None


def test_a_drawn_clip_without_a_mark_counts_as_filmed(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(to_mp4(frames_of(3), FPS))
    assert mark_of(path) is None and recognised(read(path), path).drawn is None
    assert not all_drawn([path]) and not all_drawn([])


def test_what_is_no_file_or_a_picture_without_a_mark_is_none(tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "1.jpg")
    assert mark_of(tmp_path) is None and mark_of(tmp_path / "missing.mp4") is None
