"""Information flow: nothing crosses frames without a temporal module; with one, the reach grows
with every module.

A TSM moves features by one frame. A GSM does too, but its gate looks one frame further: two in all.
"""

import numpy as np
import pytest
import torch
from torch import nn

from gsm_model import build_recognizer
from gsm_model.explain.order.flow import information_flow
from gsm_model.models.systems.tsm import TemporalShift
from tests.conftest import make_small

T = 6
DISTANCE = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))


def make_inception():
    """A TSN BN-Inception whose features keep their size from layer to layer. As PyTorch begins its
    convolutions they shrink until what a frame changes is no larger than rounding.
    """
    torch.manual_seed(0)
    model = build_recognizer("bn_inception", "none", 5, 4, input_size=64).eval()
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    nn.init.normal_(model.new_fc.weight, std=0.3)
    return model


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50", "bn_inception"])
def test_in_a_tsn_only_a_frame_itself_matters(video, backbone):
    model = make_inception() if backbone == "bn_inception" else make_small("none", backbone)
    flow = information_flow(model, video, num_segments=T)
    for matrix in (flow.gradient, flow.replacement, *flow.reach):
        assert matrix.shape == (T, T)
        # A convolution may sum a batch of another size in another order: rounding, and no more, may
        # cross.
        assert matrix[DISTANCE > 0].max() <= 1e-4 * matrix.diagonal().max()
        assert (matrix.diagonal() > 0).all()


@pytest.mark.parametrize(("temporal", "step"), [("gsm", 2), ("tsm", 1)])
def test_the_reach_grows_with_each_module_and_no_faster(video, temporal, step):
    model = make_small(temporal)
    flow = information_flow(model, video, num_segments=T)
    modules = (
        len(model.gate_layers())
        if temporal == "gsm"
        else sum(isinstance(m, TemporalShift) for m in model.modules())
    )
    assert len(flow.layers) == modules == 8
    by_distance = flow.reach_by_distance()
    reached = [int(np.flatnonzero(row > 1e-4 * row[0]).max()) for row in by_distance]
    assert reached[0] == step and reached == sorted(reached) and reached[-1] > step
    assert all(far <= min(step * (k + 1), T - 1) for k, far in enumerate(reached))
    assert flow.gradient[DISTANCE > 0].max() > 1e-3 * flow.gradient.max()
    assert flow.replacement[DISTANCE > 0].max() > 1e-3 * flow.replacement.max()


def test_the_gradient_is_the_derivative_of_that_frames_score(video):
    """Against a small step along one frame's own pixels, in float64."""
    from gsm_model.video.transforms import to_views

    model = make_small("gsm").double()
    clip = to_views(video.clip(4)[1], model.input).double()
    with torch.no_grad():
        before = model.frame_logits(clip)[0, :, 2]
        step = torch.zeros_like(clip)
        step[:, 1] = torch.randn(
            clip.shape[2:], generator=torch.Generator().manual_seed(0), dtype=torch.float64
        )
        change = (model.frame_logits(clip + 1e-6 * step)[0, :, 2] - before) / 1e-6
    gradient = information_flow(model.float(), video, class_index=2).gradient
    assert (
        change.abs().numpy() <= gradient[1] * float(step.norm()) * 1.01 + 1e-9
    ).all() and change.abs().max() > 0


def test_nothing_is_left_on_the_model_after_an_error(video):
    model = make_small("gsm")
    with pytest.raises(IndexError):
        information_flow(model, video, class_index=99)
    assert not any(module._forward_hooks for module in model.modules())
    assert information_flow(model, video).class_index < 5
