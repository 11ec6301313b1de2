"""Checkpoints as training frameworks wrap them: the same network under any prefix, at any depth,
beside anything, and what was taken is said.
"""

import argparse
import collections
import datetime
import enum
import pathlib
import random
import sys
import types

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gsm_model import CheckpointError, load_checkpoint
from gsm_model.models.checkpoints.contents import weights_in
from gsm_model.models.checkpoints.files import SUFFIXES
from gsm_model.models.checkpoints.layouts import candidates
from gsm_model.models.checkpoints.naming import named
from gsm_model.models.checkpoints.safe_load import read_torch_file
from tests.conftest import make_small

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "recognizer.", "lit.")
CONTAINERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "model_state",
    "net",
    "weights",
    "params",
    "whatever",
)
EMA_ENTRIES = ("state_dict_ema", "model_ema", "ema", "ema_state_dict", "ema_model")
EMA_PREFIXES = ("ema_model.", "model_ema.module.", "ema.")
HEADS = ("new_fc", "fc", "classifier", "head", "last_linear", "logits", "head.fc", "classifier.1")


@pytest.fixture(scope="module")
def gsm() -> dict[str, Tensor]:
    return make_small("gsm").state_dict()


@pytest.fixture(scope="module")
def plain() -> dict[str, Tensor]:
    """A TSN's weights."""
    return make_small("none").state_dict()


