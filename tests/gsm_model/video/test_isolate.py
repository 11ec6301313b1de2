"""Reading in another process: the same frames, and no fault of a file reaches the caller but as a
message.
"""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from gsm_model.errors import VideoError
from gsm_model.video import isolate, pool
from gsm_model.video.decode import decode
from gsm_model.video.isolate import read_video
from gsm_model.video.pool import Decoder, DecoderPool
from gsm_model.video.sampling import segment_indices
from gsm_model.video.source import Limits
from tests.videos import constant_rate


@pytest.fixture(autouse=True)
def quick_decoders():
    """None: here decoders are started as the app starts them."""


def test_the_clips_of_all_numbers_of_segments_come_from_one_reading(tmp_path, moving_bar):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    video = read_video(path, (4, 8), preview_frames=6, preview_height=24)
    _, _, frames = decode(path, lambda info: range(info.num_frames))
    for t in (4, 8):
        indices, clip = video.clip(t)
        assert indices.tolist() == segment_indices(24, t).tolist()
        np.testing.assert_array_equal(clip, frames[indices])
    assert video.preview.shape == (6, 24, 32, 3) and video.preview_indices.tolist() == [
        0,
        5,
        9,
        14,
        18,
        23,
    ]
    with pytest.raises(KeyError, match="5 segments"):
        video.clip(5)


def test_a_file_that_is_no_video_is_an_error_under_the_name_given(tmp_path):
    (tmp_path / "x").write_bytes(b"nothing")
    with pytest.raises(VideoError, match=r"^my holiday\.mp4: not a video"):
        read_video(tmp_path / "x", name="my holiday.mp4")


def test_limits_hold_in_the_other_process(tmp_path, moving_bar):
    with pytest.raises(VideoError, match="more than the 3 frames"):
        read_video(constant_rate(tmp_path / "clip.mp4", moving_bar), limits=Limits(max_frames=3))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("number", "cause"),
    [
        ("SIGSEGV", r" \(SIGSEGV\); the file is damaged"),
        (
            "SIGKILL",
            r": .*from outside \(SIGKILL\), .*lack of memory; nothing is .* wrong with the",
        ),
        ("SIGTERM", r": .*from outside \(SIGTERM\); nothing is known to be wrong with the file"),
    ],
)
def test_a_decoder_that_dies_costs_a_message_that_tells_who_ended_it(
    tmp_path, moving_bar, monkeypatch, number, cause
):
    kill = f"import os, signal; os.kill(os.getpid(), signal.{number})"
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    monkeypatch.setattr(pool, "worker_command", lambda: python(kill))
    monkeypatch.setattr(isolate, "_decoders", DecoderPool(1, reuse=False))  # none started before
    with pytest.raises(
        VideoError, match=r"^clip\.mp4: the decoder stopped while reading it" + cause
    ):
        read_video(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_decoder_that_uses_up_its_time_is_said_to_take_too_long(
    tmp_path, moving_bar, monkeypatch
):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)"
    monkeypatch.setattr(pool, "worker_command", lambda: python(kill))
    monkeypatch.setattr(isolate, "_decoders", DecoderPool(1, reuse=False))  # none started before
    with pytest.raises(VideoError, match=r"^clip\.mp4: decoding it takes longer than 60\.0 s"):
        read_video(path)


def python(code: str) -> list[str]:
    """The command of another process in the place of the decoder's."""
    return [sys.executable, "-c", code]


def test_a_decoder_that_hangs_is_ended(tmp_path, moving_bar, monkeypatch):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    monkeypatch.setattr(pool, "worker_command", lambda: python("import time; time.sleep(600)"))
    monkeypatch.setattr(pool, "GRACE_SECONDS", 0)
    decoders = DecoderPool(1, reuse=False)
    hung = Decoder()
    decoders.idle.append(hung)
    monkeypatch.setattr(isolate, "_decoders", decoders)
    with pytest.raises(VideoError, match=r"takes longer than 0\.5 s"):
        read_video(path, limits=Limits(max_decode_seconds=0.5))
    assert hung.process.wait(10) != 0


def test_a_decoder_stands_ready_for_the_next_video_and_a_dead_one_is_replaced(
    tmp_path, moving_bar, monkeypatch
):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    monkeypatch.setattr(pool, "SPARE_AFTER_SECONDS", 0.01)
    decoders = DecoderPool(2, reuse=False)
    monkeypatch.setattr(isolate, "_decoders", decoders)
    isolate.keep_a_decoder_ready()
    [first] = decoders.idle
    assert first.alive
    expected = read_video(path)
    assert first.process.wait(10) == 0, "it served this video, and no other"
    for _ in range(200):
        if decoders.idle:
            break
        time.sleep(0.05)
    [second] = decoders.idle
    second.process.kill()
    second.process.wait(10)
    np.testing.assert_array_equal(read_video(path).frames, expected.frames)
    decoders.close()


@pytest.mark.skipif(sys.platform == "win32", reason="limits on memory need POSIX")
def test_the_decoder_may_not_take_more_memory_than_allowed(tmp_path):
    path = constant_rate(tmp_path / "clip.mp4", np.zeros((24, 270, 480, 3), np.uint8))
    assert read_video(path, (24,)).frames.shape == (24, 270, 480, 3)
    with pytest.raises(VideoError, match=r"more memory than allowed|decoder stopped|[Mm]emory"):
        read_video(path, (24,), limits=Limits(max_memory=1_000_000))


def test_the_decoder_loads_neither_torch_nor_streamlit(tmp_path, moving_bar):
    path = constant_rate(tmp_path / "clip.mp4", moving_bar)
    code = (
        "import sys, json; from pathlib import Path; import gsm_model.video.worker as"
        f" worker;worker.answer(dict(path={str(path)!r}, name='a', segments=[8], shifts=[0],"
        " clips=[['even', 1]], neighbours=0,"
        " preview_frames=2, preview_height=20, limits={}));print(json.dumps([name for name in"
        " ('torch', 'streamlit') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == []
