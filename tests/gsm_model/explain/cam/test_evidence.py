"""What maps are made of: all layers and targets from one pass, and the points of a network."""

import numpy as np
import pytest
import torch

from gsm_model.explain.cam.evidence import Target, evidence_of_clips
from tests.conftest import make_small


@pytest.fixture(scope="module")
def clips():
    return torch.randn(2, 4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def test_one_forward_and_one_backward_serve_all_layers_and_targets(clips):
    model, runs = make_small("gsm"), []
    model.register_forward_hook(lambda *_: runs.append(1))
    points, forwards = list(model.feature_points()), []
    original = model.frame_logits
    model.frame_logits = lambda clip: forwards.append(1) or original(clip)
    _, found = evidence_of_clips(model, clips, [Target(0), Target(1), Target(2, 1)], points)
    assert len(forwards) == 1 and [len(layers) for _, layers in found] == [len(points)] * 3


def test_before_and_after_a_gate_are_what_enters_and_leaves_it(clips):
    model, seen = make_small("gsm"), {}
    module = model.gate_layers()["layer3.1.gsm_conv2"]
    module.register_forward_hook(
        lambda _, inputs, output: seen.update(before=inputs[0].detach(), after=output.detach())
    )
    _, [(_, found)] = evidence_of_clips(
        model, clips, [Target(0)], ["layer3.1:before", "layer3.1:after"]
    )
    for one in found:
        np.testing.assert_array_equal(
            one.features,
            seen[one.layer.partition(":")[2]].numpy(),
        )
