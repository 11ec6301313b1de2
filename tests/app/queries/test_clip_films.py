"""Clips of tables of predictions as films, and as files to open."""

from dataclasses import replace

import numpy as np
import pytest

from app.cache import store
from app.cache.lru import OnceCache
from app.queries import clip_films
from app.shell.settings import read_settings
from gsm_model.data.own_clips import recognised
from gsm_model.data.synthetic.dataset import LABELS, draw_clip
from gsm_model.errors import VideoError
from gsm_model.predictions.clip_files import ClipFolder
from gsm_model.video.isolate import read_video
from tests.predictions import make_predictions
from tests.videos import constant_rate


@pytest.fixture
def own(monkeypatch, tmp_path, moving_bar):
    """A table of three clips: a whole file, a part of it, and one that is not there; and settings
    that offer its folder, with room for uploads of ``own.largest`` bytes.
    """
    caches = {kind: OnceCache(2**30) for kind in store.MEGABYTES}
    monkeypatch.setattr(store, "caches", lambda: caches)
    monkeypatch.setattr(clip_films, "_folder", ClipFolder)
    monkeypatch.setattr(clip_films, "settings", read_settings)
    monkeypatch.setenv("GATE_SHIFT_LENS_VIDEOS", str(tmp_path))
    constant_rate(tmp_path / "a.mp4", moving_bar)
    properties = {
        "file": np.array(["a.mp4", "a.mp4", "../a.mp4"]),
        "first": np.array([0.0, 4, 0]),
        "stop": np.array([24.0, 12, 24]),
    }
    return replace(make_predictions(n=3), properties=properties)


def test_a_clip_that_is_a_file_is_opened_as_it_is_and_a_part_as_a_film(own, tmp_path):
    whole, part = (clip_films.film_of([own], row) for row in (0, 1))
    assert whole.whole and not part.whole
    assert clip_films.film_of([own], 0) is whole, "made once"
    content = (tmp_path / "a.mp4").read_bytes()
    assert clip_films.clip_to_open([own], 0) == ("a.mp4", content)
    name, opened = clip_films.clip_to_open([own], 1)
    assert name == "clip 1.mp4" and opened != content
    with pytest.raises(VideoError, match="clip 2: there is no video of it"):
        clip_films.film_of([own], 2)


def test_a_file_larger_than_an_upload_may_be_is_opened_as_a_film(own, tmp_path, monkeypatch):
    video = replace(read_settings().video, max_bytes=100)
    monkeypatch.setattr(clip_films, "settings", lambda: replace(read_settings(), video=video))
    name, opened = clip_films.clip_to_open([own], 0)
    assert name == "clip 0.mp4" and opened != (tmp_path / "a.mp4").read_bytes()


def test_without_a_folder_only_synthetic_clips_are_seen(own, monkeypatch):
    assert clip_films.can_be_seen("clip 0")
    monkeypatch.delenv("GATE_SHIFT_LENS_VIDEOS")
    assert not clip_films.can_be_seen("clip 0") and clip_films.can_be_seen("test/000012")
    with pytest.raises(VideoError, match="has no folder of videos"):
        clip_films.film_of([own], 0)
    drawn = replace(own, ids=("test/000012", "b", "c"))
    name, opened = clip_films.clip_to_open([drawn], 0)
    assert name == "test/000012.mp4" and opened == clip_films.film_of([drawn], 0).content


def test_a_clip_that_is_drawn_again_does_not_count_as_filmed_when_it_is_opened(own, tmp_path):
    drawn = replace(own, ids=("shifted/000012", "b", "c"))
    path = tmp_path / "opened.mp4"
    path.write_bytes(clip_films.clip_to_open([drawn], 0)[1])
    clip = draw_clip("shifted", 12)
    assert recognised(read_video(path, (8,)), path).drawn == LABELS[clip.label]
