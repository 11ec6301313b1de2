"""3D ResNets as mmaction2 publishes them: R(2+1)D-34, ir-CSN and ip-CSN.

Time is halved at the first block of stages 2 to 4, in the middle convolution (of a basic block in
the first one) and in the shortcut. Source: Tran and others, CVPR 2018 and ICCV 2019; mmaction2 1.2,
``resnet2plus1d.py``, ``resnet3d_csn.py`` and ``conv2plus1d.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.backbones.resnet import LAYOUTS
from gsm_model.models.video_networks.network import VideoNetwork

Mode = Literal["r2plus1d", "ir", "ip"]
Triple = tuple[int, int, int]
EPS = 1e-3  # of all BatchNorms but those inside a (2+1)D convolution


class FactorisedConv(nn.Module):
    """A (2+1)D convolution: over space into M channels, BatchNorm, ReLU, over time; M such that it
    has no more weights than a 3D one of three taps, also where it has one.
    """

    def __init__(self, c_in: int, c_out: int, kernel: Triple, stride: Triple, padding: Triple):
        super().__init__()
        (taps, height, width), (step, down, right), (ahead, top, left) = kernel, stride, padding
        area = height * width
        middle = 3 * area * c_in * c_out // (area * c_in + 3 * c_out)
        space, beside = (1, height, width), (0, top, left)
        self.conv_s = nn.Conv3d(c_in, middle, space, (1, down, right), beside, bias=False)
        self.bn_s = nn.BatchNorm3d(middle)
        time, pad = (taps, 1, 1), (ahead, 0, 0)
        self.conv_t = nn.Conv3d(middle, c_out, time, (step, 1, 1), pad, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_t(F.relu(self.bn_s(self.conv_s(x))))


def _normed(conv: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(conv, nn.BatchNorm3d(channels, eps=EPS))


def _conv(c_in: int, c_out: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A size³ convolution with its BatchNorm, all three axes strided alike."""
    conv = nn.Conv3d(c_in, c_out, size, stride, size // 2, groups=groups, bias=False)
    return _normed(conv, c_out)


def _factorised(c_in: int, c_out: int, size: int, stride: int = 1) -> nn.Sequential:
    sizes, strides, pads = ((one,) * 3 for one in (size, stride, size // 2))
    return _normed(FactorisedConv(c_in, c_out, sizes, strides, pads), c_out)


class FactorisedBlock(nn.Module):
    """A basic block of two (2+1)D convolutions; its shortcut is one too."""

    def __init__(self, c_in: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _factorised(c_in, planes, 3, stride)
        self.conv2 = _factorised(planes, planes, 3)
        changes = stride != 1 or c_in != planes
        self.downsample = _factorised(c_in, planes, 1, stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv2(F.relu(self.conv1(x)))
        return F.relu(inner + (x if self.downsample is None else self.downsample(x)))


class SeparatedBlock(nn.Module):
    """A bottleneck whose 3×3×3 convolution is depthwise (ir), behind a 1×1×1 one with BatchNorm and
    no ReLU where channels are to mix there (ip).
    """

    def __init__(self, c_in: int, planes: int, stride: int, mixes: bool) -> None:
        super().__init__()
        self.conv1 = _conv(c_in, planes, 1)
        depthwise = _conv(planes, planes, 3, stride, groups=planes)
        before = [_conv(planes, planes, 1)] if mixes else []
        self.conv2 = nn.Sequential(*before, depthwise)
        self.conv3 = _conv(planes, 4 * planes, 1)
        changes = stride != 1 or c_in != 4 * planes
        self.downsample = _conv(c_in, 4 * planes, 1, stride) if changes else None

    def forward(self, x: Tensor) -> Tensor:
        inner = self.conv3(F.relu(self.conv2(F.relu(self.conv1(x)))))
        return F.relu(inner + (x if self.downsample is None else self.downsample(x)))


class ResNet3D(VideoNetwork):
    """A stem with a max-pool over space and four stages of blocks, as deep as the 2D ResNet
    ``layout``.
    """

    def __init__(self, layout: str, mode: Mode) -> None:
        super().__init__()
        kernel, stride, padding = (3, 7, 7), (1, 2, 2), (1, 3, 3)
        if mode == "r2plus1d":
            stem: nn.Module = FactorisedConv(3, 64, kernel, stride, padding)
        else:
            stem = nn.Conv3d(3, 64, kernel, stride, padding, bias=False)
        self.conv1 = _normed(stem, 64)
        self.pool = nn.Sequential(nn.ReLU(), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
        channels = 64
        for stage, depth in enumerate(LAYOUTS[layout][1], start=1):
            planes, blocks = 32 * 2**stage, nn.ModuleList()
            for index in range(depth):
                step = 2 if index == 0 and stage > 1 else 1
                if mode == "r2plus1d":
                    blocks.append(FactorisedBlock(channels, planes, step))
                    channels = planes
                else:
                    blocks.append(SeparatedBlock(channels, planes, step, mixes=mode == "ip"))
                    channels = 4 * planes
            self.add_module(f"layer{stage}", blocks)
        self.num_features = channels
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def chain(self) -> Iterator[tuple[str, nn.Module]]:
        yield "", self.conv1
        yield "", self.pool
        for stage in range(1, 5):
            for index, block in self.get_submodule(f"layer{stage}").named_children():
                yield f"layer{stage}.{index}", block
