"""The grad-cam package, imported so that it works beside every build of PyTorch."""

from __future__ import annotations

import importlib
import threading
from types import ModuleType
from typing import Any

import torch

_lock = threading.Lock()


def import_with_torchvision(name: str) -> ModuleType:
    """The module ``name``, which imports torchvision, also where torchvision's compiled operators
    do not load.

    That happens where it was built for another PyTorch, such as the one for CUDA beside the one for
    CPUs: torchvision describes its operators to PyTorch when it is imported, which fails for one
    that is not there. None of them is used here, so those descriptions are left out.
    """
    with _lock:
        describe = torch.library.register_fake

        def describe_if_there(operator: Any, *arguments: Any, **options: Any) -> Any:
            library, _, short = str(operator).partition("::")
            if hasattr(getattr(torch.ops, library), short):
                return describe(operator, *arguments, **options)
            return lambda function: function

        torch.library.register_fake = describe_if_there
        try:
            return importlib.import_module(name)
        finally:
            torch.library.register_fake = describe
