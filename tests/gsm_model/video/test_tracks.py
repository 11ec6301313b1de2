"""Of a file with several picture tracks the main one is shown, never its cover."""

import numpy as np
import pytest

from gsm_model.errors import VideoError
from gsm_model.video.decode import decode
from tests.corpus import H264, _ffmpeg, encode, moving_frames, reference_frames


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A small video, a larger one, and a still larger picture."""
    folder = tmp_path_factory.mktemp("parts")
    encode(folder / "small.mkv", *H264, frames=moving_frames(6, 24, 32))
    encode(folder / "large.mkv", *H264, frames=moving_frames(6))
    encode(folder / "cover.png", "-frames:v", "1", frames=moving_frames(1, 480, 640))
    _ffmpeg(["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", str(folder / "sound.mka")])
    return folder


def together(parts, path, names, *options):
    inputs = [text for name in names for text in ("-i", str(parts / name))]
    maps = [text for number in range(len(names)) for text in ("-map", str(number))]
    _ffmpeg([*inputs, *maps, "-c", "copy", *options, str(path)])
    return path


@pytest.mark.parametrize(
    ("names", "options", "size", "note"),
    [
        (("small.mkv", "large.mkv"), (), (64, 48), "number 2, 64 × 48"),
        (("large.mkv", "small.mkv"), (), (64, 48), "number 1, 64 × 48"),
        (
            ("small.mkv", "large.mkv"),
            ("-disposition:v:0", "default", "-disposition:v:1", "0"),
            (32, 24),
            "number 1, 32 × 24",
        ),
        (("cover.png", "small.mkv"), (), (32, 24), "number 2, 32 × 24"),
        (("sound.mka", "small.mkv", "cover.png"), (), (32, 24), "number 1, 32 × 24"),
    ],
)
def test_the_main_track_is_shown_and_said(tmp_path, parts, names, options, size, note):
    path = together(parts, tmp_path / "a.mkv", names, "-disposition:v", "0", *options)
    info, _, frames = decode(path, lambda info: range(info.num_frames))
    assert (info.width, info.height, info.num_frames) == (*size, 6)
    assert any(f"picture tracks: {note}" in said for said in info.notes)
    alone = parts / ("small.mkv" if size == (32, 24) else "large.mkv")
    np.testing.assert_array_equal(frames, reference_frames(alone, size[::-1]))


def test_a_marked_cover_is_no_track_to_choose(tmp_path, parts):
    cover = ("-disposition:v:1", "attached_pic")
    path = together(parts, tmp_path / "a.mp4", ("small.mkv", "cover.png"), *cover)
    info, _, frames = decode(path, lambda info: range(info.num_frames))
    assert (info.width, info.num_frames, info.notes) == (32, 6, ())
    np.testing.assert_array_equal(frames, reference_frames(parts / "small.mkv", (24, 32)))


def test_sound_alone_or_with_a_cover_is_no_video(tmp_path, parts):
    for names, options in (
        (("sound.mka",), ()),
        (("sound.mka", "cover.png"), ("-disposition:v:0", "attached_pic")),
    ):
        path = together(parts, tmp_path / "a.m4a", names, *options)
        with pytest.raises(VideoError, match="no picture track in it, only sound"):
            decode(path, lambda info: [0])
