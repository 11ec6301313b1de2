"""Packages that tests compare with and that import torchvision."""

from gsm_model.models.video_networks.from_torchvision import (
    importing_torchvision as reference_package,
)

__all__ = ["reference_package"]
