"""FstCN as this package reads it: temporal kernels at the top alone."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.probe import Probe
from gsm_model.models.systems.fstcn import FactorisedTop
from tests.conftest import make_small
from tests.gsm_model.models.systems.released import close


@pytest.mark.parametrize("backbone", ["resnet18", "bn_inception", "inception_v3"])
def test_one_module_stands_behind_the_last_block(backbone):
    with torch.device("meta"):
        model = build_recognizer(backbone, "fstcn")
    layers = model.temporal_layers()
    assert [layer.module is not None for layer in layers] == [False] * (len(layers) - 1) + [True]


def test_a_fresh_module_changes_nothing_and_a_trained_one_adds_what_the_equation_says():
    module, x = FactorisedTop(16).eval(), torch.randn(2, 5, 16, 4, 4)
    with torch.inference_mode():
        assert torch.equal(module(x, Probe(2)), x)
        nn.init.ones_(module.restored[1].weight)
        inner = F.relu(module.permuted[1](module.permuted[0](x.flatten(0, 1))))
        inner = inner.unflatten(0, (2, 5)).transpose(1, 2)
        inner = F.conv3d(inner, module.temporal[0].weight, padding=(1, 0, 0)).transpose(1, 2)
        inner = F.relu(module.temporal[1](inner.flatten(0, 1)))
        added = module.restored[1](module.restored[0](inner)).unflatten(0, (2, 5))
        assert close(module(x, Probe(2)), x + added)


def test_with_its_temporal_kernels_at_the_centre_tap_the_network_is_blind_to_order():
    model, x = make_small("fstcn"), torch.randn(1, 5, 3, 32, 32)
    shuffled = x[:, [3, 0, 4, 1, 2]]
    with torch.inference_mode():
        spread = model(x).std()
        assert (model(x) - model(shuffled)).abs().max() > 1e-4 * spread
        kernel = model.temporal_layers()[-1].module.temporal[0].weight
        kernel[:, :, [0, 2]] = 0
        assert (model(x) - model(shuffled)).abs().max() <= 1e-5 * spread
