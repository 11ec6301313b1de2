"""Painted clips that are kept: those a run would have painted, whoever painted them and when."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.training import stored
from gsm_model.training.config import TrainConfig
from gsm_model.training.dataset import Augment, SyntheticClips
from gsm_model.training.stored import store_clips
from gsm_model.training.train import train
from gsm_model.video.transforms import InputSpec

SPEC = InputSpec.imagenet(32)
CONFIG = TrainConfig(
    "none",
    width=0.125,
    input_size=32,
    style="probes",
    clutter=0.0,
    steps=3,
    batch_size=4,
    precision="32-true",
)


@pytest.fixture
def parts_of_five(monkeypatch):
    monkeypatch.setattr(stored, "PART", 5)


def test_stored_clips_are_those_that_a_run_paints_and_come_round_again(tmp_path, parts_of_five):
    clips = store_clips(CONFIG, SPEC, tmp_path, 12, workers=0)
    painted = SyntheticClips(CONFIG, Augment.of(CONFIG, SPEC, ("a",)))
    for place in (0, 4, 5, 11):
        (mine, label), (theirs, its_label) = clips[place], painted[place]
        assert torch.equal(mine, theirs) and label == its_label
        assert torch.equal(clips[place + 12][0], mine)


def test_a_painting_that_was_stopped_goes_on_and_one_that_is_done_is_read(tmp_path, parts_of_five):
    def stop(done, count):
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_clips(CONFIG, SPEC, tmp_path / "stopped", 12, 0, stop)
    told = []
    whole = store_clips(CONFIG, SPEC, tmp_path / "whole", 12, 0)
    resumed = store_clips(CONFIG, SPEC, tmp_path / "stopped", 12, 0, lambda *at: told.append(at))
    assert told == [(12, 12)]
    np.testing.assert_array_equal(resumed.clips, whole.clips)
    np.testing.assert_array_equal(resumed.labels, whole.labels)
    store_clips(replace(CONFIG, temporal="gsm", steps=9), SPEC, tmp_path / "whole", 12, 0, stop)


@pytest.mark.parametrize("other", [{"seed": 1}, {"clutter": 0.5}, {"style": "drawn"}])
def test_a_folder_of_other_clips_is_refused(tmp_path, parts_of_five, other):
    store_clips(CONFIG, SPEC, tmp_path, 4, 0)
    with pytest.raises(DataError, match="other looks"):
        store_clips(replace(CONFIG, **other), SPEC, tmp_path, 4, 0)


@pytest.mark.parametrize("name", ["clips.npy", "labels.npy", "stored.json"])
def test_what_is_damaged_is_refused_and_left_as_it_is(tmp_path, name):
    store_clips(CONFIG, SPEC, tmp_path, 4, 0)
    for content in (b"[]", (tmp_path / name).read_bytes()[:-40]):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=f"{name}.*(damaged|cannot be read)"):
            store_clips(CONFIG, SPEC, tmp_path, 4, 0)
        assert (tmp_path / name).read_bytes() == content, "not filled up with zeros"


def test_a_label_that_is_none_of_the_set_is_refused(tmp_path):
    store_clips(CONFIG, SPEC, tmp_path, 4, 0)
    np.save(tmp_path / "labels.npy", np.array([0, 1, 999, 1]))
    with pytest.raises(DataError, match="damaged"):
        store_clips(CONFIG, SPEC, tmp_path, 4, 0)


def test_arrays_of_others_are_not_overwritten(tmp_path):
    (tmp_path / "clips.npy").write_text("precious")
    with pytest.raises(DataError, match="choose another folder"):
        store_clips(CONFIG, SPEC, tmp_path, 4, 0)
    assert (tmp_path / "clips.npy").read_text() == "precious"


def test_what_cannot_be_stored_is_said(tmp_path):
    with pytest.raises(DataError, match="at least 1"):
        store_clips(CONFIG, SPEC, tmp_path, 0)
    with pytest.raises(DataError, match="only synthetic clips"):
        store_clips(replace(CONFIG, data="list.txt"), SPEC, tmp_path, 4)


def test_training_on_stored_clips_gives_the_weights_of_training_on_painted_ones(tmp_path):
    clips = store_clips(CONFIG, SPEC, tmp_path / "clips", 12, workers=0)
    one = train(CONFIG, tmp_path / "one", workers=0).state_dict()
    other = train(CONFIG, tmp_path / "other", workers=0, stored=clips).state_dict()
    for name, weight in one.items():
        assert torch.equal(weight, other[name]), name
