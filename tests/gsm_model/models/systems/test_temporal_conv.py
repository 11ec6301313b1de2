"""What the systems made of convolutions over time have in common."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.cost import cost_of
from gsm_model.models.registry import systems
from gsm_model.models.systems.temporal_conv import NormedConv, conv_over_time, fold_inner
from tests.conftest import make_small

CONVOLUTIONAL = (
    "r2plus1d",
    "r3d",
    "mc3",
    "s3d",
    "s3dg",
    "p3d",
    "csn",
    "gst",
    "multifiber",
    "mict",
    "eco",
    "fstcn",
)


@pytest.mark.parametrize("taps", [1, 3, 7])
@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("frames", [2, 5, 8])
def test_a_convolution_over_time_is_pytorchs_with_any_stride_and_groups(taps, step, frames):
    conv = nn.Conv3d(4, 6, (taps, 3, 3), (step, 2, 1), (taps // 2, 1, 1), groups=2)
    x = torch.randn(2, frames, 4, 5, 5)
    with torch.inference_mode():
        expected = conv(x.transpose(1, 2)).transpose(1, 2)
        torch.testing.assert_close(conv_over_time(x, conv), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    "conv", [nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.Conv3d(4, 6, 3, 1, 1, groups=2)]
)
def test_a_convolution_and_its_norm_fold_into_one(conv):
    pair, x = NormedConv(conv).eval(), torch.randn(2, 5, 4, 6, 6)
    nn.init.normal_(pair[1].weight)
    pair[1].running_mean.normal_()
    folded = copy.deepcopy(pair)
    fold_inner(folded)
    assert isinstance(folded[1], nn.Identity)
    with torch.inference_mode():
        torch.testing.assert_close(folded(x), pair(x), atol=1e-5, rtol=1e-4)


# Million parameters and multiply-adds (10⁹) a frame of ResNet-18 with 174 classes at 224 × 224,
# counted from the papers' definitions. The 2D network has 11.266 M and 1.814.
COUNTED = {
    "r2plus1d": (33.249, 5.165),
    "r3d": (33.237, 5.166),
    "mc3": (11.561, 2.738),
    "s3d": (15.451, 2.430),
    "s3dg": (16.844, 2.430),
    "p3d": (13.359, 2.122),
    "csn": (1.612, 0.422),
    "gst": (9.699, 1.582),
    "multifiber": (1.823, 0.407),
    "mict": (16.023, 2.681),
    "eco": (31.910, 3.432),
    "fstcn": (11.448, 1.822),
}


@pytest.mark.parametrize("system", CONVOLUTIONAL)
def test_a_resnet18_has_the_parameters_and_the_cost_counted_of_it(system):
    with torch.device("meta"):
        model = build_recognizer("resnet18", system, num_classes=174)
    frames, cost = 8, cost_of(model, 8)
    parameters, macs = COUNTED[system]
    assert cost.parameters == pytest.approx(parameters * 1e6, abs=0.6e3)
    assert cost.macs / frames == pytest.approx(macs * 1e9, abs=0.6e6)


@pytest.mark.parametrize("system", CONVOLUTIONAL)
def test_kernels_that_are_symmetric_in_time_are_blind_to_reversal_and_others_are_not(system):
    model, clip = make_small(system), torch.randn(1, 6, 3, 32, 32)
    with torch.inference_mode():
        forward, backward = model(clip), model(clip.flip(1))
    assert (forward - backward).abs().max() > 1e-4 * forward.std()
    for layer in model.temporal_layers():
        for conv in () if layer.module is None else layer.module.modules():
            if isinstance(conv, nn.Conv3d):
                conv.weight.data = (conv.weight.data + conv.weight.data.flip(2)) / 2
    with torch.inference_mode():
        forward, backward = model(clip), model(clip.flip(1))
        moved = model(clip[:, [1, 0, 2, 3, 4, 5]])
    assert (forward - backward).abs().max() <= 1e-5 * forward.std()
    assert (forward - moved).abs().max() > 1e-4 * forward.std(), "order still matters"


@pytest.mark.parametrize("system", CONVOLUTIONAL)
def test_readings_say_how_much_of_the_kernels_tells_direction(system):
    for layer in make_small(system).temporal_layers():
        kernels = [
            conv.weight.detach()
            for conv in ([] if layer.module is None else layer.module.modules())
            if isinstance(conv, nn.Conv3d)
        ]
        if not kernels:
            continue
        readings = {one.name: one.values for one in layer.module.readings(layer.norm)}
        [w] = kernels
        earlier_less_later = (w[:, :, 0] - w[:, :, 2]).norm() / 2**0.5
        torch.testing.assert_close(readings["antisymmetry"], earlier_less_later / w.norm())
        norms = torch.stack([w[:, :, tap].flatten(1).norm(dim=1) for tap in range(3)], dim=1)
        torch.testing.assert_close(readings["temporal_kernels"], norms)


def test_every_system_has_a_name_and_a_paper_of_its_own():
    entries = systems().values()
    assert len({entry.title for entry in entries}) == len(entries)
    assert all(entry.paper for entry in entries)
    assert set(CONVOLUTIONAL) <= systems().keys()


def test_a_frame_beyond_the_ends_counts_as_zero():
    conv, x = nn.Conv3d(2, 2, (3, 1, 1), padding=(1, 0, 0), bias=False), torch.randn(1, 2, 2, 1, 1)
    with torch.inference_mode():
        out = conv_over_time(x, conv)
        first = F.linear(x[0, 0, :, 0, 0], conv.weight[:, :, 1, 0, 0])
        second = F.linear(x[0, 1, :, 0, 0], conv.weight[:, :, 2, 0, 0])
    torch.testing.assert_close(out[0, 0, :, 0, 0], first + second)
