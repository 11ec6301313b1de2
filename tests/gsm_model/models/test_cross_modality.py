"""A network of motion starts from one of pictures."""

import pytest
import torch

from gsm_model.models.cost import cost_of
from gsm_model.models.cross_modality import cross_modality_weights
from gsm_model.models.recognizer import build_recognizer
from gsm_model.video.modality import RGB, Modality


def test_equal_planes_give_ten_thirds_of_a_grey_pictures_answer_at_the_first_convolution():
    rgb, flow = (
        build_recognizer("resnet18", num_classes=3, width=0.0625, modality=modality).eval()
        for modality in (RGB, Modality("flow", 5))
    )
    weights = cross_modality_weights(rgb.state_dict(), flow.state_dict())
    flow.load_state_dict(weights)
    plane = torch.randn(1, 1, 32, 32)
    one, other = (
        model.base_model.conv1(plane.repeat(1, planes, 1, 1))
        for model, planes in ((rgb, 3), (flow, 10))
    )
    torch.testing.assert_close(other, one * 10 / 3, atol=1e-4, rtol=1e-5)
    own = rgb.state_dict()
    assert all(
        torch.equal(own[key], weights[key]) for key in own if key != "base_model.conv1.weight"
    )


def test_the_flow_stream_has_the_size_of_the_two_stream_network():
    cost = cost_of(build_recognizer("resnet18", modality=Modality("flow", 5)))
    assert cost.parameters / 1e6 == pytest.approx(11.288, abs=5e-4)
    assert cost.macs / 8e9 == pytest.approx(2.089, abs=5e-4)
