"""TSM: which channels move where, and at which blocks it stands."""

import torch

from gsm_model import build_recognizer
from gsm_model.models.probe import Probe
from gsm_model.models.systems.tsm import TemporalShift


def test_an_eighth_comes_from_the_next_frame_an_eighth_from_the_previous_the_rest_stays():
    x = torch.randn(2 * 3, 16, 2, 2)
    clips = x.view(2, 3, 16, 2, 2)
    out = TemporalShift()(clips, Probe(2))
    assert torch.equal(out[:, :2, :2], clips[:, 1:, :2]) and out[:, 2, :2].abs().sum() == 0
    assert torch.equal(out[:, 1:, 2:4], clips[:, :2, 2:4]) and out[:, 0, 2:4].abs().sum() == 0
    assert torch.equal(out[:, :, 4:], clips[:, :, 4:])


def count(backbone: str) -> int:
    model = (
        build_recognizer(backbone, "tsm", 3, width=0.125)
        if backbone.startswith("resnet")
        else build_recognizer(backbone, "tsm", 3)
    )
    return sum(isinstance(module, TemporalShift) for module in model.modules())


def test_it_stands_in_every_block_but_in_every_second_one_of_resnet_101():
    assert count("resnet50") == 16
    assert count("resnet101") == 2 + 2 + 12 + 2
    assert count("bn_inception") == 10


def test_it_has_no_parameters():
    assert not list(TemporalShift().parameters())
