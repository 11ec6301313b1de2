"""Layouts of whole video networks: torchvision's own names, and mmaction2's.

Source: torchvision 0.28; mmaction2 1.x and 0.x, whose convolution is ``conv`` and whose BatchNorm
is ``bn`` of one module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from torch import Tensor

from gsm_model.models.checkpoints.fit import without_clashes
from gsm_model.models.registry import video_networks

# The first convolution of each family of networks, by whose shape they are told from 2D ones.
_STEMS = {
    "base_model.stem.0.weight": ("r3d_18", "mc3_18", "r2plus1d_18"),
    "base_model.features.0.0.0.weight": ("s3d",),
    "base_model.patch_embed.proj.weight": ("swin3d_t", "swin3d_s", "swin3d_b"),
    "base_model.conv_proj.weight": ("mvit_v1_b", "mvit_v2_s"),
    "base_model.conv1.conv.weight": ("ircsn_50", "ircsn_152", "ipcsn_152"),
    "base_model.conv1.conv.conv_s.weight": ("r2plus1d_34",),
}
_CONV_AND_NORM = re.compile(r"\.(conv\d(?:\.\d)?|downsample)\.(conv|bn)\.")
_OF_CSN = (
    "its input is taken to be ImageNet's, as mmaction2's own CSNs have it (those from scratch and"
    " from Sports-1M take mean 110, 101, 96 and deviation 58, 56, 55 of 255)"
)
_CLIP = re.compile(r"(?<![\dx])(\d{1,3})x\d+x1(?![\dx])")  # frames, stride, clips


def frames_in_name(name: str) -> int | None:
    """The number of frames a clip that mmaction2's file names state, such as ``32x2x1``."""
    match = _CLIP.search(name)
    return int(match.group(1)) if match else None


def video_candidates(
    weights: Mapping[str, Tensor], name: str
) -> Iterator[tuple[str, str, dict[str, Tensor], tuple[str, ...]]]:
    """Every video network that ``weights``, under this package's two roots, may be those of: its
    name, its publisher, the weights as it calls them, and what was inferred.

    Raises:
        CheckpointError: if two weights would get one name.
    """
    for stem, networks in _STEMS.items():
        if stem not in weights or weights[stem].ndim != 5:
            continue
        own = without_clashes(((key, _own(key), each) for key, each in weights.items()), name)
        for network in networks:
            said = (_OF_CSN,) if "csn" in network else ()
            yield network, video_networks()[network].publisher, own, said


def _own(key: str) -> str:
    return _CONV_AND_NORM.sub(lambda at: f".{at[1]}.{'01'[at[2] == 'bn']}.", key)
