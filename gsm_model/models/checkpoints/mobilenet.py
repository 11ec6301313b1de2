"""What the releases call the layers of a MobileNetV2.

TSM's numbers all blocks and the layers in each (``features.3.conv.6.weight``), mmaction2 numbers
convolutions with their BatchNorms (``layer2.1.conv.2.conv.weight``). A shift wraps the first
convolution of a block: the convolution alone, or with its BatchNorm.

Source: mit-han-lab/temporal-shift-module, ``archs/mobilenet_v2.py``; mmaction2,
``mobilenet_v2_tsm.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from gsm_model.models.backbones.mobilenet_v2 import block_titles
from gsm_model.models.checkpoints.fit import without_clashes

_TSM = re.compile(r"^base_model\.features\.(\d+)\.(?:conv\.)?(\d)\.(net\.)?(\w+)$")
_MMACTION2 = re.compile(r"^base_model\.(layer\d\.\d+)\.conv\.(\d)\.(net\.)?(conv|bn)\.(\w+)$")
_FIRST = "layer1.0"  # does not widen: it has no first convolution


def mobilenet_names(weights: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The weights with a MobileNetV2's layers under this package's names, others as they are.

    Raises:
        CheckpointError: if two would get one name.
    """
    return without_clashes(((key, _own(key), tensor) for key, tensor in weights.items()), name)


def _own(key: str) -> str:
    if match := _TSM.match(key):
        number, place, net, part = match.groups()
        titles = block_titles()
        kind = ("conv", "bn", "relu")[int(place) % 3]
        if 1 <= int(number) <= len(titles):
            title = titles[int(number) - 1]
            layer = int(place) // 3 + 1 + (title == _FIRST)
            return f"base_model.{title}.{kind}{layer}.{net or ''}{part}"
        return f"base_model.{kind}{1 if number == '0' else 2}.{part}"
    if match := _MMACTION2.match(key):
        title, place, net, kind, part = match.groups()
        wrapped = net if net and kind == "conv" else ""
        return f"base_model.{title}.{kind}{int(place) + 1 + (title == _FIRST)}.{wrapped}{part}"
    return key