def few(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Enough of the weights to know the network by."""
    parts = ("conv1.weight", "conv3D.weight", "new_fc.weight", "new_fc.bias")
    return {key: value for key, value in state.items() if key.endswith(parts)}


def read(content, tmp_path, name="m.pth"):
    """The candidate networks in a file of ``content``, through the restricted reader."""
    torch.save(content, tmp_path / name)
    found = weights_in(read_torch_file(tmp_path / name, name), name)
    return found, list(candidates(found.state, 8, name))


def assert_same(weights, expected) -> None:
    expected = {key: value for key, value in expected.items() if key in weights}
    assert set(weights) == set(expected)
    assert all(torch.equal(weights[key], value) for key, value in expected.items())


def beside(chance: random.Random, monkeypatch) -> dict[str, object]:
    """Objects that are left beside weights, a few of them."""
    optimizer = {
        "state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(3, 3)}},
        "param_groups": [{"lr": 0.1, "params": [0]}],
    }
    everything = {
        "optimizer": optimizer,
        "optimizer_states": [optimizer],
        "args": argparse.Namespace(lr=0.1, folder=pathlib.PurePosixPath("/data")),
        "path": pathlib.PurePosixPath("/data/list.txt"),
        "best": np.float64(50.6),
        "history": np.arange(4),
        "when": datetime.datetime(2020, 1, 1),
        "meters": collections.defaultdict(list, {"loss": [1.0]}),
        "recent": collections.deque([1, 2], maxlen=4),
        "names": types.SimpleNamespace(a=1),
        "config": foreign("yacs.config", "CfgNode", dict, monkeypatch)({"a": 1}),
        "cfg": foreign("omegaconf.listconfig", "ListConfig", list, monkeypatch)([1, 2]),
        "hparams": foreign("lightning.utilities", "AttributeDict", object, monkeypatch)(),
        "callbacks": {foreign("pytorch_lightning", "Stopper", object, monkeypatch): {"wait": 1}},
        "epoch": 3,
        "lr": [0.01],
        "metric": torch.tensor(0.5),
        "rng_state": torch.zeros(16, dtype=torch.uint8),
        "note": None,
    }
    return {key: everything[key] for key in chance.sample(list(everything), 6)}


def foreign(module: str, name: str, base: type, monkeypatch) -> type:
    """A class of a package that is not installed, importable only while the file is written."""
    made = types.ModuleType(module)
    parts = module.split(".")
    for depth in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:depth]), types.ModuleType("p"))
    monkeypatch.setitem(sys.modules, module, made)
    body = {"__module__": module} if base is not object else {"__module__": module, "x": 1}
    setattr(made, name, type(name, (base,), body))
    return getattr(made, name)


@pytest.mark.parametrize("seed", range(30))
def test_any_prefixes_in_any_container_beside_anything_give_the_same_weights(
    seed, gsm, plain, tmp_path, monkeypatch
):
    chance = random.Random(seed)
    kind = chance.choice(["gsm", "none"])
    expected = few(gsm if kind == "gsm" else plain)
    prefix = "".join(chance.choices(PREFIXES, k=chance.randint(0, 3)))
    content: dict = {prefix + key: value for key, value in expected.items()}
    averaged = chance.choice(["none", "beside", "inside", "buffers", "only"])
    other = {key: torch.zeros_like(value) for key, value in content.items()}
    if averaged == "inside":
        start = chance.choice(EMA_PREFIXES)
        content |= {start + key: value for key, value in other.items()}
    elif averaged == "buffers":
        content |= {"ema_" + key.replace(".", "_"): value for key, value in other.items()}
    container = chance.choice(CONTAINERS)
    if averaged == "only":
        container = chance.choice(EMA_ENTRIES)
    record = {container: content}
    if averaged == "beside":
        record[chance.choice(EMA_ENTRIES)] = other
    if chance.random() < 0.3:
        record = {"checkpoint": record}
    if chance.random() < 0.7:
        record = beside(chance, monkeypatch) | record
    items = list(record.items())
    chance.shuffle(items)
    found, [candidate] = read(dict(items), tmp_path)
    assert_same(candidate.weights, expected)
    assert candidate.architecture.temporal == kind
    said = " ".join([*found.reading(), *candidate.reading])
    words = {"none": "", "only": "averaged ones", "beside": "left", "inside": "left"}
    assert words.get(averaged, "ema_") in said and (averaged != "none" or not said)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("root", ["base_model.", "backbone.", "model.backbone.", ""])
def test_a_classifier_of_another_usual_name_is_found_and_said(head, root, plain):
    state = {}
    for key, value in plain.items():
        part = key.removeprefix("new_fc.")
        state[f"{head}.{part}" if part != key else root + key.removeprefix("base_model.")] = value
    [candidate] = candidates(state, 8, "m.pth")
    assert_same(candidate.weights, plain)
    assert (head in " ".join(candidate.reading)) == (head != "new_fc")


def test_mmaction2s_head_is_usual_and_its_two_averages_are_told_apart(plain):
    state = {
        key.replace("base_model.", "backbone.").replace("new_fc.", "cls_head.fc_cls."): value
        for key, value in plain.items()
    }
    pairs = (("conv1", "conv1.conv"), ("bn1", "conv1.bn"), ("conv2", "conv2.conv"))
    renamed = {}
    for key, value in state.items():
        for old, new in (*pairs, ("bn2", "conv2.bn")):
            key = key.replace(f".{old}.", f".{new}.")
        key = key.replace("downsample.0", "downsample.conv").replace(
            "downsample.1", "downsample.bn"
        )
        renamed[key] = value
    copies = {"ema_" + key.replace(".", "_"): value + 1 for key, value in renamed.items()}
    [candidate] = candidates(renamed | copies, 8, "m.pth")
    assert candidate.published == "mmaction2"
    assert_same(candidate.weights, plain)
    assert candidate.reading == (
        "the second set of weights that mmcv keeps for its EMA ('ema_…') was left",
    )


def test_old_shapes_and_half_precision_load(tmp_path, gsm):
    old = {}
    for key, value in gsm.items():
        if key.endswith("num_batches_tracked"):
            if "layer1" not in key:
                old[key] = value.reshape(1)
        elif ".bn" in key and value.ndim == 1:
            old[key] = value[None].half()
        else:
            old[key] = value.half()
    torch.save({"state_dict": old}, tmp_path / "m.pth")
    model = load_checkpoint(tmp_path / "m.pth", num_segments=4)
    clip = torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        expected = make_small("gsm")(clip)
        torch.testing.assert_close(model(clip), expected, atol=0.02, rtol=0.02)
    assert next(model.parameters()).dtype == torch.float32


def test_a_lightning_file_says_on_its_card_how_it_was_read(tmp_path, gsm):
    state = {f"model.{key}": value for key, value in gsm.items()}
    state |= {f"ema_model.{key}": value + 1 for key, value in gsm.items()}
    state["criterion.weight"] = torch.ones(5)
    torch.save({"pytorch-lightning_version": "2.0", "state_dict": state}, tmp_path / "last.ckpt")
    assert ".ckpt" in SUFFIXES
    model = load_checkpoint(tmp_path / "last.ckpt")
    assert_same(model.state_dict(), gsm)
    assert model.card.reading == (
        "Read off the file: averaged weights (EMA) under 'ema_model' were left."
    )


def test_a_file_that_needed_no_inference_says_nothing(tmp_path, gsm):
    state = {f"module.{key}": value for key, value in gsm.items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "m_segment4_checkpoint.pth.tar")
    assert load_checkpoint(tmp_path / "m_segment4_checkpoint.pth.tar").card.reading == ""


def test_a_whole_model_saved_instead_of_its_weights_is_read_without_its_code(tmp_path):
    """The classes are gone when the file is read, as they are on another machine."""
    made = types.ModuleType("authors.models")
    made.Own = type("Own", (nn.Sequential,), {"__module__": "authors.models"})
    own = made.Own(collections.OrderedDict(base=nn.Linear(3, 2), norm=nn.BatchNorm1d(2)))
    sys.modules |= {"authors": types.ModuleType("authors"), "authors.models": made}
    try:
        torch.save({"model": own, "epoch": 1}, tmp_path / "m.pth")
    finally:
        del sys.modules["authors"], sys.modules["authors.models"]
    found = weights_in(read_torch_file(tmp_path / "m.pth", "m.pth"), "m.pth")
    assert found.entry == "model"
    assert_same(found.state, own.state_dict())
    assert set(found.state) == set(own.state_dict())


class Colour(enum.Enum):
    RED = 1


def test_members_of_an_enumeration_beside_the_weights_are_passed_over(tmp_path, gsm):
    _, [candidate] = read({"state_dict": gsm, "kind": Colour.RED, "dtype": torch.float16}, tmp_path)
    assert_same(candidate.weights, gsm)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"epoch": 3, "path": "x"},
            r"no state_dict of tensors, but a dictionary of 'epoch' \(int\)",
        ),
        ({}, "but an empty dictionary"),
        ([1, 2], "but list"),
        (torch.zeros(3), r"but a tensor of shape \(3,\)"),
        (
            {"a": {"w": torch.zeros(2, 2)}, "b": {"w": torch.zeros(2, 2)}},
            r"several sets of weights \('a', 'b'\)",
        ),
    ],
)
def test_what_holds_no_weights_is_said_to_hold_what_it_holds(content, message, tmp_path):
    with pytest.raises(CheckpointError, match=message):
        read(content, tmp_path)


def changed(state, **changes):
    return dict(state) | {key.replace("__", "."): value for key, value in changes.items()}


def test_what_cannot_be_told_apart_is_refused(plain):
    two = {f"{stream}.{key}": value for stream in ("rgb", "flow") for key, value in plain.items()}
    with pytest.raises(CheckpointError, match=r"holds 2 networks \('rgb.base_model', 'flow.base"):
        named(two, "m.pth")
    verbs = changed(plain, fc_verb__weight=torch.zeros(7, 64), fc_verb__bias=torch.zeros(7))
    with pytest.raises(CheckpointError, match=r"2 linear layers behind .*fc_verb \(7, 64\)"):
        named(verbs, "m.pth")
    twice = changed(plain) | {f"module.{key}": value for key, value in plain.items()}
    with pytest.raises(
        CheckpointError, match=r"'base_model\..*' and 'module\.base_model\..*' are both the"
    ):
        named(twice, "m.pth")


@pytest.mark.parametrize("key", ["backbone.layer1.0.conv1.net.weight", "base_model.bn1.weight"])
def test_two_keys_that_become_one_are_refused(plain, key):
    state = {name.replace("base_model.", "backbone."): value for name, value in plain.items()}
    with pytest.raises(CheckpointError, match="are both the network's"):
        list(candidates(state | {key: torch.zeros(8, 8, 3, 3)}, 8, "m.pth"))


def test_tensors_that_are_no_plain_numbers_and_endless_names_are_refused(tmp_path, plain):
    key = "base_model.conv1.weight"
    for odd in (plain[key].to_sparse(), plain[key].to(torch.complex64), plain[key].to("meta")):
        torch.save({"state_dict": dict(plain) | {key: odd}}, tmp_path / "m.pth")
        with pytest.raises(CheckpointError, match=r"sparse, quantised.*conv1\.weight"):
            load_checkpoint(tmp_path / "m.pth")
    torch.save({"state_dict": dict(plain) | {"a." * 300: plain[key]}}, tmp_path / "m.pth")
    with pytest.raises(CheckpointError, match="more than 512 characters"):
        load_checkpoint(tmp_path / "m.pth")


def test_what_holds_itself_is_looked_into_once(tmp_path, plain):
    content = {f"key{index}": None for index in range(50)}
    content |= {key: content for key in content}
    with pytest.raises(CheckpointError, match="holds no state_dict"):
        weights_in(content, "m.pth")


def test_no_key_is_dropped_without_a_rule(plain, tmp_path):
    """Whatever is put beside the weights either has a rule or is named in an error."""
    for key in ("base_model.layer1.0.extra", "module.aux.bias", "ema_x"):
        torch.save({"state_dict": dict(plain) | {key: torch.zeros(2)}}, tmp_path / "m.pth")
        with pytest.raises(CheckpointError, match=rf"1 unexpected \({key.removeprefix('module.')}"):
            load_checkpoint(tmp_path / "m.pth")


def test_another_pickle_protocol_and_torchscript_are_called_what_they_are(tmp_path, plain):
    torch.save({"state_dict": plain}, tmp_path / "m.pth", pickle_protocol=4)
    with pytest.raises(CheckpointError, match="another pickle protocol"):
        read_torch_file(tmp_path / "m.pth", "m.pth")
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "m.pt")
    with pytest.raises(CheckpointError, match="TorchScript archive"):
        read_torch_file(tmp_path / "m.pt", "m.pt")


@pytest.mark.parametrize("name", ["os.system", "subprocess.Popen", "builtins.eval", "torch.load",
                                  "importlib.import_module", "shutil.rmtree", "builtins.exec",
                                  "pickle.Unpickler", "ctypes.CDLL", "torch.hub.load"])  # fmt: skip
def test_names_that_do_harm_get_no_stand_in(name):
    from gsm_model.models.checkpoints.safe_load import _may_stand_in

    assert not _may_stand_in(name)
