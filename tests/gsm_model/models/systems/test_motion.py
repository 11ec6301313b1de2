"""MFN, OFF and feature differences: what changes until the next frame, and the truths of each."""

import pytest
import torch
from torch import nn

from gsm_model import build_recognizer
from gsm_model.models.cost import cost_of
from gsm_model.models.probe import Probe
from gsm_model.models.systems.difference import FeatureDifference
from gsm_model.models.systems.motion_feature import SHIFTS, MotionFilter
from gsm_model.models.systems.off import FlowGuidedFeature
from tests.conftest import make_small

BUILDS = {
    "motion_feature": MotionFilter,
    "difference": FeatureDifference,
    "off": FlowGuidedFeature,
}
every_branch = pytest.mark.parametrize("system", BUILDS)


def shown(module: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """What ``module`` shows of the clip ``x``."""
    found = {}
    probe = Probe(len(x), readings=(lambda module, name, value: found.update({name: value}),))
    with torch.inference_mode():
        module(x, probe)
    return found


@every_branch
def test_a_fresh_network_is_the_2d_network_and_looks_at_no_other_frame(system):
    torch.manual_seed(1)
    fresh = build_recognizer("resnet18", system, 5, width=0.125, input_size=32).eval()
    plain = build_recognizer("resnet18", "none", 5, width=0.125, input_size=32).eval()
    plain.load_state_dict(fresh.state_dict(), strict=False)
    clip = torch.randn(1, 3, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(fresh(clip), plain(clip))
    reaches = {layer.module.reach() for layer in fresh.temporal_layers() if layer.module}
    assert reaches == {(0, 0)}


@every_branch
def test_nothing_makes_it_blind_to_reversal(system):
    model, clip = make_small(system), torch.randn(1, 4, 3, 32, 32)
    with torch.inference_mode():
        forward, backward = model(clip), model(clip.flip(1))
    assert (forward - backward).abs().max() > 1e-3 * forward.std()


def test_of_a_still_clip_only_differences_over_time_are_exactly_zero():
    still = torch.randn(1, 1, 32, 6, 6).expand(-1, 3, -1, -1, -1)
    assert not shown(FeatureDifference(32), still)["motion"].any()
    left = shown(MotionFilter(32), still)["motion"][0, :-1]
    assert not left[:, 0].any() and (left[:, 1:].mean((0, 2, 3)) > 0).all()
    over_time, in_space = shown(FlowGuidedFeature(32), still)["gradients"][0].unbind(1)
    assert not over_time.any() and in_space.mean() > 0


@every_branch
def test_the_last_frame_has_no_change(system):
    first = next(iter(shown(BUILDS[system](16), torch.randn(1, 3, 16, 6, 6)).values()))
    assert first[0, 0, 0].any() and not first[0, 2, 0].any()


@pytest.mark.parametrize(("name", "shift"), SHIFTS.items())
def test_features_that_move_by_one_place_leave_nothing_in_their_direction(name, shift):
    right, down = shift
    frame = torch.randn(16, 8, 8)
    clip = torch.stack([frame, frame.roll((down, right), (1, 2))])[None]
    left = shown(MotionFilter(16), clip)["motion"][0, 0, :, 1:-1, 1:-1]
    place = list(SHIFTS).index(name)
    assert left[place].max() <= 1e-6
    assert all(left[other].mean() > 1e-2 for other in range(len(SHIFTS)) if other != place)


@pytest.mark.parametrize("axis", ["right", "down"])
def test_off_of_a_ramp_that_moves_has_its_slope_and_its_motion(axis):
    slope, step = 0.5, 1.5
    module = FlowGuidedFeature(2)
    module.reduce.weight.data = torch.tensor([[[[1.0]], [[0.0]]]])
    place = torch.arange(8.0).expand(8, 8) if axis == "right" else torch.arange(8.0)[:, None]
    ramp = (slope * place).expand(8, 8) + 4  # above 0, so that the ReLU passes it
    clip = torch.stack([ramp, ramp - slope * step])[None, :, None].repeat(1, 1, 2, 1, 1)
    with torch.inference_mode():
        across, down, over_time = module.motion(clip, Probe()).unbind(2)
    along, beside = (across, down) if axis == "right" else (down, across)
    inner = (slice(None), slice(None), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(along[inner], torch.full_like(along[inner], slope))
    assert beside.abs().max() <= 1e-6
    torch.testing.assert_close(over_time[:, 0], torch.full_like(ramp, -slope * step)[None])
    flow = shown(module, clip)["normal_flow"][0, 0, :, 1:-1, 1:-1].mean((1, 2))
    expected = torch.tensor([step, 0.0] if axis == "right" else [0.0, step])
    torch.testing.assert_close(flow, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("system", "parameters", "macs"),
    [
        ("motion_feature", 11.398e6, 1.833e9),
        ("difference", 11.353e6, 1.853e9),
        ("off", 11.439e6, 1.894e9),
    ],
)
def test_a_resnet18_has_the_parameters_and_the_cost_counted_of_it(system, parameters, macs):
    with torch.device("meta"):
        model = build_recognizer("resnet18", system, num_classes=174)
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(parameters, abs=0.5e3)
    assert cost_of(model, 2).macs / 2 == pytest.approx(macs, rel=2e-3)


@pytest.mark.parametrize(
    ("system", "backbone", "size"),
    [
        ("stm", "bn_inception", 64),
        ("off", "bn_inception", 64),
        ("stm", "inception_v3", 75),
        ("cost_b", "inception_v3", 75),
    ],
)
def test_it_stands_in_inceptions_and_keeps_their_features(system, backbone, size):
    model = build_recognizer(backbone, system, 5).eval()
    with torch.inference_mode():
        assert model.frame_logits(torch.zeros(1, 2, 3, size, size)).shape == (1, 2, 5)
    assert any(layer.module is not None for layer in model.temporal_layers())
