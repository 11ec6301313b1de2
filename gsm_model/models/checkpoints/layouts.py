"""Layouts of published checkpoints: whose keys a state dict has, and what network they are the
weights of.

Source: the releases of GSM and TSM, and mmaction2 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from gsm_model.errors import CheckpointError
from gsm_model.models.backbones.resnet import LAYOUTS as RESNETS
from gsm_model.models.backbones.resnet import Bottleneck
from gsm_model.models.recognizer import Architecture

Layout = Literal["GSM release", "TSM release", "mmaction2", "Gate-Shift Lens"]
MAX_PLANES = 256
_SEGMENTS_IN_NAME = re.compile(r"segment(\d+)|1x1x(\d+)")


@dataclass(frozen=True)
class Found:
    """What a state dict turned out to be: its layout, and its tensors under this package's
    names.
    """

    layout: Layout
    weights: dict[str, Tensor]
    shifted: bool


def recognise(state: Mapping[str, Tensor], name: str) -> Found:
    """Tell the layout of a state dict from its keys, and rename them to this package's.

    Raises:
        CheckpointError: if the keys are of no known layout.
    """
    keys = {key.removeprefix("module."): tensor for key, tensor in state.items()}
    if any(key.startswith("cls_head.fc_cls.") for key in keys):
        kept = {
            key: tensor for key, tensor in keys.items() if not key.startswith("data_preprocessor.")
        }
        weights = {_from_mmaction2(key): tensor for key, tensor in kept.items()}
        return Found("mmaction2", weights, any(".net." in key for key in keys))
    if not any(key.startswith("base_model.") for key in keys):
        shown = ", ".join(list(keys)[:3]) or "nothing"
        raise CheckpointError(
            f"{name}: holds {len(keys)} tensors ({shown}, …), but neither the GSM nor the TSM"
            " release nor mmaction2 names theirs so. Choose a checkpoint of one of these, or one"
            " written by 'python -m gsm_model convert'."
        )
    shifted = any(".net." in key for key in keys)
    weights = {key.replace(".net.", "."): tensor for key, tensor in keys.items()}
    is_resnet = "base_model.conv1.weight" in weights
    return Found("TSM release" if is_resnet else "GSM release", weights, shifted)


def _from_mmaction2(key: str) -> str:
    key = key.replace(".net.", ".").replace("cls_head.fc_cls.", "new_fc.")
    if not key.startswith("backbone."):
        return key
    key = "base_model." + key.removeprefix("backbone.")
    key = re.sub(r"\.downsample\.conv\.", ".downsample.0.", key)
    key = re.sub(r"\.downsample\.bn\.", ".downsample.1.", key)
    key = re.sub(r"\.conv(\d)\.conv\.", r".conv\1.", key)
    return re.sub(r"\.conv(\d)\.bn\.", r".bn\1.", key)


def architecture_of(found: Found, num_segments: int, name: str) -> Architecture:
    """Backbone, temporal module, width and class count, read off the weights.

    Raises:
        CheckpointError: if there is no classifier, or no backbone this package has.
    """
    weights = found.weights
    classifier = weights.get("new_fc.weight")
    if classifier is None or classifier.ndim != 2:
        raise CheckpointError(
            f"{name}: has no classifier 'new_fc.weight'; a backbone alone cannot answer. Choose a"
            " whole model."
        )
    gated = any(re.search(r"(^|\.)gsm_[^.]+\.conv3D\.weight$", key) for key in weights)
    temporal = "gsm" if gated else "tsm" if found.shifted else "none"
    backbone, width = _backbone_of(weights, name)
    return Architecture(backbone, temporal, classifier.shape[0], num_segments, width)


def _backbone_of(weights: Mapping[str, Tensor], name: str) -> tuple[str, float]:
    if "base_model.conv1_7x7_s2.weight" in weights:
        return "bn_inception", 1.0
    if "base_model.conv_Conv2D.weight" in weights:
        return "inception_v3", 1.0
    stem = weights.get("base_model.conv1.weight")
    if stem is None or stem.ndim != 4:
        raise CheckpointError(
            f"{name}: the backbone is none of BN-Inception, Inception-V3 and ResNet; other networks"
            " cannot be loaded yet."
        )
    depths = tuple(_blocks_in_stage(weights, stage) for stage in range(1, 5))
    bottleneck = "base_model.layer1.0.conv3.weight" in weights
    planes = stem.shape[0]
    for backbone, (block, layout) in RESNETS.items():
        if (
            layout == depths
            and (block is Bottleneck) == bottleneck
            and planes % 4 == 0
            and planes <= MAX_PLANES
        ):
            return backbone, planes / 64
    raise CheckpointError(
        f"{name}: a ResNet with {'-'.join(map(str, depths))} blocks and {planes} channels in its"
        f" stem; known are {', '.join(RESNETS)}, with at most {MAX_PLANES} channels there."
    )


def _blocks_in_stage(weights: Mapping[str, Tensor], stage: int) -> int:
    pattern = re.compile(rf"base_model\.layer{stage}\.(\d+)\.conv1\.weight")
    return sum(1 for key in weights if pattern.fullmatch(key))


def segments_in_name(name: str) -> int | None:
    """The number of segments that a published file's name states, or ``None``."""
    match = _SEGMENTS_IN_NAME.search(name)
    return int(match.group(1) or match.group(2)) if match else None
