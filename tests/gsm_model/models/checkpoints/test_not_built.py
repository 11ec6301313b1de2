"""Networks of the family that cannot be built yet are named for what they are; of others the first
keys and shapes are.
"""

import pytest
import torch

from gsm_model import CheckpointError, load_checkpoint
from gsm_model.models.checkpoints.not_built import not_built_yet
from tests.conftest import make_small

NETWORKS = {
    "non-local, TSM release": (
        ["module.base_model.layer2.0.nl.g.0.weight", "base_model.layer2.0.block.conv1.net.weight"],
        "a TSM with non-local blocks",
    ),
    "non-local, mmaction2": (
        ["backbone.layer2.0.non_local_block.theta.conv.weight", "cls_head.fc_cls.weight"],
        "a network with non-local blocks",
    ),
    "MobileNetV2, TSM release": (
        ["module.base_model.features.3.conv.0.net.weight", "module.new_fc.weight"],
        "a TSM on MobileNetV2",
    ),
    "MobileNetV2, mmaction2": (
        ["backbone.layer2.1.conv.0.net.conv.weight", "cls_head.fc_cls.weight"],
        "a TSM on MobileNetV2",
    ),
    "TANet": (["backbone.layer1.0.tam.G.0.weight"], "a TANet"),
    "TIN": (["backbone.layer1.0.conv1.conv.net1.offset_net.conv.weight"], "a TIN"),
    "SlowFast": (["backbone.slow_path.conv1.conv.weight"], "a SlowFast"),
    "TimeSformer": (["model.blocks.0.attn.qkv.weight"], "a video transformer"),
    "VideoMAE": (["videomae.encoder.layer.0.attention.attention.query.weight"], "a video transf"),
}


@pytest.mark.parametrize("network", NETWORKS)
def test_a_network_of_another_kind_is_named_with_its_keys(network):
    keys, what = NETWORKS[network]
    said = not_built_yet({key: torch.zeros(1) for key in keys})
    assert said.startswith(f"is {what}") and keys[0] in said
    built = what.endswith(("non-local blocks", "MobileNetV2"))
    then = "builds such networks, but this file fits none" if built else "with its authors' code"
    assert then in said


@pytest.mark.parametrize(
    ("key", "shape", "what"),
    [
        (
            "module.base_model.conv1.weight",
            (64, 10, 7, 7),
            "optical flow: its input is 10 planes, 5",
        ),
        ("backbone.conv1.conv.weight", (64, 2, 7, 7), "2 planes, one field of flow"),
        ("base_model.conv1_7x7_s2.weight", (64, 20, 7, 7), "20 planes, 10 fields of flow"),
        ("conv1.weight", (64, 15, 7, 7), "differences of frames: its input is 15 planes"),
        ("backbone.conv1.conv.weight", (64, 3, 5, 7, 7), "a network of 3D convolutions"),
    ],
)
def test_another_input_is_named_by_its_planes(key, shape, what):
    assert what in not_built_yet({key: torch.zeros(shape)})


def test_what_is_built_is_not_named_otherwise():
    for system in ("none", "gsm", "gsf", "gst"):
        assert not_built_yet(make_small(system).state_dict()) is None


def test_a_file_of_one_is_refused_by_name_and_others_by_first_keys_and_shapes(tmp_path):
    state = make_small("none").state_dict()
    flow = state | {"base_model.conv1.weight": torch.zeros(8, 12, 7, 7)}
    torch.save({"state_dict": flow}, tmp_path / "flow.pth")
    with pytest.raises(
        CheckpointError, match=r"^flow\.pth: is a network on optical flow: .*\(8, 12"
    ):
        load_checkpoint(tmp_path / "flow.pth")
    torch.save({"state_dict": {"stem.w": torch.zeros(4, 2)}}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"holds 1 tensors \(stem\.w \(4, 2\)"):
        load_checkpoint(tmp_path / "other.pth")
