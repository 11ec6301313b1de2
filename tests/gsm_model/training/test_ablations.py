"""One thing changed at a time: what each variant of the gate is, and that all train alike."""

from dataclasses import replace

import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.models.systems.gsm import GateShiftModule
from gsm_model.training.ablations import (
    BRANCH_VARIANTS,
    VARIANTS,
    LinearGate,
    OpenGate,
    SigmoidGate,
    build_variant,
    variants_named,
)
from gsm_model.training.config import TrainConfig
from gsm_model.training.optim import build_model

TINY = TrainConfig(
    temporal="none",
    width=0.125,
    input_size=32,
    num_segments=8,
    style="probes",
    steps=2,
    batch_size=2,
    dropout=0.0,
    precision="32-true",
)


def gates(module: type[GateShiftModule], x: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(3)
    gate = module(8).eval()
    torch.nn.init.normal_(gate.conv3D.weight)
    return gate.gate(x)


def test_the_gates_differ_in_what_is_made_of_the_convolution_alone():
    x = torch.randn(1, 4, 8, 3, 3)
    linear = gates(LinearGate, x)
    torch.testing.assert_close(gates(GateShiftModule, x), linear.tanh())
    torch.testing.assert_close(gates(SigmoidGate, x), linear.sigmoid())
    assert linear.abs().max() > 1 and (gates(OpenGate, x) == 1).all()


def test_a_variant_stands_where_it_says():
    def where(name: str) -> list[str]:
        [variant] = variants_named([name])
        modules = build_variant(variant, TINY, 4).base_model.named_modules()
        return [path for path, module in modules if isinstance(module, GateShiftModule)]

    blocks = [f"layer{stage}.{block}" for stage in range(1, 5) for block in range(2)]
    published = build_model(TrainConfig("gsm", width=0.125), 4).base_model.named_modules()
    assert where("gsm") == [name for name, one in published if isinstance(one, GateShiftModule)]
    assert where("gsm") == [f"{block}.gsm_conv2" for block in blocks]
    assert where("first") == [f"{block}.gsm_conv1" for block in blocks]
    assert where("half") == [f"{block}.gsm_conv2" for block in blocks[1::2]]
    assert where("two") == [f"{block}.gsm_conv2" for block in blocks[-2:]]
    assert where("one") == ["layer4.1.gsm_conv2"] and where("tsm") == []
    assert where("between") == [f"{block}.gsm_conv1" for block in blocks]
    assert len(where("input")) == len(where("end")) == 8


def test_a_variant_of_branches_stands_in_the_longest_or_in_every_one():
    config = replace(TINY, backbone="bn_inception")

    def where(name: str) -> list[str]:
        [variant] = variants_named([name])
        modules = build_variant(variant, config, 4).base_model.named_modules()
        return [path for path, module in modules if isinstance(module, GateShiftModule)]

    longest = where("longest")
    assert longest[:3] == [f"gsm_inception_3{block}_double_3x3_2" for block in "abc"]
    assert len(longest) == 10 and set(longest) < set(where("every"))
    assert len(where("every")) == 8 * 4 + 2 * 2  # two blocks have a branch of pooling alone
    first = {f"gsm_inception_{block}_3x3_reduce" for block in ("3c", "4e")}  # as released
    assert set(where("gsm")) - first < set(where("every"))
    with pytest.raises(DataError, match="bn_inception"):
        build_variant(BRANCH_VARIANTS[0], TINY, 4)


ON_RESNETS = [(one, TINY) for one in VARIANTS]
ON_INCEPTION = [(one, replace(TINY, backbone="bn_inception")) for one in BRANCH_VARIANTS]


@pytest.mark.parametrize(
    ("variant", "config"),
    [*ON_RESNETS, *ON_INCEPTION],
    ids=[one.name for one in (*VARIANTS, *BRANCH_VARIANTS)],
)
def test_every_variant_sees_the_order_of_frames_once_its_weights_are_not_zero(variant, config):
    torch.manual_seed(0)
    model = build_variant(variant, config, 4).double()  # in training, so that BatchNorms scale
    for module in model.modules():
        if isinstance(module, GateShiftModule):
            torch.nn.init.normal_(module.conv3D.weight)
        if isinstance(module, torch.nn.BatchNorm2d):  # those at the ends of blocks start at 0
            torch.nn.init.ones_(module.weight)
    clip = torch.randn(1, 8, 3, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        assert (model(clip) - model(clip.flip(1))).abs().max() > 1e-6
        assert (model(clip) - model(clip)).abs().max() < 1e-12


def test_an_unknown_variant_is_said():
    with pytest.raises(DataError, match="unknown variant 'tan'; there are gsm, sigmoid"):
        variants_named(["tan"])
