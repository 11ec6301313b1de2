"""R(2+1)D against torchvision's block, and the truths of its definition."""

import pytest
import torch
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.probe import Probe
from gsm_model.models.systems.r2plus1d import SpatialTemporalConv, middle_channels
from tests.conftest import make_small


@pytest.mark.parametrize(
    ("channels", "middle"),
    [
        ((64, 64), 144),
        ((64, 128), 230),
        ((128, 128), 288),
        ((128, 256), 460),
        ((256, 256), 576),
        ((256, 512), 921),
        ((512, 512), 1152),
    ],
)
def test_the_channels_between_are_those_of_the_papers_formula(channels, middle):
    assert middle_channels(*channels, (3, 3)) == middle


def torchvision_block(c_in: int, c_out: int, middle: int, stride: int = 1) -> nn.Sequential:
    """torchvision's Conv2Plus1D, written as its source has it: S, BatchNorm, ReLU, T."""
    return nn.Sequential(
        nn.Conv3d(c_in, middle, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        nn.Conv3d(middle, c_out, (3, 1, 1), (1, 1, 1), (1, 0, 0), bias=False),
    )


@pytest.mark.parametrize("stride", [1, 2])
def test_the_module_is_torchvisions_with_the_same_weights(stride):
    torch.manual_seed(0)
    ours = SpatialTemporalConv(nn.Conv2d(8, 12, 3, stride, 1)).eval()
    theirs = torchvision_block(8, 12, ours.norm.num_features, stride).eval()
    for norm in (ours.norm, theirs[1]):
        nn.init.normal_(norm.bias, std=0.1)
        norm.running_var.uniform_(0.5, 1.5)
    theirs[0].weight.data = ours.spatial.weight.data[:, :, None].clone()
    theirs[1].load_state_dict(ours.norm.state_dict())
    theirs[3].weight.data = ours.temporal.weight.data.clone()
    x = torch.randn(2, 5, 8, 9, 9)
    with torch.inference_mode():
        expected = theirs(x.transpose(1, 2)).transpose(1, 2)
        found = ours(x, Probe(2))
    assert (found - expected).abs().max() <= 1e-6 * expected.abs().max()


def test_a_resnet18_has_the_parameters_counted_of_it():
    with torch.device("meta"):
        model = build_recognizer("resnet18", "r2plus1d", num_classes=174)
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(33.249e6, abs=0.5e3)


@pytest.mark.parametrize("system", ["r2plus1d", "gst"])
def test_kernels_that_are_symmetric_in_time_are_blind_to_reversal_and_others_are_not(system):
    model, clip = make_small(system), torch.randn(1, 6, 3, 32, 32)
    with torch.inference_mode():
        forward, backward = model(clip), model(clip.flip(1))
    assert (forward - backward).abs().max() > 1e-3 * forward.std()
    for layer in model.temporal_layers():
        if layer.module is not None:
            weight = layer.module.temporal.weight
            weight.data = (weight.data + weight.data.flip(2)) / 2
    with torch.inference_mode():
        forward, backward = model(clip), model(clip.flip(1))
        moved = model(clip[:, [1, 0, 2, 3, 4, 5]])
    assert (forward - backward).abs().max() <= 1e-5 * forward.std()
    assert (forward - moved).abs().max() > 1e-4 * forward.std(), "order still matters"


def test_readings_are_the_norms_of_the_taps_and_the_share_that_tells_direction():
    module = SpatialTemporalConv(nn.Conv2d(4, 4, 3, 1, 1))
    weight = torch.zeros_like(module.temporal.weight)
    weight[:, 0, 0], weight[:, 0, 1], weight[:, 0, 2] = -3.0, 4.0, 3.0
    module.temporal.weight.data = weight
    kernels, share = module.readings()
    torch.testing.assert_close(kernels.values, torch.tensor([[3.0, 4.0, 3.0]] * 4))
    assert kernels.labels == ("−1", "0", "+1") and kernels.axes == ("channel", "tap")
    # Half the difference to its mirror image is (−3, 0, 3): √18 of √34.
    assert float(share.values) == pytest.approx((18 / 34) ** 0.5)
