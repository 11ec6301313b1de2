"""ResNets (He et al., 2016) with torchvision's layer names: stride two sits in the 3×3 convolution.

``(N·T, 3, H, W)`` → ``(N·T, num_features)``. ``width`` scales every channel count, for small
models.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.slots import ClipRun, Site, TemporalHost, frame_by_frame


class ResidualBlock(TemporalHost):
    """Convolutions with BatchNorms, and a shortcut; ``last_conv`` is where a between-module
    stands.
    """

    expansion: int
    last_conv: str

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.downsample = None
        if stride != 1 or c_in != c_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def norm_name(self, conv: str) -> str:
        return conv.replace("conv", "bn")

    def branch(self, x: Tensor, run: ClipRun) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor, run: ClipRun) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return run.pass_on(self, "", F.relu(self.branch(x, run) + shortcut, inplace=True))


class BasicBlock(ResidualBlock):
    """Two 3×3 convolutions (ResNet-18 and -34)."""

    expansion = 1
    last_conv = "conv2"

    def __init__(self, c_in: int, planes: int, stride: int) -> None:
        super().__init__(c_in, planes, stride)
        self.conv1 = nn.Conv2d(c_in, planes, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)

    def branch(self, x: Tensor, run: ClipRun) -> Tensor:
        x = self.conv_bn("conv1", x, run, relu=True)
        return self.conv_bn("conv2", x, run)


class Bottleneck(ResidualBlock):
    """1×1, 3×3, 1×1 (ResNet-50 and -101)."""

    expansion = 4
    last_conv = "conv3"

    def __init__(self, c_in: int, planes: int, stride: int) -> None:
        super().__init__(c_in, planes * 4, stride)
        self.conv1 = nn.Conv2d(c_in, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)

    def branch(self, x: Tensor, run: ClipRun) -> Tensor:
        x = self.conv_bn("conv1", x, run, relu=True)
        x = self.conv_bn("conv2", x, run, relu=True)
        return self.conv_bn("conv3", x, run)


LAYOUTS: dict[str, tuple[type[ResidualBlock], tuple[int, int, int, int]]] = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
    "resnet101": (Bottleneck, (3, 4, 23, 3)),
}


class ResNet(TemporalHost):
    """A 7×7 stem and four stages of residual blocks.

    Raises:
        ValueError: if ``width`` gives no channels, or a number that is not a multiple of 4.
    """

    def __init__(self, layout: str, width: float = 1.0) -> None:
        super().__init__()
        block, depths = LAYOUTS[layout]
        planes = round(64 * width)
        if planes < 4 or planes % 4:
            raise ValueError(
                f"width {width} gives {planes} channels; use a width for which 64·width is a"
                " multiple of 4"
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

    def feature_map(self, x: Tensor, run: ClipRun) -> Tensor:
        """The last block's output, ``(N·T, num_features, h, w)``."""
        x = frame_by_frame(
            lambda part: F.max_pool2d(self.conv_bn("conv1", part, run, relu=True), 3, 2, padding=1),
            x,
            run,
        )
        for block in self._blocks():
            x = block(x, run)
        return x

    def forward(self, x: Tensor, run: ClipRun) -> Tensor:
        return self.feature_map(x, run).mean(dim=(2, 3))

    def block_ends(self) -> dict[str, tuple[nn.Module, str]]:
        """Each residual block by its title → where its output passes (`ClipRun.pass_on`), in
        network order.
        """
        return {site.title: (site.host, "") for site in self.sites()}

    def sites(self) -> list[Site]:
        """One site a residual block: between its last convolution and BatchNorm, or at the start of
        its branch.
        """
        return [
            Site(
                host=block,
                conv=block.last_conv,
                branch="conv1",
                title=f"layer{stage}.{index}",
                stage=f"layer{stage}",
                block=index,
            )
            for stage in range(1, 5)
            for index, block in enumerate(getattr(self, f"layer{stage}"))
        ]
