"""Representation flow: the releases' layers run by its functions, and its truths."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gsm_model.models.probe import Probe
from gsm_model.models.systems.flow_of_flow import FlowOfFlow
from gsm_model.models.systems.representation_flow import (
    FlowKernels,
    RepresentationFlow,
    flow_of_features,
    scaled,
)
from tests.conftest import fill
from tests.gsm_model.models.systems.released import Released
from tests.gsm_model.motion.test_tvl1 import texture


def kernels_of(release: Released) -> FlowKernels:
    """The kernels of a release, which lists them as the layer starts."""

    def kernel(name):
        entry = release.listed[name]
        release.unused.discard(name)
        values = torch.tensor(entry["value"], dtype=torch.float32)
        if values.numel() < np.prod(entry["shape"]):
            values = values.view(entry["shape"][2:]).expand(*entry["shape"])
        return values.reshape(entry["shape"])

    pairs = [
        (kernel(a), kernel(b))
        for a, b in (("img_grad", "img_grad2"), ("f_grad", "f_grad2"), ("div", "div2"))
    ]
    return FlowKernels(*pairs, kernel("a"), kernel("l"), kernel("t"))


def minus_255_to_0(x):
    return 255 * (x - x.min()) / (x.min() - x.max())


def test_the_first_releases_flow_is_found_with_its_kernels():
    release = Released("repflow_old_layer")
    frames = torch.from_numpy(fill.clip(2, 24)[0])
    frames = minus_255_to_0(torch.cat([frames, frames.mean(1, keepdim=True)], 1))
    found = flow_of_features(frames[:1], frames[1:], kernels_of(release), 10, "first")
    for ours, name in zip(found, ("u", "v"), strict=True):
        np.testing.assert_allclose(ours.numpy(), release.outputs[name], atol=1e-4)


def test_the_current_releases_layer_is_found_with_its_dense_kernels():
    release = Released("repflow_layer")
    base = fill.clip(4, 24)[0]
    rolled = [np.roll(base, i, axis=-1) * (1 - 0.01 * i) for i in range(22)]
    x = torch.from_numpy(np.concatenate(rolled, 1)[:, :64].astype(np.float32))
    inner = minus_255_to_0(F.conv2d(x, release["bottleneck.weight"].flatten(2)[..., None]))
    flow = flow_of_features(inner[:-1], inner[1:], kernels_of(release), 10, "first")
    out = F.conv2d(torch.cat(flow, 1), release["unbottleneck.weight"].flatten(2)[..., None])
    out = F.relu(x[:-1] + release.norm("bn", out[None])[0])
    expected = release.outputs["out"]
    ours = out.transpose(0, 1)[::8][None].numpy()
    assert np.abs(ours - expected).max() <= 1e-3 * np.abs(expected).max()
    assert not release.unused


@pytest.mark.parametrize(
    ("move", "iterations", "expected"),
    [((0.5, 0), 10, 0.098), ((0.5, 0), 50, 0.028), ((1, -0.5), 10, 0.329), ((2, 1), 50, 0.352)],
)
def test_without_warps_it_follows_small_moves(move, iterations, expected):
    module = RepresentationFlow(32)
    one, other = texture(0, 0, 96), texture(*move, 96)
    pictures = [picture.expand(1, 32, -1, -1) for picture in (one, other)]
    with torch.no_grad():
        u, v = flow_of_features(*pictures, module.kernels(), iterations)
    error = torch.hypot(u - move[0], v - move[1])[..., 10:-10, 10:-10].mean()
    assert error == pytest.approx(expected, rel=0.35)


def test_a_still_clip_has_no_flow_and_a_clip_alone_is_as_among_others():
    torch.manual_seed(0)
    module = RepresentationFlow(8).eval()
    torch.nn.init.ones_(module.join[1].weight)
    still = torch.randn(1, 1, 8, 6, 6).relu().expand(-1, 3, -1, -1, -1)
    with torch.no_grad():
        assert not module.motion(still, Probe()).any()
        torch.testing.assert_close(module(still, Probe()), still)
        clips = torch.randn(2, 3, 8, 6, 6) * torch.tensor([1.0, 9.0]).view(2, 1, 1, 1, 1)
        together = module(clips, Probe(2))
        torch.testing.assert_close(together[:1], module(clips[:1], Probe()))


def test_features_are_scaled_from_0_to_255_by_their_two_frames():
    one, other = scaled(torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4))
    both = torch.stack([one, other], 1).flatten(1)
    torch.testing.assert_close(both.amin(1), torch.zeros(2))
    torch.testing.assert_close(both.amax(1), torch.full((2,), 255.0))


def test_flow_of_flow_is_the_flow_of_a_convolution_of_the_flow():
    torch.manual_seed(0)
    module, x = FlowOfFlow(8).eval(), torch.randn(2, 4, 8, 7, 6)
    with torch.no_grad():
        found = module.motion(x, Probe(2))
        for clip, of_clip in zip(x, found, strict=True):
            features = module.reduce(clip)
            first = torch.cat(
                flow_of_features(*scaled(features[:-1], features[1:]), module.kernels()), 1
            )
            joined = F.conv2d(first, module.between.weight, padding=1)
            second = flow_of_features(*scaled(joined[:-1], joined[1:]), module.kernels())
            torch.testing.assert_close(of_clip[:2], torch.cat(second, 1), atol=1e-4, rtol=1e-4)
    assert found.shape == (2, 4, 16, 7, 6) and not found[:, 2:].any()


def test_flow_of_flow_of_a_still_clip_and_of_too_few_frames_is_none():
    torch.manual_seed(0)
    module = FlowOfFlow(8).eval()
    still = torch.randn(1, 1, 8, 6, 6).expand(-1, 4, -1, -1, -1)
    with torch.no_grad():
        assert not module.motion(still, Probe()).any()
        for frames in (1, 2):
            assert not module.motion(torch.randn(1, frames, 8, 6, 6), Probe()).any()


def test_what_two_frames_ahead_changes_is_seen_where_the_branch_is_open():
    module = FlowOfFlow(8)
    assert module.reach() == (0, 0)
    torch.nn.init.ones_(module.join[1].weight)
    assert module.reach() == (0, 2)
