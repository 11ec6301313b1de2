"""The package grad-cam, whose formulas the maps are compared with.

It imports torchvision, and torchvision cannot be imported beside another build of PyTorch than it
was made for, such as PyPI's, which is made for CUDA, beside a PyTorch for CPUs. Maps do not need
the package; where it cannot be imported the comparison says so and is left out.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from types import ModuleType

import numpy as np
import torch
from torch import nn

from gsm_model.errors import LensError
from gsm_model.explain.cam.evidence import Evidence
from gsm_model.explain.cam.names import Method

CLASSES: dict[Method, str] = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "xgradcam": "XGradCAM",
}


class PackageError(LensError):
    """The package grad-cam cannot be imported; says why and what to do."""


@dataclass(frozen=True)
class Comparison:
    """A map beside the package's of the same features and gradients: the package's ``version``, and
    the largest ``difference`` of any position as a share of the map's largest value."""

    version: str
    difference: float


def load_package() -> ModuleType:
    """The package grad-cam.

    Raises:
        PackageError: if it cannot be imported.
    """
    found = _import()
    if isinstance(found, str):
        raise PackageError(found)
    return found


@cache
def _import() -> ModuleType | str:
    """The package, or why it cannot be imported: tried once, since what failed stays so."""
    try:
        return importlib.import_module("pytorch_grad_cam")
    except ImportError as error:
        return f"the package grad-cam cannot be imported ({error}). Run 'pip install grad-cam'."
    except (RuntimeError, OSError) as error:
        return (
            f"the package grad-cam cannot be imported, because torchvision does not fit PyTorch"
            f" {torch.__version__} ({error}). Install torch and torchvision from one index, for"
            " example https://download.pytorch.org/whl/cpu."
        )


def package_maps(method: Method, evidence: Evidence) -> np.ndarray:
    """(N, T, h, w) float32: the package's maps of the same features and gradients, every frame a
    picture of its own, before it rectifies and rescales them.

    Raises:
        PackageError: if the package cannot be imported.
        ValueError: for a method that is no formula of features and gradients.
    """
    if method not in CLASSES:
        raise ValueError(f"{method} is no formula of features and gradients")
    formula = getattr(load_package(), CLASSES[method])(_NoModel(), [])
    n, t = evidence.features.shape[:2]
    features, gradients = (
        array.reshape(n * t, *array.shape[2:]) for array in (evidence.features, evidence.gradients)
    )
    maps = formula.get_cam_image(None, None, None, features, gradients, False)
    return maps.reshape(n, t, *maps.shape[1:]).astype(np.float32)


class _NoModel(nn.Module):
    """Stands where the package wants a model to hook into: its formulas need only features and
    gradients.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(0))


def compare_with_package(method: Method, evidence: Evidence, maps: np.ndarray) -> Comparison:
    """``maps`` (N, T, h, w) beside the package's.

    Raises:
        PackageError: if the package cannot be imported.
        ValueError: for a method that is no formula of features and gradients.
    """
    expected = package_maps(method, evidence)
    largest = max(float(np.abs(expected).max()), float(np.finfo(np.float32).tiny))
    return Comparison(metadata.version("grad-cam"), float(np.abs(maps - expected).max()) / largest)
