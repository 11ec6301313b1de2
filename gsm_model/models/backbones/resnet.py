"""ResNets (He et al., 2016) and ResNeXt-101 32×4d (Xie et al., 2017) with torchvision's layer
names: stride two sits in the 3×3 convolution.

``(N·T, 3, H, W)`` → ``(N·T, num_features)``. ``width`` scales every channel count, for small
models.
"""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone, Host, Site, frame_by_frame
from gsm_model.models.temporal import TemporalModule


class ResidualBlock(Host):
    """Convolutions with BatchNorms, and a shortcut; ``last_conv`` is where a between-module
    stands.
    """

    expansion: int
    groups = 1
    last_conv: str
    # The convolutions that look beyond one place.
    spatial: tuple[str, ...]
    conv1: nn.Conv2d

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.downsample = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def norm_name(self, conv: str) -> str:
        return conv.replace("conv", "bn")

    def end_channels(self, end: str) -> int:
        return getattr(self, self.norm_name(self.last_conv)).num_features

    def add_beside(self, name: str, build: Callable[[int, int, int], TemporalModule]) -> None:
        stride = 1
        for conv in self.spatial:
            stride *= getattr(self, conv).stride[0]
        self.add_module(name, build(self.conv1.in_channels, self.end_channels(""), stride))
        self._beside = name

    def branch(self, x: Tensor, probe: Probe) -> Tensor:
        raise NotImplementedError

    def add_at_input(self, name: str, module: TemporalModule) -> None:
        self.add_module(name, module)
        self._input = name

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        x = self.block_input(x, probe)
        shortcut = x if self.downsample is None else self.downsample(x)
        out = F.relu(self.branch(x, probe) + shortcut, inplace=True)
        if self._beside is not None:
            out = out + probe.through(getattr(self, self._beside), x)
        return self.block_end("", out, probe)


class BasicBlock(ResidualBlock):
    """Two 3×3 convolutions (ResNet-18 and -34)."""

    expansion = 1
    last_conv = "conv2"
    spatial = ("conv1", "conv2")

    def __init__(self, c_in: int, planes: int, stride: int) -> None:
        super().__init__(c_in, planes, stride)
        self.conv1 = nn.Conv2d(c_in, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)

    def branch(self, x: Tensor, probe: Probe) -> Tensor:
        x = self.conv_bn("conv1", x, probe, relu=True)
        return self.conv_bn("conv2", x, probe)


class Bottleneck(ResidualBlock):
    """1×1, 3×3, 1×1 (ResNet-50, -101 and -152)."""

    expansion = 4
    last_conv = "conv3"
    spatial = ("conv2",)
    # How many times ``planes`` the 3×3 convolution has, in how many groups.
    widened = 1

    def __init__(self, c_in: int, planes: int, stride: int) -> None:
        super().__init__(c_in, planes * 4, stride)
        middle, groups = planes * self.widened, self.groups
        self.conv1 = nn.Conv2d(c_in, middle, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)

    def branch(self, x: Tensor, probe: Probe) -> Tensor:
        x = self.conv_bn("conv1", x, probe, relu=True)
        x = self.conv_bn("conv2", x, probe, relu=True)
        return self.conv_bn("conv3", x, probe)


class GroupedBottleneck(Bottleneck):
    """1×1, 3×3 in 32 groups of four channels each in the first stage, 1×1 (ResNeXt-101 32×4d)."""

    widened = 2
    groups = 32


RESNEXT = "resnext101_32x4d"
LAYOUTS: dict[str, tuple[type[ResidualBlock], tuple[int, int, int, int]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
    "resnet152": (Bottleneck, (3, 8, 36, 3)),
    RESNEXT: (GroupedBottleneck, (3, 4, 23, 3)),
}


class ResNet(Backbone):
    """A 7×7 stem and four stages of residual blocks.

    Raises:
        ValueError: if ``width`` gives no channels, or a number that is not a multiple of 4 (in a
            ResNeXt of 16).
    """

    def __init__(self, layout: str, width: float = 1.0) -> None:
        super().__init__()
        block, depths = LAYOUTS[layout]
        planes, multiple = round(64 * width), 4 if block.groups == 1 else 16
        if planes < multiple or planes % multiple:
            raise ValueError(
                f"width {width} gives {planes} channels; use a width for which 64·width is a"
                f" multiple of {multiple}"
            )
        self.conv1 = nn.Conv2d(3, planes, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        channels = planes
        for stage, depth in enumerate(depths, start=1):
            blocks = nn.ModuleList()
            for index in range(depth):
                blocks.append(block(channels, planes, stride=2 if index == 0 and stage > 1 else 1))
                channels = planes * block.expansion
            self.add_module(f"layer{stage}", blocks)
            planes *= 2
        self.num_features = channels
        self._start()

    def _start(self) -> None:
        """He initialisation, and each residual branch at zero, so that training from scratch starts
        as a shallow network.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for block in self._blocks():
            nn.init.zeros_(getattr(block, block.norm_name(block.last_conv)).weight)

    def _blocks(self) -> list[ResidualBlock]:
        return [block for stage in range(1, 5) for block in getattr(self, f"layer{stage}")]

    def norm_name(self, conv: str) -> str:
        return conv.replace("conv", "bn")

    def feature_map(self, x: Tensor, probe: Probe) -> Tensor:
        """The last block's output, ``(N·T, num_features, h, w)``."""
        x = frame_by_frame(
            lambda part: F.max_pool2d(
                self.conv_bn("conv1", part, probe, relu=True), 3, 2, padding=1
            ),
            x,
            probe,
        )
        for block in self._blocks():
            x = block(x, probe)
        return x

    def block_ends(self) -> dict[str, tuple[nn.Module, str]]:
        """Each residual block by its title → where its output passes (`Probe.pass_point`), in
        network order.
        """
        return {site.title: (site.host, "") for site in self.sites()}

    def sites(self) -> list[Site]:
        """One site a residual block."""
        return [
            Site(
                host=block,
                conv=block.last_conv,
                branch="conv1",
                title=f"layer{stage}.{index}",
                spatial=block.spatial,
                stage=f"layer{stage}",
                block=index,
            )
            for stage in range(1, 5)
            for index, block in enumerate(getattr(self, f"layer{stage}"))
        ]
