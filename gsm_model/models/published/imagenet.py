"""torchvision's ImageNet ResNets: no models of videos, but what training starts from.

Source: torchvision 0.28, ``torchvision/models/resnet.py``; the addresses name the first digits of
the files' SHA-256. Accuracies are torchvision's, centre crop of one picture.
"""

from __future__ import annotations

import re

from gsm_model.models.published.catalogue import Accuracy, Published

_ADDRESS = "https://download.pytorch.org/models/"
# Name → backbone, its title, file, top-1, millions of parameters.
_ROWS = {
    "imagenet-resnet18": ("resnet18", "ResNet-18", "resnet18-f37072fd.pth", 69.758, 11.7),
    "imagenet-resnet34": ("resnet34", "ResNet-34", "resnet34-b627a593.pth", 73.314, 21.8),
    "imagenet-resnet50": ("resnet50", "ResNet-50", "resnet50-0676ba61.pth", 76.13, 25.6),
    "imagenet-resnet50-v2": ("resnet50", "ResNet-50", "resnet50-11ad3fa6.pth", 80.858, 25.6),
    "imagenet-resnet101": ("resnet101", "ResNet-101", "resnet101-63fe2227.pth", 77.374, 44.5),
    "imagenet-resnet101-v2": ("resnet101", "ResNet-101", "resnet101-cd907fc2.pth", 81.886, 44.5),
    "imagenet-resnet152": ("resnet152", "ResNet-152", "resnet152-394f9c45.pth", 78.312, 60.2),
    "imagenet-resnet152-v2": ("resnet152", "ResNet-152", "resnet152-f82ba261.pth", 82.284, 60.2),
}


def imagenet_networks() -> dict[str, Published]:
    """Name → what to fetch; its classes are ImageNet's thousand and have no names here."""
    return {name: _published(name, *row) for name, row in _ROWS.items()}


def _published(
    name: str, backbone: str, title: str, file: str, top1: float, millions: float
) -> Published:
    digits = re.search(r"-([0-9a-f]{8})\.pth$", file)
    assert digits is not None
    return Published(
        name=name,
        publisher="torchvision",
        system="tsn",
        system_title="ImageNet",
        backbone=backbone,
        backbone_title=title,
        data_set="imagenet",
        data="ImageNet-1K",
        classes=1000,
        frames=1,
        accuracy=(Accuracy(top1, "centre crop"),),
        source="torchvision 0.28",
        url=_ADDRESS + file,
        file=file,
        sha256=digits.group(1),
        megabytes=4 * millions,
        licence="BSD-3-Clause",
        terms="ImageNet-1K: for research that is not commercial",
        labels=None,
        input_name="imagenet",
        needs="",
        note="no model of videos; training starts from it; tested with one picture",
        page="https://pytorch.org/vision/stable/models.html",
    )
