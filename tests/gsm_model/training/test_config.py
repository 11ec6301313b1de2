"""What no training can be run with is refused when the configuration is read, by its key."""

import json
from typing import get_args

import pytest
from lightning_fabric import connector

from gsm_model.errors import DataError
from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
from gsm_model.models.recognizer import build_recognizer
from gsm_model.training.config import PRECISIONS, TrainConfig
from gsm_model.training.optim import build_model, build_optimizer, build_schedule
from gsm_model.video.modality import LARGEST_INPUT, SMALLEST_INPUT


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"clip_gradient": -20}, "'clip_gradient' must be at least 0, got -20"),
        ({"clip_gradient": float("inf")}, "'clip_gradient' must be a finite number, got inf"),
        ({"clip_gradient": 10**400}, "'clip_gradient' must be a finite number, got 1000"),
        ({"width": float("nan")}, "'width' must be a finite number, got nan"),
        ({"learning_rate": float("nan")}, "'learning_rate' must be a finite number, got nan"),
        ({"weight_decay": -0.1}, "'weight_decay' must be at least 0, got -0.1"),
        ({"momentum": -0.9}, "'momentum' must be at least 0, got -0.9"),
        ({"seed": -1}, "'seed' must be in 0 to 4294967295, got -1"),
        ({"seed": 2**32}, "'seed' must be in 0 to 4294967295, got 4294967296"),
        ({"num_segments": 65}, "'num_segments' must be in 1 to 64, got 65"),
        ({"input_size": 8}, "'input_size' must be in 16 to 1024, got 8"),
        ({"precision": "bf32"}, "'precision' is 'bf32'; there are 32-true, bf16-mixed"),
        (
            {"style": "probes", "num_segments": 10},
            "'num_segments': a probe's clip has a multiple of 4 frames, at least 8, not 10",
        ),
        ({"warmup": 1.0}, "'warmup' is 1.0 of 2000 steps, which leaves one-cycle no step to fall"),
        ({"warmup": 0.1, "steps": 10}, "of 10 steps, which leaves one-cycle no step to rise in"),
    ],
)
def test_what_no_training_can_be_run_with_is_refused_in_a_line(tmp_path, values, message):
    (tmp_path / "c.json").write_text(json.dumps({"temporal": "gsm", **values}))
    with pytest.raises(DataError, match=message) as error:
        TrainConfig.read(tmp_path / "c.json")
    assert "\n" not in str(error.value)


def test_what_is_nested_too_deep_is_no_readable_json(tmp_path):
    (tmp_path / "c.json").write_text('{"temporal":' + "[" * 200_000)
    with pytest.raises(DataError, match=r"^c\.json: not a readable JSON file"):
        TrainConfig.read(tmp_path / "c.json")


def test_the_precisions_are_lightning_fabrics():
    own = connector._PRECISION_INPUT_STR, connector._PRECISION_INPUT_STR_ALIAS
    assert set(PRECISIONS) == {name for names in own for name in get_args(names)}


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 50])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.3, 0.99])
def test_every_one_cycle_that_is_taken_can_be_stepped_to_its_end(steps, warmup):
    config = TrainConfig("none", width=0.125, steps=steps, warmup=warmup)
    optimizer = build_optimizer(build_recognizer("resnet18", "none", width=0.125), config)
    schedule = build_schedule(optimizer, config)
    for _ in range(steps):
        optimizer.step()
        schedule.step()
    assert 0 <= schedule.get_last_lr()[0] <= config.learning_rate


@pytest.mark.parametrize("size", [SMALLEST_INPUT, LARGEST_INPUT])
def test_a_model_of_every_size_that_is_trained_is_read_again(tmp_path, size):
    model = build_model(TrainConfig("none", width=0.125, input_size=size), 3)
    save_checkpoint(model, tmp_path / "model.safetensors")
    assert load_checkpoint(tmp_path / "model.safetensors").input.size == size
