"""torchvision's video networks: R3D-18, MC3-18, R(2+1)D-18, S3D, Video Swin and MViT.

They are torchvision's own modules under its own names. Source: torchvision 0.28,
``torchvision/models/video/resnet.py`` and ``s3d.py``.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import torch
from torch import nn

from gsm_model.errors import UnsuitableModelError
from gsm_model.models.video_networks.network import VideoNetwork
from gsm_model.models.video_networks.transformers import TorchvisionMViT, TorchvisionSwin

_lock = threading.Lock()
_SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_RESNETS = ("r3d_18", "mc3_18", "r2plus1d_18")
# Where S3D's Inception blocks stand among its features, and what they are called.
_INCEPTIONS = {
    **{5: "mixed_3b", 6: "mixed_3c"},
    **{8 + index: f"mixed_4{letter}" for index, letter in enumerate("bcdef")},
    **{14: "mixed_5b", 15: "mixed_5c"},
}


def importing_torchvision(name: str) -> ModuleType:
    """The module ``name``, which imports torchvision, also beside a build of PyTorch that
    torchvision's compiled operators were not made for.

    There torchvision describes two operators that were never declared, and its import ends. No
    network calls them; declaring them, as `torch.library` is meant to be used, lets the rest be
    imported.
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


class TorchvisionResNet(VideoNetwork):
    """One of torchvision's three video ResNets, without its classifier."""

    def __init__(self, builder: str) -> None:
        super().__init__()
        network = getattr(importing_torchvision("torchvision.models.video"), builder)()
        for name in ("stem", "layer1", "layer2", "layer3", "layer4"):
            self.add_module(name, getattr(network, name))
        self.num_features = network.fc.in_features
        self.keeps_time = builder == "mc3_18"

    def chain(self) -> Iterator[tuple[str, nn.Module]]:
        yield "", self.get_submodule("stem")
        for stage in range(1, 5):
            for index, block in self.get_submodule(f"layer{stage}").named_children():
                yield f"layer{stage}.{index}", block


class TorchvisionS3D(VideoNetwork):
    """torchvision's S3D, without its classifier."""

    window, least = 2, 5

    def __init__(self) -> None:
        super().__init__()
        network = importing_torchvision("torchvision.models.video").s3d()
        self.features = network.features
        self.num_features = network.classifier[1].in_channels

    def chain(self) -> Iterator[tuple[str, nn.Module]]:
        for index, module in enumerate(self.features):
            yield _INCEPTIONS.get(index, ""), module


def torchvision_network(builder: str) -> VideoNetwork:
    """The network that torchvision builds by ``builder``, without its classifier, untrained.

    Raises:
        UnsuitableModelError: if torchvision cannot be imported.
    """
    try:
        if builder in _RESNETS:
            return TorchvisionResNet(builder)
        if builder == "s3d":
            return TorchvisionS3D()
        network = getattr(importing_torchvision("torchvision.models.video"), builder)()
        return TorchvisionMViT(network) if "mvit" in builder else TorchvisionSwin(network)
    except (ImportError, OSError) as error:
        raise UnsuitableModelError(
            f"{builder} is torchvision's own network, and torchvision cannot be imported ({error})."
            f" Install the torchvision that fits PyTorch {torch.__version__}."
        ) from None
