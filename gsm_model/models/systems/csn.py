"""CSN, channel-separated networks: time and space in depthwise convolutions, channels in 1×1 ones.

ir (*interaction-reduced*): y = D(x); ip (*interaction-preserved*): y = D(BN(P(x))), with D a
depthwise 3×3×3 convolution, P one of 1×1, and no ReLU between them; the host's BatchNorm and ReLU
follow. Source: Tran, Wang, Feiszli, Torresani, "Video Classification with Channel-Separated
Convolutional Networks", ICCV 2019, section 3, and mmaction2's ``ResNet3dCSN``. The paper defines
both for bottlenecks, where ir stands here. A basic block has no other convolution to mix channels
in, so both of its 3×3 ones become ip. Random start; the temporal stride is 1.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from gsm_model.models.backbones.resnet import Bottleneck, ResNet
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.drawing import AROUND, POINTWISE, Branch, Link, Step
from gsm_model.models.systems.system import System
from gsm_model.models.systems.temporal_conv import (
    TAPS,
    NormedConv,
    absorbed_into,
    conv_over_time,
    conv_reach,
    geometry,
    like,
    random_start,
    temporal_kernel_readings,
)
from gsm_model.models.temporal import Reading, TemporalModule


class ChannelSeparatedConv(TemporalModule):
    """A depthwise 3D convolution in the place of a 2D one, behind a 1×1 one where ``mixes``: ``(N,
    T, C, H, W)`` → ``(N, T, C', H', W')``. ``step`` is a stride in time.

    Raises:
        ValueError: if the number of channels changes and nothing mixes them.
    """

    def __init__(self, conv: nn.Conv2d, mixes: bool, step: int = 1) -> None:
        super().__init__()
        c_in, c_out = conv.in_channels, conv.out_channels
        if not mixes and c_in != c_out:
            raise ValueError(f"a depthwise convolution keeps its channels; got {c_in} and {c_out}")
        pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.pointwise = NormedConv(random_start(pointwise)) if mixes else None
        kernel, stride, padding = geometry(conv)
        wide = nn.Conv2d(c_out, c_out, kernel, stride, padding, bias=False, device="meta")
        self.depthwise = like(wide, TAPS, step, groups=c_out)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return conv_over_time(x if self.pointwise is None else self.pointwise(x), self.depthwise)

    def reach(self) -> tuple[int, int]:
        return conv_reach(self.depthwise)

    def readings(self, norm: nn.Module | None = None) -> tuple[Reading, ...]:
        return temporal_kernel_readings(self.depthwise)

    def absorbed(self, norm: nn.BatchNorm2d) -> TemporalModule:
        return absorbed_into(self, "depthwise", norm)


def install(backbone: Backbone) -> None:
    """ir in the place of a bottleneck's 3×3 convolution, ip in that of both of a basic block.

    Raises:
        ValueError: if the backbone is no ResNet.
    """
    if not isinstance(backbone, ResNet):
        raise ValueError(f"CSN is defined for ResNets, not for {type(backbone).__name__}")
    for site in backbone.sites():
        build = partial(ChannelSeparatedConv, mixes=not isinstance(site.host, Bottleneck))
        for conv in site.spatial:
            site.replace(conv, build)


SYSTEM = System(
    name="csn",
    title="CSN",
    paper=(
        "Tran, Wang, Feiszli, Torresani: Video Classification with Channel-Separated Convolutional"
        " Networks. ICCV 2019"
    ),
    install=install,
    marks=r"\.depthwise\.weight$",
    idea=(
        "Channels meet in 1×1 convolutions, and frames and places in depthwise ones; never both"
        " in one. In a depthwise convolution every channel looks at three frames by itself, which"
        " takes few parameters. The paper finds that such a separation also keeps a network from"
        " overfitting."
    ),
    drawing=(Branch((POINTWISE, Step("3×3×3, each channel alone", (Link(AROUND, mixes=False),)))),),
)
