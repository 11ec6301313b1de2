"""Checkpoints in the layouts of their publishers, made from this package's own networks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from tests.conftest import make_small

WEIGHTS = dict[str, Tensor]


BLOCK = r"(layer\d\.\d+)"
# The release's numbers of a MobileNetV2's layers, of the first block and of others.
TSM_FIRST = {"conv2": 0, "bn2": 1, "conv3": 3, "bn3": 4}
TSM_LAYERS = {"conv1": 0, "bn1": 1, "conv2": 3, "bn2": 4, "conv3": 6, "bn3": 7}


def _behind(key: str, blocks: tuple[str, ...], name: str, parts: dict[str, str]) -> str:
    """``key`` of a network with non-local blocks: what stands in front of one is ``block``."""
    match = re.match(rf"(.*{BLOCK}\.)(.*)", key)
    if match is None or match.group(2) not in blocks:
        return key
    part = match.group(3)
    if not part.startswith("non_local."):
        return f"{match.group(1)}block.{part}"
    part = part.removeprefix("non_local.")
    for pattern, replacement in parts.items():
        part = re.sub(pattern, replacement, part)
    return f"{match.group(1)}{name}.{part}"


def _mmaction2(key: str, shifted: bool, blocks: tuple[str, ...] = ()) -> str:
    net = ".net" if shifted else ""
    parts = {
        r"^(g|phi)\.": r"\1.0.conv.",
        r"^theta\.": "theta.conv.",
        r"^out\.0\.": "conv_out.conv.",
        r"^out\.1\.": "conv_out.bn.",
    }
    key = _behind(key, blocks, "non_local_block", parts)
    for pattern, replacement in (
        (r"^new_fc\.", "cls_head.fc_cls."),
        (r"^base_model\.", "backbone."),
        (r"\.downsample\.0\.", ".downsample.conv."),
        (r"\.downsample\.1\.", ".downsample.bn."),
        (rf"{BLOCK}\.(block\.)?conv1\.", rf"\1.\2conv1.conv{net}."),
        (r"\.conv([123])\.(?!conv)", r".conv\1.conv."),
        (r"\.bn([123])\.", r".conv\1.bn."),
    ):
        key = re.sub(pattern, replacement, key)
    return key


def _mmaction2_mobilenet(key: str, shifted: bool, blocks: tuple[str, ...] = ()) -> str:
    match = re.match(rf"base_model\.{BLOCK}\.(conv|bn)(\d)\.(.*)", key)
    if match is None:
        key = re.sub(r"^base_model\.(conv\d)\.", r"backbone.\1.conv.", key)
        return re.sub(r"^base_model\.bn(\d)\.", r"backbone.conv\1.bn.", key).replace(
            "new_fc", "cls_head.fc_cls"
        )
    block, kind, number, part = match.groups()
    place = int(number) - (2 if block == "layer1.0" else 1)
    wraps = shifted and not block.endswith(".0") and place == 0
    return f"backbone.{block}.conv.{place}.{'net.' if wraps else ''}{kind}.{part}"


def _tsm(key: str, shifted: bool, blocks: tuple[str, ...] = ()) -> str:
    parts = {r"^(g|phi)\.": r"\1.0.", r"^out\.": "W."}
    key = _behind(key, blocks, "nl", parts)
    if shifted:
        key = re.sub(rf"{BLOCK}\.(block\.)?conv1\.", r"\1.\2conv1.net.", key)
    return f"module.{key}"


def _tsm_mobilenet(key: str, shifted: bool, blocks: tuple[str, ...] = ()) -> str:
    match = re.match(rf"base_model\.{BLOCK}\.(\w+)\.(.*)", key)
    if match is None:
        for ours, theirs in {"conv1": "0.0", "bn1": "0.1", "conv2": "18.0", "bn2": "18.1"}.items():
            key = key.replace(f"base_model.{ours}.", f"base_model.features.{theirs}.")
        return f"module.{key}"
    block, layer, part = match.groups()
    stage, index = map(int, block.removeprefix("layer").split("."))
    number = sum((0, 1, 2, 3, 4, 3, 3, 1)[:stage]) + index + 1
    place = (TSM_FIRST if number == 1 else TSM_LAYERS)[layer]
    net = "net." if shifted and index and layer == "conv1" else ""
    return f"module.base_model.features.{number}.conv.{place}.{net}{part}"


def _torchvision(key: str, shifted: bool, blocks: tuple[str, ...] = ()) -> str:
    """A backbone that mmaction2 takes from mmcls, which names it as torchvision does."""
    return key.replace("base_model.", "backbone.").replace("new_fc", "cls_head.fc_cls")


def _gsm(key: str, shifted: bool, blocks: tuple[str, ...] = ()) -> str:
    return f"module.{key}"


def _gst(key: str, shifted: bool, blocks: tuple[str, ...] = ()) -> str:
    key = key.replace(".conv2.spatial.", ".conv2.").replace(".conv2.temporal.", ".Tconv.")
    return f"module.{key}"


RENAMED: dict[str, Callable[[str, bool, tuple[str, ...]], str]] = {
    "mmaction2": _mmaction2,
    "mmaction2-0x": _mmaction2,
    "mmaction2-tsm-mobilenetv2": _mmaction2_mobilenet,
    "mmaction2-0x-tsm-mobilenetv2": _mmaction2_mobilenet,
    "mmaction2-tsn-rx101": _torchvision,
    "mmaction2-0x-tsn-rx101": _torchvision,
    "gsm": _gsm,
    "gsf": _gsm,
    "tsm": _tsm,
    "tsm-mobilenetv2": _tsm_mobilenet,
    "gst": _gst,
}


def in_layout_of(
    name: str, weights: WEIGHTS, system: str, non_local: tuple[str, ...] = ()
) -> WEIGHTS:
    """``weights`` under the keys of the publisher whose name ``name`` begins with; ``non_local``
    are the blocks that a non-local block stands behind.
    """
    publisher = max((one for one in RENAMED if name.startswith(f"{one}-")), key=len)
    rename = RENAMED[publisher]
    return {rename(key, system == "tsm", non_local): value for key, value in weights.items()}


def save_published(
    path: Path, system: str, num_classes: int, backbone: str = "resnet18", seed: int = 0
) -> None:
    """A small network as mmaction2 publishes its; ``system`` is ``none`` for a TSN."""
    weights = make_small(system, backbone, num_classes, seed).state_dict()
    record = {
        "meta": {"epoch": 50},
        "state_dict": in_layout_of("mmaction2-any", weights, system),
    }
    torch.save(record, path)
