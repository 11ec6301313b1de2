"""Networks that are not drawn: every other thing about them is as it would be."""

import subprocess
import sys

import pytest
import torch

from gsm_model.models.recognizer import build_recognizer
from gsm_model.models.undrawn import Undrawn


@pytest.mark.parametrize("system", ["none", "gsm", "stm", "s3dg", "cost_b"])
def test_a_network_is_built_without_one_random_number(system):
    before = torch.get_rng_state()
    with Undrawn():
        undrawn = build_recognizer("resnet18", system, 5, width=0.125)
    assert torch.equal(torch.get_rng_state(), before)
    drawn = build_recognizer("resnet18", system, 5, width=0.125)
    assert not torch.equal(torch.get_rng_state(), before)
    assert {key: value.shape for key, value in undrawn.state_dict().items()} == {
        key: value.shape for key, value in drawn.state_dict().items()
    }


def test_what_is_not_drawn_keeps_its_value():
    with Undrawn():
        weight = torch.zeros(3)
        assert torch.nn.init.normal_(weight) is weight and weight.normal_() is weight
        torch.nn.init.ones_(torch.zeros(2))
    assert weight.tolist() == [0, 0, 0]
    assert weight.normal_().abs().sum() > 0


@pytest.mark.parametrize("bounds", [(-2.0, 2.0), (1.0, 1.5)])
def test_a_truncated_distribution_ends_whatever_the_memory_held(bounds):
    """PyTorch draws again until all is within the bounds."""
    with Undrawn():
        weight = torch.full((4,), 1e9)
        torch.nn.init.trunc_normal_(weight, 0.0, 1.0, *bounds)
    assert ((weight >= bounds[0]) & (weight <= bounds[1])).all()


def test_a_checkpoint_is_read_without_pytorchs_compiler():
    code = (
        "import sys; from gsm_model import load_checkpoint; from gsm_model.bundled import assets;"
        "load_checkpoint(assets() / 'models' / 'gsm_resnet18.safetensors');"
        "print([name for name in sys.modules if name.startswith('torch._dynamo')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
