"""A small network of 3D convolutions that halves time twice, random weights."""

from __future__ import annotations

import torch
from torch import nn

from gsm_model.models.card import Card
from gsm_model.models.recognizer import Architecture, Recognizer
from gsm_model.models.video_networks.network import VideoNetwork
from gsm_model.video.transforms import InputSpec


class Halving(VideoNetwork):
    num_features = 6

    def __init__(self) -> None:
        super().__init__()
        self.first = self._block(3, 4)
        self.second = self._block(4, 6)

    @staticmethod
    def _block(c_in: int, c_out: int) -> nn.Sequential:
        conv = nn.Conv3d(c_in, c_out, 3, 2, 1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm3d(c_out), nn.ReLU(inplace=True))

    def chain(self):
        yield "layer1.0", self.first
        yield "layer2.0", self.second


def halving_network(classes: int = 5, frames: int = 8) -> Recognizer:
    """It answers once per clip, and holds 2 time steps of 8 frames at its last layer."""
    torch.manual_seed(3)
    architecture = Architecture("r3d_18", "r3d", classes, frames)
    model = Recognizer(Halving(), architecture, InputSpec.kinetics(32, 36, 48), 0.5)
    nn.init.normal_(model.new_fc.weight)
    model.card = Card("Halving", labels=tuple(f"class {index}" for index in range(classes)))
    return model.eval()
