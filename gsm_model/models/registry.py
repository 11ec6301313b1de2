"""The registries: every backbone, system and whole video network this package has, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from gsm_model.models.backbones.bn_inception import BNInception
from gsm_model.models.backbones.inception_v3 import InceptionV3
from gsm_model.models.backbones.mobilenet_v2 import MobileNetV2
from gsm_model.models.backbones.resnet import LAYOUTS, RESNEXT, ResNet
from gsm_model.models.slots import Backbone
from gsm_model.models.systems import (
    cost_a,
    cost_b,
    csn,
    difference,
    eco,
    flow_of_flow,
    fstcn,
    gsf,
    gsm,
    gst,
    gst_large,
    mc3,
    mict,
    motion_feature,
    multifiber,
    off,
    p3d,
    r2plus1d,
    r3d,
    representation_flow,
    s3d,
    s3dg,
    stm,
    tsm,
    tsn,
)
from gsm_model.models.systems.system import System
from gsm_model.models.video_networks.from_torchvision import torchvision_network
from gsm_model.models.video_networks.network import VideoNetwork
from gsm_model.models.video_networks.resnet3d import ResNet3D
from gsm_model.video.modality import Modality
from gsm_model.video.transforms import InputSpec


def systems() -> dict[str, System]:
    """Name → system. A new system is one file and one line here."""
    entries = (
        tsn.SYSTEM,
        gsm.SYSTEM,
        gsf.SYSTEM,
        tsm.SYSTEM,
        r2plus1d.SYSTEM,
        r3d.SYSTEM,
        mc3.SYSTEM,
        s3d.SYSTEM,
        s3dg.SYSTEM,
        p3d.SYSTEM,
        csn.SYSTEM,
        gst.SYSTEM,
        gst_large.SYSTEM,
        stm.SYSTEM,
        cost_a.SYSTEM,
        cost_b.SYSTEM,
        motion_feature.SYSTEM,
        difference.SYSTEM,
        off.SYSTEM,
        representation_flow.SYSTEM,
        flow_of_flow.SYSTEM,
        multifiber.SYSTEM,
        mict.SYSTEM,
        eco.SYSTEM,
        fstcn.SYSTEM,
    )
    return {entry.name: entry for entry in entries}


@dataclass(frozen=True)
class BackboneEntry:
    """One entry of the registry of backbones: what people call it, how to build it for a width, and
    the input its published models want.
    """

    title: str
    build: Callable[[float], Backbone]
    input: InputSpec

    def input_of(self, modality: Modality) -> InputSpec:
        """The input of its published models of ``modality``.

        Source: the TSN release takes differences as they are, flow 128 less for BN-Inception, and
        for ResNets over the mean of ImageNet's deviations, around the middle. A network that
        computes its flow takes frames as they are. Motion vectors are taken around the middle,
        residuals over ImageNet's deviations too: our reading of CoViAR's release, which was not
        run.
        """
        if modality.kind == "RGB":
            return replace(self.input, modality=modality)
        if modality.kind == "differences":
            return replace(self.input, mean=(0.0,) * 3, std=(1.0,) * 3, modality=modality)
        if modality.kind == "learnt flow":
            return replace(
                self.input,
                channels="RGB",
                scale=255.0,
                mean=(0.0,),
                std=(1.0,),
                modality=modality,
            )
        if modality.kind == "motion vectors":
            return replace(
                self.input,
                channels="RGB",
                scale=1.0,
                mean=(0.5,) * 5,
                std=(1.0, 1.0, 0.229, 0.224, 0.225),
                modality=modality,
            )
        is_scaled = self.input.scale == 1
        mean, std = (0.5, sum(self.input.std) / 3) if is_scaled else (128.0, 1.0)
        return replace(self.input, channels="RGB", mean=(mean,), std=(std,), modality=modality)


def _fixed_width(title: str, build: Callable[[], Backbone]) -> Callable[[float], Backbone]:
    def make(width: float) -> Backbone:
        if width != 1.0:
            raise ValueError(f"{title} has one width; ResNets and BN-Inception take others")
        return build()

    return make


def backbones() -> dict[str, BackboneEntry]:
    """Name → backbone. A new backbone is one file and one line here."""
    return {
        "bn_inception": BackboneEntry("BN-Inception", BNInception, InputSpec.caffe(224)),
        "inception_v3": BackboneEntry(
            "Inception-V3", _fixed_width("Inception-V3", InceptionV3), InputSpec.caffe(229)
        ),
        "mobilenet_v2": BackboneEntry(
            "MobileNetV2", _fixed_width("MobileNetV2", MobileNetV2), InputSpec.imagenet(224)
        ),
        **{name: _resnet(name) for name in LAYOUTS},
    }


def _resnet(name: str) -> BackboneEntry:
    title = "ResNeXt-101" if name == RESNEXT else f"ResNet-{name.removeprefix('resnet')}"
    return BackboneEntry(title, lambda width: ResNet(name, width), InputSpec.imagenet(224))


@dataclass(frozen=True)
class VideoNetworkEntry:
    """One entry of the registry of whole video networks: what people call it, whose it is, the
    system that it is of, how to build it, and the input and number of frames its published models
    want.
    """

    title: str
    publisher: str
    temporal: str
    build: Callable[[], VideoNetwork]
    input: InputSpec
    frames: int


def video_networks() -> dict[str, VideoNetworkEntry]:
    """Name → network of convolutions or of attention over time throughout. A new one is one line
    here.

    Source of the inputs: torchvision's weights (resized to one shape but for the transformers; 15
    of mostly 30 frames a second, of which MViT takes every second), mmaction2's configurations.
    """
    small, large = InputSpec.kinetics(112, 128, 171), InputSpec.kinetics(224, 256, 256)
    dense = replace(InputSpec.imagenet(224), sampling="dense")
    windows = replace(InputSpec.imagenet(224), sampling="every-second")
    multiscale = replace(dense, mean=(0.45,) * 3, std=(0.225,) * 3)
    tv, mm = "torchvision", "mmaction2"
    rows: dict[str, tuple[str, str, str, Callable[[], VideoNetwork], InputSpec, int]] = {
        "r3d_18": ("R3D ResNet-18", tv, "r3d", partial(torchvision_network, "r3d_18"), small, 16),
        "mc3_18": ("MC3 ResNet-18", tv, "mc3", partial(torchvision_network, "mc3_18"), small, 16),
        "r2plus1d_18": (
            *("R(2+1)D ResNet-18", tv, "r2plus1d"),
            *(partial(torchvision_network, "r2plus1d_18"), small, 16),
        ),
        "s3d": ("S3D Inception-V1", tv, "s3d", partial(torchvision_network, "s3d"), large, 128),
        **{
            f"swin3d_{size}": (
                *(f"Video Swin {size.upper()}", tv, "swin3d"),
                *(partial(torchvision_network, f"swin3d_{size}"), windows, 32),
            )
            for size in "tsb"
        },
        **{
            f"mvit_{size}": (
                *(title, tv, "mvit"),
                *(partial(torchvision_network, f"mvit_{size}"), multiscale, 16),
            )
            for size, title in {"v1_b": "MViT v1-B", "v2_s": "MViT v2-S"}.items()
        },
        "r2plus1d_34": (
            *("R(2+1)D ResNet-34", mm, "r2plus1d"),
            *(partial(ResNet3D, "resnet34", "r2plus1d"), dense, 8),
        ),
        "ircsn_50": ("ir-CSN ResNet-50", mm, "csn", partial(ResNet3D, "resnet50", "ir"), dense, 32),
        "ircsn_152": (
            *("ir-CSN ResNet-152", mm, "csn"),
            *(partial(ResNet3D, "resnet152", "ir"), dense, 32),
        ),
        "ipcsn_152": (
            *("ip-CSN ResNet-152", mm, "csn"),
            *(partial(ResNet3D, "resnet152", "ip"), dense, 32),
        ),
    }
    return {name: VideoNetworkEntry(*row) for name, row in rows.items()}


def title_of(backbone: str, temporal: str) -> str:
    """What people call a network, such as *GSM BN-Inception*."""
    whole = video_networks().get(backbone)
    if whole is not None:
        return whole.title
    return f"{systems()[temporal].title} {backbones()[backbone].title}"
