"""Systems trained alike: the same clips, each its own folder, what has ended left as it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.training.alike import (
    AlikeRun,
    alike_runs,
    curve_of,
    start_of,
    train_alike,
)
from gsm_model.training.config import TrainConfig
from gsm_model.training.optim import build_model

RECIPE = TrainConfig(
    "none",
    width=0.125,
    input_size=32,
    style="probes",
    clutter=0.0,
    steps=4,
    batch_size=2,
    precision="32-true",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("alike")
    runs = alike_runs(["none", "gsm"], seeds=1)
    return out, runs, train_alike(RECIPE, runs, out, stored_clips=6, workers=0)


def test_the_first_seed_of_all_comes_before_the_second_of_any():
    runs = alike_runs(["tsm", "gsm"], seeds=2)
    assert [run.name for run in runs] == ["tsm-seed0", "gsm-seed0", "tsm-seed1", "gsm-seed1"]
    with pytest.raises(DataError, match="unknown system 'lstm'"):
        alike_runs(["lstm"])


def test_every_system_has_a_checkpoint_and_says_how_it_ended(trained):
    out, runs, ended = trained
    for run in runs:
        model = load_checkpoint(out / run.name / "model.safetensors")
        assert model.architecture.temporal == run.system and model.card.provenance == "trained"
        assert ended[run].steps == 4 and not ended[run].diverged
    assert np.load(out / "clips" / "clips.npy").shape == (6, 8, 3, 32, 32)


def test_all_start_from_one_2d_network_where_the_recipe_names_one(tmp_path):
    tsn = build_model(RECIPE, 22)
    recipe = replace(RECIPE, initial="tsn.safetensors", steps=1, learning_rate=1e-9)
    runs = alike_runs(["gsm", "s3d"])
    with pytest.raises(DataError, match="starts from 'tsn.safetensors', which was not given"):
        train_alike(recipe, runs, tmp_path, stored_clips=2, workers=0)
    train_alike(recipe, runs, tmp_path, stored_clips=2, workers=0, initial=lambda run: tsn)
    for run in runs:
        model = load_checkpoint(tmp_path / run.name / "model.safetensors")
        weights = model.base_model.state_dict()
        same = {"rtol": 1e-2, "atol": 1e-3}  # files hold half precision
        torch.testing.assert_close(weights["conv1.weight"], tsn.base_model.conv1.weight, **same)


def test_each_goes_on_from_its_own_run_of_another_recipe(trained, tmp_path):
    before, runs, _ = trained
    own = before / "{run}" / "model.safetensors"
    recipe = replace(RECIPE, initial=str(own), steps=1, learning_rate=1e-9)
    train_alike(
        recipe,
        runs,
        tmp_path,
        stored_clips=2,
        workers=0,
        initial=lambda run: load_checkpoint(Path(start_of(recipe, run))),
    )
    for run in runs:
        one, other = (
            load_checkpoint(folder / run.name / "model.safetensors").base_model.state_dict()
            for folder in (before, tmp_path)
        )
        config = TrainConfig.read(tmp_path / run.name / "config.json")
        assert config.initial == str(before / run.name / "model.safetensors")
        same = {"rtol": 1e-2, "atol": 1e-3}  # files hold half precision
        torch.testing.assert_close(one["conv1.weight"], other["conv1.weight"], **same)


def test_what_has_ended_is_left_as_it_is_and_a_further_system_sees_the_same_clips(trained):
    out, runs, _ = trained
    before = (out / "gsm-seed0" / "model.safetensors").stat().st_mtime_ns
    told, painted = [], []
    more = (*runs, AlikeRun("tsm", 0))
    train_alike(
        RECIPE,
        more,
        out,
        stored_clips=6,
        workers=0,
        progress=lambda run, step, steps, loss: told.append((run.name, step)),
        painting=lambda done, count: painted.append(done),
    )
    assert told == [("tsm-seed0", step) for step in (1, 2, 3, 4)] and painted == []
    assert (out / "gsm-seed0" / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(DataError, match="other looks"):
        train_alike(replace(RECIPE, clutter=1.0), [AlikeRun("gst", 0)], out, 6, 0)


def test_an_ended_run_of_another_recipe_is_not_taken_for_this_ones(trained):
    out, _, _ = trained
    with pytest.raises(DataError, match="none-seed0: holds a run with another configuration"):
        train_alike(replace(RECIPE, learning_rate=0.1), [AlikeRun("none", 0)], out, 6, 0)


def test_a_run_whose_loss_is_no_number_has_diverged_and_has_no_checkpoint(trained, tmp_path):
    run, wild = AlikeRun("none", 0), replace(RECIPE, learning_rate=1000.0, optimizer="sgd")
    ended = train_alike(wild, [run], tmp_path, stored_clips=6, workers=0)
    assert ended[run].diverged and not (tmp_path / run.name / "model.safetensors").exists()


def test_a_curve_is_plain_values(trained):
    out, _, _ = trained
    curve = curve_of(out / "gsm-seed0", points=2)
    assert [point["step"] for point in curve] == [1.0, 3.0]
