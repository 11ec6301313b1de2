"""Checkpoints in the layouts of their publishers, made from this package's own networks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from tests.conftest import make_small

WEIGHTS = dict[str, Tensor]


def _mmaction2(key: str, shifted: bool) -> str:
    net = ".net" if shifted else ""
    for pattern, replacement in (
        (r"^new_fc\.", "cls_head.fc_cls."),
        (r"^base_model\.", "backbone."),
        (r"\.downsample\.0\.", ".downsample.conv."),
        (r"\.downsample\.1\.", ".downsample.bn."),
        (r"(layer\d\.\d+)\.conv1\.", rf"\1.conv1.conv{net}."),
        (r"\.conv([123])\.(?!conv)", r".conv\1.conv."),
        (r"\.bn([123])\.", r".conv\1.bn."),
    ):
        key = re.sub(pattern, replacement, key)
    return key


def _tsm(key: str, shifted: bool) -> str:
    if shifted:
        key = re.sub(r"(layer\d\.\d+\.conv1)\.", r"\1.net.", key)
    return f"module.{key}"


def _gst(key: str, shifted: bool) -> str:
    key = key.replace(".conv2.spatial.", ".conv2.").replace(".conv2.temporal.", ".Tconv.")
    return f"module.{key}"


RENAMED: dict[str, Callable[[str, bool], str]] = {
    "mmaction2": _mmaction2,
    "mmaction2-0x": _mmaction2,
    "gsm": lambda key, shifted: f"module.{key}",
    "gsf": lambda key, shifted: f"module.{key}",
    "tsm": _tsm,
    "gst": _gst,
}


def in_layout_of(name: str, weights: WEIGHTS, system: str) -> WEIGHTS:
    """``weights`` under the keys of the publisher whose name ``name`` begins with."""
    publisher = max((one for one in RENAMED if name.startswith(f"{one}-")), key=len)
    return {RENAMED[publisher](key, system == "tsm"): value for key, value in weights.items()}


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
