"""Length, rate and times of frames come from time stamps; what is wrong with them is said."""

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from gsm_model.video.decode import decode, open_source
from gsm_model.video.isolate import read_video
from gsm_model.video.picture_times import frame_lengths
from gsm_model.video.source import Limits
from gsm_model.video.timing import from_stamps
from tests.corpus import H264, encode
from tests.videos import write_video

# Milliseconds: ten frames in quick succession, then five half a second apart.
VARIABLE = np.array([*range(0, 330, 33), *range(330, 2831, 500)])


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.mp4", "libx264"), ("b.mkv", "ffv1")],
)
def test_times_of_a_variable_rate_are_those_that_were_written(tmp_path, name, codec):
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=30)  # what its header says
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(VARIABLE):
            grey = np.full((16, 16, 3), 10 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = int(time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    source = open_source(tmp_path / name, Limits(), name)
    np.testing.assert_allclose(source.times, VARIABLE / 1000, atol=0.0011)
    assert VARIABLE[-1] / 1000 < source.info.seconds <= VARIABLE[-1] / 1000 + 0.501
    assert source.info.fps == pytest.approx(len(VARIABLE) / source.info.seconds)
    [note] = source.info.notes
    assert "varies: 33 ms to 500 ms" in note
    if name != "a.mkv":  # one process is enough
        return
    video = read_video(tmp_path / name, (4,), preview_frames=5)
    assert video.info == source.info
    np.testing.assert_allclose(video.times, source.times[video.indices])
    np.testing.assert_allclose(video.preview_times, source.times[video.preview_indices])
    np.testing.assert_array_equal(video.times_at(video.indices[[2, 0]]), video.times[[2, 0]])
    with pytest.raises(KeyError, match="was not read"):
        video.times_at(np.array([1]))


@pytest.mark.parametrize(
    ("stamps", "last", "missing", "duration", "fps", "said"),
    [
        ([0, 0.1, 0.2, 0.3], 0.1, 0, 0.4, 10, ""),
        ([5, 5.1, 5.2, 5.3], 0, 0, 0.4, 10, ""),  # begins late; the last one's length is unknown
        ([0, 0.1, 0.2, 0.3], 2.0, 0, 2.3, 10, ""),  # the last one is held
        ([0], 0.5, 0, 0.5, 2, ""),
        ([0], 0, 0, 0.1, 10, ""),
        ([0, 0.1, 0.9, 1.0], 0.1, 0, 1.1, 4 / 1.1, "varies: 100 ms to 800 ms"),
        ([0, 0.5, 1.0, 1.5], 0.5, 0, 2.0, 2, "header says 10 frames a second, its time stamps 2"),
        ([0, 1, 2, 3], 0, 4, 0.4, 10, "no time stamps: 10 frames a second are assumed"),
        ([0, 0.2, 0.2, 0.3], 0.1, 0, 0.4, 10, "1 of its 4 frames have the time stamp of another"),
        ([0, 0.1, 0.2, 0.3], 0.1, 1, 0.4, 10, "1 of its 4 frames have no time stamp"),
        ([3, 3, 3, 3], 0, 0, 0.4, 10, "3 of its 4 frames have the time stamp of another: 10"),
        ([0, 0.1, 9e4, 9e4 + 0.1], 0.1, 0, 0.4, 10, "jump by 90,000 s"),
    ],
)
def test_what_time_stamps_say_and_lack(stamps, last, missing, duration, fps, said):
    timing = from_stamps(np.array(stamps, float), last, 10.0, missing)
    assert timing.duration == pytest.approx(duration) and timing.fps == pytest.approx(fps)
    assert len(timing.notes) == bool(said) and said in "".join(timing.notes)
    assert timing.times[0] == 0 and (np.diff(timing.times) > 0).all()
    assert timing.times[-1] < timing.duration and len(timing.times) == len(stamps)


@pytest.mark.parametrize("rate", [12, 24, 25, 30, 50, Fraction(30000, 1001)])
@pytest.mark.parametrize("tick", [Fraction(1, 1000), Fraction(1, 90000)])
def test_a_constant_rate_in_whole_ticks_is_the_rate_and_nothing_is_said(rate, tick):
    stamps = np.array([round(n / rate / tick) * tick for n in range(100)], float)
    timing = from_stamps(stamps, 0.0, float(rate), 0, float(tick))
    assert timing.fps == float(rate) and timing.notes == ()
    assert timing.duration == pytest.approx(float(100 / rate), abs=0.003)


def test_a_file_without_time_stamps_says_what_is_assumed(tmp_path):
    info, _, _ = decode(encode(tmp_path / "a.h264", *H264, "-f", "h264"), lambda info: [0])
    assert info.seconds == pytest.approx(24 / info.fps)
    assert any("no time stamps: 25 frames a second are assumed" in note for note in info.notes)


def test_the_limit_on_length_counts_time_stamps(tmp_path, moving_bar):
    path = write_video(tmp_path / "a.mkv", moving_bar[:4], durations=[100, 100, 60000, 100])
    with pytest.raises(Exception, match="60 s is more than the 30 s allowed"):
        decode(path, lambda info: [0], Limits(max_seconds=30))


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_an_animated_pictures_times_are_those_it_states(tmp_path, name):
    lengths = [50, 50, 500, 0, 70]
    pictures = [Image.new("RGB", (8, 8), (40 * n, 0, 0)) for n in range(5)]
    pictures[0].save(
        tmp_path / name, save_all=True, append_images=pictures[1:], duration=lengths, loop=0
    )
    source = open_source(tmp_path / name, Limits(), name)
    np.testing.assert_allclose(source.times, [0, 0.05, 0.1, 0.6, 0.7])
    assert source.info.seconds == pytest.approx(0.77)
    unstated, varies = source.info.notes
    assert "1 of its 5 frames state no time" in unstated and "50 ms to 500 ms" in varies


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_times_that_cannot_be_read_off_a_damaged_picture_are_assumed(tmp_path, name):
    pictures = [Image.new("RGB", (8, 8), (40 * n, 0, 0)) for n in range(5)]
    pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=50)
    whole = (tmp_path / name).read_bytes()
    for end in range(0, len(whole), 7):
        (tmp_path / name).write_bytes(whole[:end])
        lengths, _ = frame_lengths(tmp_path / name, 5)
        assert lengths.shape == (5,) and (lengths > 0.01).all()
    assert frame_lengths(tmp_path / name, 7)[1] == [
        "how long its frames are shown cannot be read: 0.1 s each is assumed"
    ]
