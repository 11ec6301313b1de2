"""STM against the file that carries its first author's name, and the truths of its definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.cost import cost_of
from gsm_model.models.probe import Probe
from gsm_model.models.systems.stm import SpatioTemporalMotion, shift_kernels
from tests.conftest import PARITY, fill, make_small, released_weights

FIXTURE = PARITY / "systems" / "stm_r50_8f"
RENAMES = (
    (".conv2.weight", ".conv2.conv.weight"),
    (".mb.stage_conv.", ".conv2.squeeze.0."),
    (".mb.stage_bn.", ".conv2.squeeze.1."),
    (".mb.shift.", ".conv2.kernel."),
    (".mb.conv1x1.", ".conv2.expand."),
    (".shift.weight", ".conv2.shift.weight"),
)


def renamed(key: str) -> str:
    for old, new in RENAMES:
        if old in key:
            return f"base_model.{key.replace(old, new)}"
    return f"new_fc.{key[3:]}" if key.startswith("fc.") else f"base_model.{key}"


def published_block(block: nn.Module, x: torch.Tensor, motion: list) -> torch.Tensor:
    """A bottleneck in the arrangement of that file: motion is added behind bn2 and its ReLU."""
    inner = F.relu(block.bn1(block.conv1(x)))[None]
    still = F.relu(block.bn2(block.conv2.spatiotemporal(inner)[0]))
    motion.append(block.conv2.motion(inner, Probe(), inner.shape[-2:])[0])  # before it is pooled
    moves = block.conv2.motion(inner, Probe(), still.shape[-2:])[0]
    shortcut = x if block.downsample is None else block.downsample(x)
    return F.relu(block.bn3(block.conv3(still + moves)) + shortcut)


@pytest.mark.slow
def test_our_operator_in_the_published_arrangement_gives_its_logits_and_motion():
    reference = np.load(FIXTURE.with_suffix(".npz"))
    model = build_recognizer("resnet50", "stm").eval()
    weights = {renamed(k): v for k, v in released_weights("systems/stm_r50_8f").items()}
    shaped = {k: v[..., None, None] if v.ndim == 3 else v for k, v in weights.items()}
    model.load_state_dict(shaped)
    network, motion = model.base_model, []
    found = {}
    with torch.inference_mode():
        x = torch.from_numpy(fill.clip(8, 128))[0]
        x = F.max_pool2d(F.relu(network.bn1(network.conv1(x))), 3, 2, padding=1)
        for site in network.sites():
            x = published_block(site.host, x, motion)
            if site.title in ("layer2.0", "layer2.1"):
                found[f"motion:{site.title}.mb"] = motion[-1].mean((2, 3))
            if site.title == "layer2.3":
                found["layer2"] = x.mean((2, 3))
        found["frame_logits"] = model.new_fc(x.mean((2, 3)))
    found["logits"] = found["frame_logits"].mean(0, keepdim=True)
    for name in reference:
        error = np.abs(found[name].numpy() - reference[name]).max() / np.abs(reference[name]).max()
        assert error <= 1e-4, (name, error)


def module(channels: int = 32, stride: int = 1) -> SpatioTemporalMotion:
    return SpatioTemporalMotion(nn.Conv2d(channels, channels, 3, stride, 1, bias=False)).eval()


def test_it_starts_as_a_shift_of_half_the_channels():
    fresh, x = module(8), torch.randn(1, 4, 8, 5, 5)
    shifted = x.clone()
    shifted[:, 1:, :2], shifted[:, 0, :2] = x[:, :-1, :2], 0
    shifted[:, :-1, 6:], shifted[:, -1, 6:] = x[:, 1:, 6:], 0
    with torch.inference_mode():
        expected = fresh.conv(shifted[0])[None]
        torch.testing.assert_close(fresh(x, Probe()), expected)
    assert fresh.reach() == (1, 1)


def test_motion_of_a_still_clip_is_what_its_kernel_does_to_a_frame():
    one, seen = module(), []
    probe = Probe(readings=(lambda module, name, value: seen.append(value),))
    still = torch.randn(1, 1, 32, 5, 5).expand(-1, 4, -1, -1, -1)
    with torch.inference_mode():
        one(still, probe)
        f = one.squeeze(still[:, 0])
        expected = (one.kernel(f) - f).abs().mean(1)
        assert expected.min() > 0
        torch.testing.assert_close(seen[0][0, :3, 0], expected.expand(3, -1, -1))
        assert not seen[0][0, 3].any(), "the last frame has no next one"
        one.kernel.weight.data = torch.zeros(2, 1, 3, 3)
        one.kernel.weight.data[:, :, 1, 1] = 1
        one(still, probe)
    assert seen[1].max() <= 2e-6, "zero where the kernel passes a frame unchanged"


def test_reversal_changes_what_moves_even_where_all_kernels_are_symmetric():
    model, clip = make_small("stm"), torch.randn(1, 4, 3, 32, 32)
    for layer in model.temporal_layers():
        layer.module.shift.weight.data = torch.full_like(layer.module.shift.weight, 1 / 3)
        kernel = layer.module.kernel.weight
        kernel.data = kernel.data + kernel.data.flip(2, 3)
    with torch.inference_mode():
        forward, backward = model(clip), model(clip.flip(1))
    assert (forward - backward).abs().max() > 1e-3 * forward.std()


def test_a_convolution_that_strides_gets_motion_of_its_size():
    one = module(16, stride=2)
    nn.init.normal_(one.expand.weight)
    x = torch.randn(1, 3, 16, 7, 6)
    with torch.inference_mode():
        assert one(x, Probe()).shape == (1, 3, 16, 4, 3)
        f = one.squeeze(x[0, :, :, :6])
        change = one.kernel(f)[1:] - f[:-1]
        expected = F.max_pool2d(one.expand(change), 2)
        found = one.motion(x[:, :, :, :6], Probe(), (3, 3))
    torch.testing.assert_close(found[0, :2], expected)


def test_kernels_over_time_are_read_by_tap():
    kernels, share = module(8).readings()
    torch.testing.assert_close(kernels.values, shift_kernels(8)[:, 0, :, 0, 0])
    # Four of eight kernels move: half of (1, 0, −1) each, of a norm of ½·√2.
    assert float(share.values) == pytest.approx((4 * 0.5 / 8) ** 0.5)


def test_the_networks_have_the_parameters_and_the_cost_counted_of_them():
    with torch.device("meta"):
        bottleneck = build_recognizer("resnet50", "stm", num_classes=174)
        basic = build_recognizer("resnet18", "stm", num_classes=174)
    assert sum(p.numel() for p in bottleneck.parameters()) == 24_035_666
    assert sum(p.numel() for p in basic.parameters()) == pytest.approx(11.360e6, abs=0.5e3)
    assert cost_of(basic, 2).macs / 2 == pytest.approx(1.829e9, rel=2e-3)
