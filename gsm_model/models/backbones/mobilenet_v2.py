"""MobileNetV2 (Sandler et al., CVPR 2018): ``(N·T, 3, H, W)`` → ``(N·T, 1280)``.

Stages and blocks are named as a ResNet's: ``layer2.0`` is the first of two blocks of 24 channels.
In a block ``conv1`` widens, ``conv2`` works on each channel alone, ``conv3`` narrows; the first
block does not widen.
"""

from __future__ import annotations

from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone, Host, Site, frame_by_frame

# How many times each block widens, its channels out, how many blocks, the first one's stride.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
LAST = "conv2"
CEILING = 6.0  # of its ReLUs


def block_titles() -> tuple[str, ...]:
    """The blocks in network order."""
    return tuple(
        f"layer{stage}.{index}"
        for stage, (_, _, depth, _) in enumerate(STAGES, start=1)
        for index in range(depth)
    )


def shifted_blocks() -> tuple[str, ...]:
    """The blocks that TSM's release shifts: those that a shortcut passes, ten."""
    return tuple(title for title in block_titles() if not title.endswith(".0"))


class InvertedResidual(Host):
    """1×1, a depthwise 3×3, 1×1, and a shortcut where nothing changes shape."""

    ceiling = CEILING
    last_conv = "conv3"

    def __init__(self, c_in: int, c_out: int, stride: int, widened: int) -> None:
        super().__init__()
        middle = c_in * widened
        self.is_residual = stride == 1 and c_in == c_out
        self.conv1: nn.Conv2d | None = None
        if widened != 1:
            self.conv1 = nn.Conv2d(c_in, middle, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, groups=middle, bias=False)
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)

    def norm_name(self, conv: str) -> str:
        return conv.replace("conv", "bn")

    def end_channels(self, end: str) -> int:
        return self.conv3.out_channels

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        out = x if self.conv1 is None else self.conv_bn("conv1", x, probe, relu=True)
        out = self.conv_bn("conv2", out, probe, relu=True)
        out = self.conv_bn("conv3", out, probe)
        return self.block_end("", x + out if self.is_residual else out, probe)


class MobileNetV2(Backbone):
    """A 3×3 stem, seven stages of blocks, a 1×1 convolution to 1280 channels."""

    ceiling = CEILING
    num_features = 1280

    def __init__(self) -> None:
        super().__init__()
        channels = 32
        self.conv1 = nn.Conv2d(3, channels, 3, 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        for stage, (widened, c_out, depth, stride) in enumerate(STAGES, start=1):
            blocks = nn.ModuleList()
            for index in range(depth):
                block = InvertedResidual(channels, c_out, 1 if index else stride, widened)
                blocks.append(block)
                channels = c_out
            self.add_module(f"layer{stage}", blocks)
        self.conv2 = nn.Conv2d(channels, self.num_features, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(self.num_features)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def norm_name(self, conv: str) -> str:
        return conv.replace("conv", "bn")

    def feature_map(self, x: Tensor, probe: Probe) -> Tensor:
        """What the last convolution gives, ``(N·T, 1280, h, w)``."""
        x = frame_by_frame(lambda part: self.conv_bn("conv1", part, probe, relu=True), x, probe)
        for title in block_titles():
            x = self.get_submodule(title)(x, probe)
        return self.block_end(LAST, self.conv_bn(LAST, x, probe, relu=True), probe)

    def block_ends(self) -> dict[str, tuple[nn.Module, str]]:
        """Each block by its title, and the last convolution, → where its output passes
        (`Probe.pass_point`), in network order.
        """
        ends: dict[str, tuple[nn.Module, str]] = {
            site.title: (site.host, "") for site in self.sites()
        }
        return ends | {LAST: (self, LAST)}

    def sites(self) -> list[Site]:
        """One site a block."""
        return [self._site(title) for title in block_titles()]

    def _site(self, title: str) -> Site:
        stage, _, index = title.partition(".")
        block = self.get_submodule(title)
        assert isinstance(block, InvertedResidual)
        return Site(
            host=block,
            conv=block.last_conv,
            branch="conv2" if block.conv1 is None else "conv1",
            title=title,
            spatial=("conv2",),
            stage=stage,
            block=int(index),
            takes_shift=block.is_residual,
        )
