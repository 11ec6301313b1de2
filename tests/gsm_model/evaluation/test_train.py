"""Training: a stopped and resumed run is the uninterrupted one; a configuration is checked before anything is done."""

import json

import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.evaluation.config import TrainConfig
from gsm_model.evaluation.pack import pack_run
from gsm_model.evaluation.train import LOG_FILE, STATE_FILE, train

TINY = TrainConfig(
    temporal="gsm",
    width=0.125,
    num_segments=2,
    input_size=32,
    steps=5,
    batch_size=2,
    precision="32-true",
    save_every=2,
)


class Killed(Exception):
    """What the test raises in the middle of a run."""


def kill_after(steps):
    def progress(step, total, loss):
        if step == steps:
            raise Killed

    return progress


@pytest.mark.slow
@pytest.mark.parametrize("killed_after", [1, 2, 3, 4])
def test_a_run_killed_at_any_step_and_resumed_gives_the_same_weights_and_log(tmp_path, killed_after):
    whole = train(TINY, tmp_path / "whole", workers=0)
    with pytest.raises(Killed):
        train(TINY, tmp_path / "resumed", workers=0, progress=kill_after(killed_after))
    resumed = train(TINY, tmp_path / "resumed", workers=0)
    for key, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], tensor, atol=0, rtol=0, msg=key)
    assert (tmp_path / "resumed" / LOG_FILE).read_text() == (tmp_path / "whole" / LOG_FILE).read_text()


def test_a_folder_of_another_run_is_not_overwritten(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(DataError, match="another configuration"):
        train(TINY, tmp_path)


@pytest.mark.slow
def test_an_unfinished_run_is_not_packed_and_a_finished_one_carries_its_measures(tmp_path):
    with pytest.raises(Killed):
        train(TINY, tmp_path, workers=0, progress=kill_after(3))
    with pytest.raises(DataError, match="stopped after 2 of 5 steps"):
        pack_run(tmp_path, tmp_path / "m.safetensors", 6)
    train(TINY, tmp_path, workers=0)
    card = pack_run(tmp_path, tmp_path / "m.safetensors", 6).card
    assert card.provenance == "trained" and "10 clips" in card.training_data
    assert [m.metric for m in card.measures[:6]] == ["top-1", "top-5", "class mean", "within pair", "pair", "reversed to partner"]
    assert {m.data for m in card.measures} == {"Reversible Actions, test split", "Reversible Actions, shifted split"}
    assert all(m.n == 6 for m in card.measures)
    assert not list(tmp_path.glob("*.part")) and (tmp_path / STATE_FILE).exists()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "at least 'temporal'"),
        ({"temporal": "gsm", "epochs": 3}, "unknown key 'epochs'; there are temporal"),
        ({"temporal": "gsm", "steps": "many"}, "'steps' must be of type int, got 'many'"),
        ([1], "is an object"),
        ({"temporal": "gsm", "seed": True}, "'seed' must be of type int"),
    ],
)
def test_a_wrong_configuration_names_its_key(tmp_path, values, message):
    (tmp_path / "c.json").write_text(json.dumps(values))
    with pytest.raises(DataError, match=message):
        TrainConfig.read(tmp_path / "c.json")


def test_a_right_configuration_is_read(tmp_path):
    (tmp_path / "c.json").write_text('{"temporal": "none", "learning_rate": 1, "steps": 7}')
    assert TrainConfig.read(tmp_path / "c.json") == TrainConfig("none", learning_rate=1, steps=7)
    (tmp_path / "c.json").write_text("{")
    with pytest.raises(DataError, match=r"^c\.json: not a readable JSON file"):
        TrainConfig.read(tmp_path / "c.json")
