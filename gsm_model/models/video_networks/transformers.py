"""torchvision's video transformers: Video Swin and MViT.

They are torchvision's own modules under its own names. Source: torchvision 0.28,
``torchvision/models/video/swin_transformer.py`` and ``mvit.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from gsm_model.errors import UnsuitableModelError
from gsm_model.models.probe import Probe
from gsm_model.models.video_networks.network import VideoNetwork


class TorchvisionSwin(VideoNetwork):
    """One of torchvision's Video Swin transformers, without its classifier: attention within
    windows of space and time, and half as many time steps as frames.
    """

    verb = "attend"

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        for name in ("patch_embed", "features", "norm"):
            self.add_module(name, network.get_submodule(name))
        self.num_features = cast(nn.Linear, network.get_submodule("head")).in_features

    def chain(self) -> Iterator[tuple[str, nn.Module]]:
        yield "", self.get_submodule("patch_embed")
        for index, part in enumerate(self.get_submodule("features").children()):
            if index % 2:  # between two stages places are merged, four to one
                yield "", part
                continue
            for number, block in part.named_children():
                yield f"layer{index // 2 + 1}.{number}", block
        yield "", self.get_submodule("norm")

    def as_frames(self, x: Tensor) -> Tensor:
        return x.permute(0, 1, 4, 2, 3).flatten(0, 1)

    def from_frames(self, frames: Tensor, clips: int) -> Tensor:
        return frames.unflatten(0, (clips, -1)).permute(0, 1, 3, 4, 2)


class TorchvisionMViT(VideoNetwork):
    """One of torchvision's multiscale vision transformers, without its classifier.

    Its answer is read off a token of the whole clip, which the last block computes from what the
    blocks before it say of all places: what the last block says of places reaches no answer, so
    that it is none of the blocks that can be looked at. It takes one number of frames of one size;
    of a shorter clip it sees the last frame again.
    """

    verb = "attend"
    conv_proj: nn.Conv3d
    pos_encoding: Any  # torchvision's PositionalEncoding
    norm: nn.LayerNorm

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        for name in ("conv_proj", "pos_encoding", "blocks", "norm"):
            self.add_module(name, network.get_submodule(name))
        self.num_features = cast(nn.Linear, network.get_submodule("head.1")).in_features
        height, width = self.pos_encoding.spatial_size
        self.steps = (self.pos_encoding.temporal_size, height, width)
        self.least, *self.size = (
            count * stride for count, stride in zip(self.steps, self.conv_proj.stride, strict=True)
        )
        self.most = self.least

    def chain(self) -> Iterator[tuple[str, nn.Module]]:
        *seen, last = self.get_submodule("blocks").named_children()
        for number, block in seen:
            yield f"block {int(number) + 1}", block
        yield "", last[1]

    def _tokens(self, x: Tensor, probe: Probe) -> tuple[Tensor, tuple[int, int, int]]:
        """The last block's tokens, that of the clip first, ``(N, 1 + T'·h·w, C)``, and T', h, w."""
        x = self.clip_of(x, probe)
        if x.shape[2] > self.least or list(x.shape[3:]) != self.size:
            height, width = self.size
            raise UnsuitableModelError(
                f"this network takes clips of at most {self.least} frames of {height} × {width}"
                f" pixels, got {x.shape[2]} of {x.shape[3]} × {x.shape[4]}"
            )
        tokens = self.pos_encoding(self.conv_proj(x).flatten(2).transpose(1, 2))
        at = self.steps
        for title, block in self.chain():
            tokens, at = block(tokens, at)
            if title and probe.points:
                of_clip, places = tokens[:, :1], _as_frames(tokens, at)
                places = probe.pass_point(block, "", places).unflatten(0, (len(tokens), -1))
                tokens = torch.cat([of_clip, places.transpose(1, 2).flatten(2).mT], dim=1)
        return tokens, at

    def feature_map(self, x: Tensor, probe: Probe) -> Tensor:
        return _as_frames(*self._tokens(x, probe))

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        return self.norm(self._tokens(x, probe)[0])[:, 0]


def _as_frames(tokens: Tensor, at: tuple[int, int, int]) -> Tensor:
    """The tokens of places as features ``(N·T', C, h, w)``."""
    return tokens[:, 1:].mT.unflatten(2, at).transpose(1, 2).flatten(0, 1)
