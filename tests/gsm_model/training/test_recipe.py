"""The release's recipe as one configuration, and partial BatchNorm."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gsm_model.bundled import assets
from gsm_model.data.lists import VideoList, read_video_list
from gsm_model.models.systems.gsm import GateShiftModule
from gsm_model.training.config import TrainConfig
from gsm_model.training.log import LOG_FILE, read_log
from gsm_model.training.optim import build_model, frozen_norms, parameter_groups, set_training
from gsm_model.training.train import train

RECIPE = TrainConfig.read(assets() / "training" / "gsm-something-v1.json")
LEFT_TO_RIGHT = "Pulling something from left to right"
CLASSES = ("Closing something", LEFT_TO_RIGHT, "Pulling something from right to left")


def test_the_configuration_is_the_releases_recipe():
    """Its command, on the 86,017 training clips of Something-Something V1."""
    epochs, clips, parts = 60, 86_017, 2
    assert RECIPE.batch_size == 16 * parts and RECIPE.accumulate == parts
    assert RECIPE.steps == round(epochs * clips / RECIPE.batch_size)
    assert RECIPE.warmup == pytest.approx(10 / epochs, abs=1e-5)
    assert (RECIPE.optimizer, RECIPE.learning_rate, RECIPE.momentum) == ("sgd", 0.01, 0.9)
    assert (RECIPE.weight_decay, RECIPE.clip_gradient, RECIPE.dropout) == (5e-4, 20, 0.5)
    assert (RECIPE.crops, RECIPE.mirror) == ("multi-scale", "something-something")
    assert (RECIPE.batch_norm, RECIPE.label_smoothing) == ("all", 0)


def small(**changes) -> TrainConfig:
    """The recipe for a network and clips that take seconds."""
    of = {"backbone": "resnet18", "width": 0.125, "num_segments": 2, "input_size": 32}
    of |= {"initial": "", "precision": "32-true", "batch_size": 6, "steps": 24, "dropout": 0.0}
    of |= {"learning_rate": 0.1}
    return replace(RECIPE, **(of | changes))


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> VideoList:
    """Two clips of each class: a thing that stays, and one that goes either way."""
    folder, lines = tmp_path_factory.mktemp("list"), []
    rng = np.random.default_rng(0)
    for label in range(len(CLASSES)):
        for number in range(2):
            place = folder / f"{label}-{number}"
            place.mkdir()
            for frame in range(6):
                picture = rng.integers(0, 40, (36, 48, 3), dtype=np.uint8)
                left = {0: 18, 1: 6 * frame, 2: 30 - 6 * frame}[label]
                picture[8 + 8 * (label == 0) : 28, left : left + 12, 0 if label else 2] = 250
                Image.fromarray(picture).save(place / f"{frame + 1:05d}.jpg")
            lines.append(f"{place.name} 6 {label}")
    (folder / "list.txt").write_text("\n".join(lines))
    (folder / "labels.txt").write_text("\n".join(CLASSES))
    return read_video_list(folder)


def test_it_learns_a_small_list_and_partial_batchnorm_goes_on_from_there(videos, tmp_path):
    learnt = train(small(), tmp_path / "all", videos, workers=0)
    loss = read_log(tmp_path / "all" / LOG_FILE)["loss"]
    assert loss[-5:].mean() < 0.8 * loss[:5].mean()
    before = {key: tensor.clone() for key, tensor in learnt.state_dict().items()}
    config = small(batch_norm="first", steps=2, warmup=0.0)
    after = train(config, tmp_path / "first", videos, workers=0, initial=learnt).state_dict()
    kept = {f"base_model.{name}" for name in names_of_frozen(learnt, config)}
    assert len(kept) > 10 and "base_model.bn1" not in kept
    for key, tensor in after.items():
        same = torch.equal(tensor, before[key])
        assert same == (key.rpartition(".")[0] in kept), key


def names_of_frozen(model, config) -> list[str]:
    frozen = set(frozen_norms(model, config))
    return [name for name, module in model.base_model.named_modules() if module in frozen]


def test_all_batchnorms_of_the_backbone_but_the_first_are_frozen_and_those_of_gates_learn():
    config = small(batch_norm="first", backbone="resnet18", groups="one")
    model = build_model(config, 3)
    set_training(model, config)
    kinds = (nn.BatchNorm2d, nn.BatchNorm3d)
    norms = [module for module in model.modules() if isinstance(module, kinds)]
    gates = [module for module in model.modules() if isinstance(module, GateShiftModule)]
    own = {norm for gate in gates for norm in gate.modules()}
    learning = [norm for norm in norms if norm.training]
    assert set(learning) == {model.base_model.bn1, *(norm for norm in norms if norm in own)}
    assert all(norm.weight.requires_grad == norm.training for norm in norms)
    [group] = parameter_groups(model, config)
    assert len(group["params"]) == sum(each.requires_grad for each in model.parameters())
    assert not frozen_norms(model, replace(config, batch_norm="all"))


def test_a_whole_video_network_is_trained_on_frames_as_training_takes_them():
    whole = {"temporal": "csn", "backbone": "ircsn_50", "width": 1.0, "num_segments": 8}
    config = small(**whole, batch_norm="first")
    with torch.device("meta"):
        model = build_model(config, 3)
    assert (model.input.sampling, model.input.width, model.input.size) == ("even", None, 32)
    assert len(frozen_norms(model, config)) == 16 * 3 + 4
