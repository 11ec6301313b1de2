"""What the two Inception backbones share: named convolutions, and blocks made of branches.

A block is a list of branches whose outputs are concatenated; a branch is a list of steps taken one
after the other: the name of a convolution (with its BatchNorm and ReLU), a pooling function, or a
tuple of convolutions side by side. Pooling rounds up, as in the release's Caffe-born networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone, Site, frame_by_frame

Step = str | Callable[[Tensor], Tensor] | tuple[str, ...]
Branch = list[Step]

max_pool_same = partial(F.max_pool2d, kernel_size=3, stride=1, padding=1, ceil_mode=True)


def average_pool_same(x: Tensor) -> Tensor:
    """3×3 mean in steps of one, ``(N, C, H, W)`` → the same shape; at the border the zeros outside
    count.
    """
    return F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)


def max_pool_half(x: Tensor) -> Tensor:
    """3×3 maximum in steps of two, rounding up: ``(N, C, H, W)`` → ``(N, C, ⌈(H − 1)/2⌉, ⌈(W −
    1)/2⌉)``.

    Without a gradient, along one side after the other: PyTorch's pooling also writes where each
        maximum was, eight bytes a value.
    """
    if torch.is_grad_enabled() or x.device.type != "cpu" or min(x.shape[2:]) < 3:
        return F.max_pool2d(x, kernel_size=3, stride=2, ceil_mode=True)
    return _max_of_three(
        _max_of_three(x.transpose(1, 2)).transpose(1, 2).transpose(1, 3)
    ).transpose(1, 3)


def _max_of_three(x: Tensor) -> Tensor:
    """The maximum of every second three neighbours along dimension 1, of two where the last three
    are not whole.
    """
    whole = (x.shape[1] - 1) // 2
    out = torch.maximum(x[:, 0:-1:2], x[:, 1::2])
    third = x[:, 2::2]
    torch.maximum(out[:, :whole], third[:, :whole], out=out[:, :whole])
    return out


class InceptionBackbone(Backbone):
    """A stem and a chain of blocks: ``(N·T, 3, H, W)`` → features ``(N·T, num_features)``."""

    stem: Branch
    blocks: dict[str, Sequence[Branch]]
    temporal_convs: Sequence[str]

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.width = width
        self._wide: set[str] = set()  # the convolutions that look beyond one place

    def conv_name(self, name: str) -> str:
        """The attribute of the convolution called ``name`` in a branch."""
        return name

    def add_conv(
        self,
        name: str,
        c_in: int,
        c_out: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> str:
        """Register a convolution and its BatchNorm under the release's names; returns ``name`` for
        use as a step. Counts of channels are those of the full width, but for the pictures' three.
        """
        c_in, c_out = c_in if c_in == 3 else round(c_in * self.width), round(c_out * self.width)
        conv = self.conv_name(name)
        if kernel != 1:
            self._wide.add(conv)
        self.add_module(conv, nn.Conv2d(c_in, c_out, kernel, stride, padding))
        self.add_module(self.norm_name(conv), nn.BatchNorm2d(c_out))
        return name

    def conv_bn_relu(self, name: str, x: Tensor, probe: Probe) -> Tensor:
        return self.conv_bn(self.conv_name(name), x, probe, relu=True)

    def take(self, steps: Branch, x: Tensor, probe: Probe) -> Tensor:
        for step in steps:
            if isinstance(step, str):
                x = self.conv_bn_relu(step, x, probe)
            elif isinstance(step, tuple):
                x = torch.cat([self.conv_bn_relu(name, x, probe) for name in step], dim=1)
            else:
                x = step(x)
        return x

    def feature_map(self, x: Tensor, probe: Probe) -> Tensor:
        """The last block's output, ``(N·T, num_features, h, w)``."""
        x = frame_by_frame(lambda part: self.take(self.stem, part, probe), x, probe)
        for name, branches in self.blocks.items():
            x = torch.cat([self.take(branch, x, probe) for branch in branches], dim=1)
            x = self.block_end(name, x, probe)
        return x

    def block_ends(self) -> dict[str, tuple[nn.Module, str]]:
        """Each block by its title → where its output passes (`Probe.pass_point`), in network
        order.
        """
        return {name: (self, name) for name in self.blocks}

    def sites(self) -> list[Site]:
        """One site a block: the branch with the fewest convolutions (paper, section 4.3)."""
        return [
            self._site(self.conv_name(name), self._block_of(name)) for name in self.temporal_convs
        ]

    def _site(self, conv: str, block: str) -> Site:
        steps = [step for branch in self.blocks[block] for step in branch if not callable(step)]
        names = [name for step in steps for name in ((step,) if isinstance(step, str) else step)]
        convs = [self.conv_name(name) for name in names]
        spatial = tuple(name for name in convs if name in self._wide)
        return Site(self, conv, conv, title=block, spatial=spatial, end=block, stage=block)

    def branch_ends(self, block: str) -> list[str]:
        """The last convolution of each branch of ``block`` that has any, the branch with the most
        convolutions last.
        """
        branches = [[step for step in each if isinstance(step, str)] for each in self.blocks[block]]
        ordered = sorted((names for names in branches if names), key=len)
        return [self.conv_name(names[-1]) for names in ordered]

    def end_channels(self, end: str) -> int:
        blocks = list(self.blocks)
        return sum(self._branch_channels(branch, blocks.index(end)) for branch in self.blocks[end])

    def _branch_channels(self, branch: Branch, block: int) -> int:
        """How many channels the last step of ``branch`` gives, in the block of that number."""
        last = branch[-1]
        if callable(last):  # a pooling passes what the block before gives
            return self.end_channels(list(self.blocks)[block - 1])
        names = (last,) if isinstance(last, str) else last
        norms = [getattr(self, self.norm_name(self.conv_name(name))) for name in names]
        return sum(norm.num_features for norm in norms)

    def _block_of(self, conv: str) -> str:
        """The block that the branch of ``conv`` belongs to; of ``mixed`` and ``mixed_1``, which
        both begin its name, the longer.
        """
        return max((block for block in self.blocks if conv.startswith(block + "_")), key=len)
