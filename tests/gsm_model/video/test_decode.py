"""Decoding: the right frames from every reader and every kind of file, or a clear error."""

import struct
import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from gsm_model.errors import VideoError
from gsm_model.video import video_files
from gsm_model.video.decode import decode
from gsm_model.video.source import Limits
from tests.videos import DECORD_IS_TRUSTED_WITH, KINDS, constant_rate, rotated, write_video


def everything(info):
    return range(info.num_frames)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_reader_gives_the_same_frames(tmp_path, moving_bar, kind):
    path = KINDS[kind](tmp_path / "clip.mp4", moving_bar)
    info, _, by_default = decode(path, everything)
    _, _, by_pyav = decode(path, everything, backend="pyav")
    assert info.num_frames == len(moving_bar)
    np.testing.assert_array_equal(by_default, by_pyav)
    if kind in DECORD_IS_TRUSTED_WITH:
        pytest.importorskip("decord", reason="no wheel of decord for this machine")
        _, _, by_decord = decode(path, everything, backend="decord")
        np.testing.assert_array_equal(by_decord, by_pyav)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_frames_are_those_that_were_encoded(tmp_path, moving_bar, kind):
    path = KINDS[kind](tmp_path / "clip.mp4", moving_bar)
    _, _, frames = decode(path, everything)
    expected = np.rot90(moving_bar, 1, (1, 2)) if kind == "rotated" else moving_bar
    assert frames.shape == expected.shape
    # Each frame is nearer to its original than to any other: none is missing, doubled or out of
    # order.
    distance = np.abs(frames[:, None].astype(int) - expected[None]).mean((2, 3, 4))
    assert distance.argmin(1).tolist() == list(range(len(expected)))


def test_rotation_is_obeyed_as_ffmpeg_does(tmp_path, moving_bar):
    path = rotated(tmp_path / "clip.mp4", moving_bar)
    raw = subprocess.run(
        [
            imageio_ffmpeg.get_ffmpeg_exe(),
            "-v",
            "error",
            "-i",
            path,
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ],
        capture_output=True,
        check=True,
    ).stdout
    info, _, frames = decode(path, everything)
    assert (info.width, info.height) == (48, 64)
    expected = np.frombuffer(raw, np.uint8).reshape(frames.shape)
    assert np.abs(frames.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("backend", [None, "pyav"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_indices_may_come_in_any_order_and_repeat(tmp_path, moving_bar, kind, backend):
    path = KINDS[kind](tmp_path / "clip.mp4", moving_bar)
    _, _, all_frames = decode(path, everything)
    _, indices, frames = decode(path, lambda info: [20, 3, 3, 11, 0, 23], backend=backend)
    assert indices.tolist() == [20, 3, 3, 11, 0, 23]
    np.testing.assert_array_equal(frames, all_frames[indices])


def test_only_the_frames_needed_are_converted(tmp_path, moving_bar, monkeypatch):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    kept = {}
    original = video_files._read_by_time
    monkeypatch.setattr(
        video_files,
        "_read_by_time",
        lambda reading, wanted: (original(reading, wanted), kept.update(reading.frames)),
    )
    decode(path, lambda info: [5, 17], backend="pyav")
    assert sorted(kept) == [5, 17]


def test_without_decord_pyav_reads(tmp_path, moving_bar, monkeypatch):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    expected = decode(path, everything)[2]
    monkeypatch.setitem(sys.modules, "decord", None)
    np.testing.assert_array_equal(decode(path, everything)[2], expected)
    with pytest.raises(VideoError, match="decord cannot read"):
        decode(path, everything, backend="decord")


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mkv", "ffv1", "yuv444p"),
    ],
)
def test_other_containers_and_codecs_are_read(tmp_path, moving_bar, name, codec, pix_fmt):
    path = write_video(tmp_path / name, moving_bar, codec=codec, pix_fmt=pix_fmt)
    info, _, frames = decode(path, everything)
    assert info.num_frames == 24 and frames.shape == moving_bar.shape


def test_a_folder_of_numbered_jpegs_is_a_video_in_the_order_of_its_numbers(tmp_path, moving_bar):
    for number in (10, 9, 2, 1):
        Image.fromarray(moving_bar[number]).save(tmp_path / f"img_{number:05d}.jpg", quality=95)
    (tmp_path / "notes.txt").write_text("not a frame")
    info, _, frames = decode(tmp_path, everything)
    assert (info.kind, info.num_frames) == ("folder", 4)
    assert [
        int(np.abs(moving_bar.astype(int) - frame).mean((1, 2, 3)).argmin()) for frame in frames
    ] == [1, 2, 9, 10]


def test_an_animated_gif_is_a_video(tmp_path, moving_bar):
    pictures = [Image.fromarray(frame) for frame in moving_bar]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=50)
    info, _, frames = decode(tmp_path / "a.gif", everything)
    assert (info.num_frames, info.fps) == (24, 20.0)
    assert np.abs(frames.astype(int) - moving_bar).mean() < 8


