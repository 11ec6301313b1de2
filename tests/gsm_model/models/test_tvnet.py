"""TVNet starts as TV-L1, learns, and is near another implementation of it."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gsm_model.models.checkpoints.files import load_checkpoint, save_checkpoint
from gsm_model.models.recognizer import build_recognizer
from gsm_model.models.tvnet import TVNet
from gsm_model.motion.tvl1 import TVL1, tvl1_flow
from gsm_model.video.clip_input import clip_input
from gsm_model.video.isolate import read_video
from gsm_model.video.modality import Modality
from tests.conftest import PARITY
from tests.gsm_model.motion.test_tvl1 import inside, texture

SMALL = TVL1(scales=2, warps=2, iterations=5)


def pairs():
    moves = [(0.5, 0), (2, 1)]
    return torch.stack([texture(0, 0)] * 2), torch.stack([texture(*move) for move in moves])


def test_it_starts_as_tvl1():
    with torch.no_grad():
        torch.testing.assert_close(
            TVNet(SMALL).flow(*pairs()), tvl1_flow(*pairs(), SMALL), atol=1e-3, rtol=0
        )


def test_everything_of_it_learns():
    net = TVNet(SMALL)
    net.flow(*pairs()).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.any(), name


@pytest.mark.parametrize("warps", [1, 5])
def test_its_flow_is_near_that_of_a_port(warps):
    """The port warps bilinearly and pads its smoothing with zeros, so it is not equal."""
    moves = json.loads((PARITY / "systems" / "tvnet_port.json").read_text())["info"]["moves"]
    reference = np.load(PARITY / "systems" / "tvnet_port.npz")
    steps = torch.arange(5) - 2.0
    line = torch.exp(-(steps**2) / (2 * 0.8**2))
    kernel = (line[:, None] * line / line.sum() ** 2)[None, None]

    def smooth(picture):
        return F.conv2d(picture.floor()[None, None], kernel, padding=2)[:, 0]

    net = TVNet(TVL1(scales=1, warps=warps, iterations=50))
    for place, move in enumerate(moves[1:4], start=1):
        with torch.no_grad():
            [flow] = net.flow(smooth(texture(0, 0)), smooth(texture(*move)))
        away = inside(flow - torch.from_numpy(reference[f"flow{place}_{warps}x50"]))
        assert torch.linalg.norm(away, dim=0).mean() < 0.05


def test_a_network_with_it_takes_frames_and_is_written_and_read(frames_folder, tmp_path):
    modality = Modality("learnt flow", 1)
    model = build_recognizer("resnet18", "none", 3, 4, 0.0625, 32, modality=modality).eval()
    clip = clip_input(model, read_video(frames_folder, [4], neighbours=1)).views
    assert clip.shape == (1, 4, 6, 32, 32) and clip.max() > 100
    save_checkpoint(model, tmp_path / "m.safetensors")
    again = load_checkpoint(tmp_path / "m.safetensors")
    with torch.inference_mode():
        torch.testing.assert_close(again(clip), model(clip))
    model.train()(clip).sum().backward()
    assert model.front.differences.grad is not None


def test_it_answers_nearly_as_a_stream_that_is_given_the_flow(frames_folder):
    own, given = (
        build_recognizer("resnet18", "none", 3, 4, 0.0625, 32, modality=Modality(kind, 1)).eval()
        for kind in ("learnt flow", "flow")
    )
    own.front = TVNet(TVL1())
    video = read_video(frames_folder, [4], neighbours=1)
    with torch.inference_mode():
        flow = own.front(clip_input(own, video).views[0])
    stored = clip_input(given, video).views[0] * 0.226 * 40
    assert (flow - stored).abs().max() <= 0.1  # half of a step of the stored flow
