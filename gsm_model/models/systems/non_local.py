"""Non-local blocks: every place of every frame looks at all places of all frames.

y_i = Σ_j w_ij·g(x_j) over the places j of all frames, z_i = x_i + BatchNorm(W·y_i). The weights are
softmax_j(θ(x_i)·φ(x_j)) (*embedded Gaussian*), softmax_j(x_i·x_j) (*Gaussian*) or θ(x_i)·φ(x_j)
over the number of places (*dot product*); g, θ, φ and W are 1×1 convolutions, g, θ and φ to half of
the channels. The places j are those of pictures of half the size (a maximum over 2×2).

Source: Wang, Girshick, Gupta, He, "Non-local Neural Networks", CVPR 2018, section 3; TSM's release
(``ops/non_local.py``) and mmaction2 (``NL3DWrapper`` around mmcv's ``NonLocal3d``), which put them
behind residual blocks of a TSM and divide nothing by √C.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsm_model.models.inference.folded_conv import FoldedConv
from gsm_model.models.probe import Probe
from gsm_model.models.slots import Backbone
from gsm_model.models.systems.temporal_conv import NormedConv
from gsm_model.models.temporal import WHOLE_CLIP, ClipReading, TemporalModule

Kind = Literal["embedded_gaussian", "gaussian", "dot_product"]
PREFIX = "non_local"


@dataclass(frozen=True)
class NonLocalBlocks:
    """Which blocks of a network a non-local block stands behind, by their titles, such as
    ``layer2.0``, and how it weighs.

    Raises:
        ValueError: for another kind, or no block.
    """

    kind: Kind
    blocks: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(
                f"non-local blocks are {' or '.join(get_args(Kind))}, not {self.kind!r}"
            )
        if not self.blocks:
            raise ValueError("no block to put a non-local block behind")

    @classmethod
    def from_values(cls, values: Mapping) -> NonLocalBlocks:
        """What ``dataclasses.asdict`` made ``values`` of, through JSON or not.

        Raises:
            TypeError, KeyError, ValueError: if they are not of non-local blocks.
        """
        return cls(values["kind"], tuple(str(block) for block in values["blocks"]))


class NonLocalBlock(TemporalModule):
    """x + BatchNorm(W·y): ``(N, T, C, H, W)`` → the same shape. It starts as the identity."""

    clip_readings = (
        ClipReading(
            "attention",
            "Where non-local blocks look (share of the weights, the mean over frames and places)",
            ("kind",),
            ("earlier frames", "the same frame", "later frames"),
            "share",
        ),
    )

    def __init__(self, channels: int, kind: Kind = "embedded_gaussian") -> None:
        super().__init__()
        inner = max(channels // 2, 1)
        self.kind = kind
        self.g = _embedding(channels, inner)
        embeds = kind != "gaussian"
        self.theta = _embedding(channels, inner) if embeds else None
        self.phi = _embedding(channels, inner) if embeds else None
        self.out = NormedConv(nn.Conv2d(inner, channels, 1))
        nn.init.zeros_(self.out.norm.weight)

    def forward(self, x: Tensor, probe: Probe) -> Tensor:
        (n, t), frames = x.shape[:2], x.flatten(0, 1)
        height, width = x.shape[3:]
        looks = frames if self.theta is None else self.theta(frames)
        seen = _halved(frames if self.phi is None else self.phi(frames))
        weights = self._weights(_places(looks, n), _places(seen, n))
        if probe.readings:
            probe.read(self, "attention", _by_direction(weights, t))
        y = weights @ _places(_halved(self.g(frames)), n).to(weights.dtype)
        y = y.to(x.dtype).unflatten(1, (t, height, width)).permute(0, 1, 4, 2, 3)
        return x + self.out(y)

    def _weights(self, looks: Tensor, seen: Tensor) -> Tensor:
        """``(N, places, C')`` and ``(N, places', C')`` → the weights (N, places, places'), in
        float32 at least.
        """
        dtype = torch.promote_types(looks.dtype, torch.float32)
        pairs = looks.to(dtype) @ seen.to(dtype).transpose(1, 2)
        return pairs / pairs.shape[2] if self.kind == "dot_product" else pairs.softmax(dim=2)

    def reach(self) -> tuple[int, int]:
        """The whole clip, unless what it adds is zero."""
        layers = (nn.Conv2d, FoldedConv, nn.BatchNorm2d)
        weights = [one.weight for one in (self.g, *self.out) if isinstance(one, layers)]
        return (WHOLE_CLIP, WHOLE_CLIP) if all(bool(one.any()) for one in weights) else (0, 0)

    def alone(self, x: Tensor) -> Tensor:
        """The output where a frame looks at its own places alone, which is what it gives among
        copies of itself.
        """
        frames = x.flatten(0, 1)[:, None]
        return self(frames, Probe(len(frames)))[:, 0].unflatten(0, x.shape[:2])


def _embedding(channels: int, inner: int) -> nn.Conv2d:
    conv = nn.Conv2d(channels, inner, 1)
    nn.init.normal_(conv.weight, std=0.01)
    return conv


def _halved(frames: Tensor) -> Tensor:
    """Maxima over 2×2 places; a side of one place stays."""
    height, width = frames.shape[2:]
    return F.max_pool2d(frames, (min(2, height), min(2, width)))


def _places(frames: Tensor, clips: int) -> Tensor:
    """``(N·T, C, H, W)`` → every place of every frame, (N, T·H·W, C)."""
    return frames.unflatten(0, (clips, -1)).permute(0, 1, 3, 4, 2).flatten(1, 3)


def _by_direction(weights: Tensor, t: int) -> Tensor:
    """The shares (N, 3) of weights (N, T·H·W, T·H'·W') that lie on earlier frames, on the same one
    and on later ones, by their size.
    """
    frames = weights.abs().unflatten(2, (t, -1)).sum(3).unflatten(1, (t, -1)).sum(2)
    parts = [frames.tril(-1), frames.triu().tril(), frames.triu(1)]
    shares = torch.stack([part.sum((1, 2)) for part in parts], dim=1)
    return shares / shares.sum(1, keepdim=True)


def install_non_local(backbone: Backbone, non_local: NonLocalBlocks) -> None:
    """One behind each of the blocks that are named.

    Raises:
        ValueError: if ``backbone`` has no such block, or another module stands there.
    """
    sites = {site.title: site for site in backbone.sites()}
    unknown = [block for block in non_local.blocks if block not in sites]
    if unknown:
        raise ValueError(f"no block {unknown[0]!r} to put a non-local block behind")
    for block in non_local.blocks:
        sites[block].insert(lambda channels: NonLocalBlock(channels, non_local.kind), "end", PREFIX)
