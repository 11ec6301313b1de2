"""The two registries: every backbone and every temporal module this package has, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gsm_model.models.backbones.bn_inception import BNInception
from gsm_model.models.backbones.inception_v3 import InceptionV3
from gsm_model.models.backbones.resnet import LAYOUTS, ResNet
from gsm_model.models.slots import TemporalHost, TemporalKind
from gsm_model.models.systems import gsm, tsm
from gsm_model.video.transforms import InputSpec

TSN = TemporalKind(name="none", title="TSN", prefix="", build=None)


def temporal_kinds() -> dict[str, TemporalKind]:
    """Name → temporal module. A new module is one file and one line here."""
    return {kind.name: kind for kind in (TSN, gsm.KIND, tsm.KIND)}


@dataclass(frozen=True)
class Backbone:
    """One entry of the registry of backbones: how to build it, and the input its published models
    want.
    """

    build: Callable[[float], TemporalHost]
    input: InputSpec


def _fixed_width(name: str, build: Callable[[], TemporalHost]) -> Callable[[float], TemporalHost]:
    def make(width: float) -> TemporalHost:
        if width != 1.0:
            raise ValueError(f"{name} has one width; only ResNets take another")
        return build()

    return make


def backbones() -> dict[str, Backbone]:
    """Name → backbone. A new backbone is one file and one line here."""
    resnets = {
        name: Backbone(lambda width, name=name: ResNet(name, width), InputSpec.imagenet(224))
        for name in LAYOUTS
    }
    return {
        "bn_inception": Backbone(_fixed_width("bn_inception", BNInception), InputSpec.caffe(224)),
        "inception_v3": Backbone(_fixed_width("inception_v3", InceptionV3), InputSpec.caffe(229)),
        **resnets,
    }