@pytest.mark.parametrize(
    ("left", "message"),
    [(40, "size changes midway"), (65535, "so many pixels are more than allowed")],
)
def test_a_gif_whose_frames_reach_over_the_size_it_states_is_refused(tmp_path, left, message):
    pictures = [Image.fromarray(np.full((300, 64), value, np.uint8)) for value in (10, 200)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    content = bytearray((tmp_path / "a.gif").read_bytes())
    descriptor = content.rindex(b"\x2c" + struct.pack("<4H", 0, 0, 64, 300))
    content[descriptor + 1 : descriptor + 3] = struct.pack("<H", left)
    (tmp_path / "a.gif").write_bytes(content)
    with pytest.raises(VideoError, match=rf"^a\.gif: .*{message}"):
        decode(tmp_path / "a.gif", everything)


def test_a_picture_is_a_frozen_clip_and_its_exif_rotation_is_obeyed(tmp_path, moving_bar):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(moving_bar[5]).save(tmp_path / "a.jpg", exif=exif)
    info, _, frames = decode(tmp_path / "a.jpg", lambda info: [0, 0, 0])
    assert (info.num_frames, info.width, info.height) == (1, 48, 64)
    assert frames.shape == (3, 64, 48, 3) and (frames[0] == frames[2]).all()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_bytes=100), "MB is more than"),
        (Limits(max_frames=10), "more than the 10 frames allowed"),
        (Limits(max_seconds=1), "2 s is more than the 1 s allowed"),
        (Limits(max_width=32), "64 × 48 pixels are more than allowed"),
        (Limits(max_pixels=1000), "64 × 48 pixels are more than allowed"),
    ],
    ids=["bytes", "frames", "seconds", "width", "pixels"],
)
def test_every_limit_is_kept_and_named(tmp_path, moving_bar, limits, message):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    with pytest.raises(VideoError, match=message) as error:
        decode(path, everything, limits, name="holiday.mp4")
    assert str(error.value).startswith("holiday.mp4:")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.mp4", b"", "the file is empty"),
        ("notes.mp4", b"just some text, no video at all\n" * 20, "not a video that can be read"),
        ("broken.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "not a picture that can be read"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "not a video that can be read"),
        (
            "list.ffconcat",
            b"ffconcat version 1.0\nfile /etc/passwd\n",
            "not a video that can be read",
        ),
    ],
)
def test_what_is_no_video_is_refused_with_its_fault(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=message) as error:
        decode(tmp_path / name, everything)
    assert str(error.value).startswith(f"{name}:") and "\n" not in str(error.value)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_a_file_cut_short_is_refused_or_read_as_far_as_it_goes(tmp_path, moving_bar, share):
    whole = write_video(tmp_path / "whole.mkv", moving_bar).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole[: int(len(whole) * share)])
    try:
        info, _, frames = decode(path, everything)
    except VideoError as error:
        assert str(error).startswith("cut.mkv:")
    else:
        assert 0 < info.num_frames < 24 and len(frames) == info.num_frames


def test_a_sound_file_and_an_empty_folder_say_so(tmp_path):
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        (
            sound.setnchannels(1),
            sound.setsampwidth(2),
            sound.setframerate(8000),
            sound.writeframes(b"\0" * 8000),
        )
    with pytest.raises(VideoError, match="not a video that can be read|no picture track"):
        decode(tmp_path / "a.wav", everything)
    (tmp_path / "folder").mkdir()
    with pytest.raises(VideoError, match="no numbered .jpg or .png frames"):
        decode(tmp_path / "folder", everything)
    with pytest.raises(VideoError, match="there is no such file"):
        decode(tmp_path / "nowhere.mp4", everything)
