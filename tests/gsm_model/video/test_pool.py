"""The pool of decoding processes: in order, ahead of need, no file costing more than its answer."""

import sys
import threading

import numpy as np
import pytest

from gsm_model.errors import VideoError
from gsm_model.video import pool, views
from gsm_model.video.decode import decode
from gsm_model.video.isolate import read_video
from gsm_model.video.part import Part
from gsm_model.video.pool import DecoderPool
from gsm_model.video.source import DATA_SET, Limits
from gsm_model.video.transforms import InputSpec, view_bytes
from gsm_model.video.views import ViewsWanted, read_views
from tests.videos import constant_rate, write_video

SPEC = InputSpec.imagenet(32)


@pytest.fixture(autouse=True)
def quick_decoders():
    """None: here decoders are started as the app starts them."""


def wanted(path, limits=DATA_SET, clips=1, crops=1, order="forward", first=0, stop=None):
    return ViewsWanted(path, path.name, SPEC, 4, clips, crops, order, 0, Part(first, stop), limits)


@pytest.fixture
def clips(tmp_path, moving_bar):
    return [
        constant_rate(tmp_path / f"{count}.mp4", moving_bar[:count]) for count in (24, 12, 20, 8)
    ]


def test_answers_come_in_order_and_are_those_of_decoding_here(clips):
    requests = [wanted(path, order="reversed").request() for path in clips]
    answers = list(DecoderPool(2, reuse=True).ask_ahead(requests, 2))
    for path, answer in zip(clips, answers, strict=True):
        frames = decode(path, lambda info: [int(info.num_frames / 8 * k) for k in (7, 5, 3, 1)])[2]
        np.testing.assert_array_equal(answer.arrays[0], view_bytes(frames, SPEC))


def test_clips_of_one_video_look_into_it_once_and_name_themselves(clips, monkeypatch):
    opened = []
    look = views.open_source
    monkeypatch.setattr(views, "open_source", lambda *given: opened.append(given) or look(*given))
    whole = decode(clips[0], lambda info: range(info.num_frames))[2]
    for first in (0, 5, 10):
        found = read_views(wanted(clips[0], first=first, stop=first + 8))
        expected = view_bytes(whole[[first + at for at in (1, 3, 5, 7)]], SPEC)
        np.testing.assert_array_equal(found, expected)
    with pytest.raises(VideoError, match="^24.mp4: the list names frames up to 99"):
        read_views(wanted(clips[0], stop=99))
    assert len(opened) == 1
    constant_rate(clips[0], whole[:12])  # another file of the same name
    with pytest.raises(VideoError, match="the video has 12"):
        read_views(wanted(clips[0], stop=24))


def test_one_process_serves_a_data_sets_videos_and_another_each_upload(clips, monkeypatch):
    started = []

    class Counted(pool.Decoder):
        def __init__(self):
            started.append(self)
            super().__init__()

    monkeypatch.setattr(pool, "Decoder", Counted)
    list(DecoderPool(1, reuse=True).ask_ahead([wanted(path).request() for path in clips], 3))
    assert len(started) == 1 and started[0].process.poll() is not None
    started.clear()
    alone = DecoderPool(1, reuse=False)
    for path in clips[:2]:
        alone.ask(wanted(path).request())
    assert len(started) == 2 and [one.process.poll() for one in started] == [0, 0]


def test_a_pass_that_is_given_up_leaves_no_process_behind(clips):
    decoders = DecoderPool(2, reuse=True)
    answers = decoders.ask_ahead((wanted(path).request() for path in clips), 3)
    next(answers)
    mine = [*decoders.idle, *decoders._busy]
    answers.close()
    assert mine and all(decoder.process.wait(10) is not None for decoder in mine)
    assert not any(thread.name.startswith("decoder") for thread in threading.enumerate())


def test_a_pool_that_is_closed_starts_no_process_ahead():
    decoders = DecoderPool(1, reuse=False)
    decoders.close()
    decoders.keep_ready()
    assert not decoders.idle


def test_a_process_that_stops_costs_one_video_and_the_next_gets_another(clips, monkeypatch):
    good = pool.worker_command()
    commands = [[sys.executable, "-c", "print('no answer')"]]
    monkeypatch.setattr(pool, "worker_command", lambda: commands.pop() if commands else good)
    first, *others = DecoderPool(1, reuse=True).ask_ahead(
        [wanted(path).request() for path in clips], 3
    )
    assert isinstance(first, VideoError) and str(first).startswith("24.mp4: the decoder stopped")
    assert [other.arrays[0].shape for other in others] == [(1, 4, 3, 32, 32)] * 3


def test_a_header_that_announces_more_than_the_memory_allowed_is_no_answer(clips, monkeypatch):
    lie = """print('{"shapes": [[1000000, 1000000, 1000000]]}', flush=True); input(); input()"""
    monkeypatch.setattr(pool, "worker_command", lambda: [sys.executable, "-c", lie])
    with pytest.raises(VideoError, match="the decoder stopped"):
        DecoderPool(1, reuse=True).ask(wanted(clips[0]).request())


def test_a_long_video_is_refused_as_an_upload_and_read_for_a_data_set(tmp_path):
    frames = np.zeros((700, 16, 16, 3), np.uint8)
    frames[::100] = 255
    path = write_video(tmp_path / "long.mp4", frames, fps=1)
    with pytest.raises(VideoError, match="700 s is more than the 600 s allowed"):
        read_video(path)
    limits = Limits(max_seconds=600.0, max_decode_seconds=120.0)
    with pytest.raises(VideoError, match="700 s is more than the 600 s allowed"):
        read_views(wanted(path, limits, stop=20))
    part = wanted(path, first=396, stop=404)
    [answer] = DecoderPool(1, reuse=True).ask_ahead([part.request()], 3)
    bright = answer.arrays[0][0, :, 0, 16, 16] > 128
    assert bright.tolist() == [False, False, False, False]
    part = wanted(path, first=399, stop=403)
    [answer] = DecoderPool(1, reuse=True).ask_ahead([part.request()], 3)
    assert (answer.arrays[0][0, :, 0, 16, 16] > 128).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_bytes=100), "allowed; cut or compress it"),
        (Limits(max_frames=10), "more than the 10 frames allowed"),
        (Limits().with_side(40), "64 × 48 pixels are more than allowed"),
    ],
)
def test_limits_hold_for_data_sets_too(clips, limits, message):
    [answer] = DecoderPool(1, reuse=True).ask_ahead([wanted(clips[0], limits).request()], 3)
    assert isinstance(answer, VideoError) and message in str(answer)


@pytest.mark.skipif(sys.platform == "win32", reason="limits on memory need POSIX")
def test_memory_counts_what_is_decoded_and_a_process_that_met_its_limit_goes_on(tmp_path):
    path = constant_rate(tmp_path / "large.mp4", np.zeros((40, 1080, 1920, 3), np.uint8))
    few = wanted(path, Limits(max_memory=700 * 2**20))
    many = ViewsWanted(path, "many", SPEC, 40, 2, 1, "forward", 0, Part(), few.limits)
    answers = list(
        DecoderPool(1, reuse=True).ask_ahead([few.request(), many.request(), few.request()], 3)
    )
    assert isinstance(answers[1], VideoError)
    np.testing.assert_array_equal(answers[0].arrays[0], answers[2].arrays[0])


def test_a_larger_side_allows_more_pixels_and_a_smaller_one_no_fewer():
    assert Limits().with_side(8192).max_pixels == 8192 * 4608
    assert Limits().with_side(1000).max_pixels == Limits().max_pixels
