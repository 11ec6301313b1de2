"""Packages that tests compare with and that import torchvision."""

from __future__ import annotations

import importlib
import threading
from functools import cache
from types import ModuleType

import torch

_lock = threading.Lock()
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def reference_package(name: str) -> ModuleType:
    """The module ``name``, which imports torchvision, also beside a build of PyTorch that
    torchvision's compiled operators were not made for.

    There torchvision describes two operators that were never declared, and its import ends. No test
    calls them; declaring them, as `torch.library` is meant to be used, lets the rest be imported.
    """
    with _lock:
        try:
            importlib.import_module("torchvision")
        except RuntimeError:
            _declare()
    return importlib.import_module(name)


@cache
def _declare() -> torch.library.Library:
    """Operators live as long as the library they were declared in."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(name + _SIGNATURE)
    return library
