"""Spatial transforms: frames → views, as the release of each model made them.

The resizing is Pillow's bilinear filter on 8-bit RGB, which is what every release here used; the
result is equal to theirs in every byte before the mean is taken off. torch is imported only where a
tensor is made: a decoding process cuts views without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

from gsm_model.video.modality import RGB, Modality
from gsm_model.video.sampling import Sampling

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class InputSpec:
    """What a model wants to see.

    ``size``: pixels a side of the square crop. ``resize``: pixels of the shorter side before it is
    cut; with a ``width`` those of the height, whatever shape the picture has. ``channels``: the
    order of the three colour planes. ``scale``: the largest value of a pixel before ``mean`` and
    ``std``, one number a plane in the order of ``channels``, are applied; one number for all planes
    of flow. ``modality``: what of the frames it is given, ``sampling``: how they are taken from a
    video.
    """

    size: int
    resize: int
    channels: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    modality: Modality = RGB
    sampling: Sampling = "even"
    width: int | None = None

    def resized(self, size: int) -> InputSpec:
        """The same for crops of ``size`` pixels a side, with as much around them."""
        width = None if self.width is None else size * self.width // self.size
        return replace(self, size=size, resize=size * self.resize // self.size, width=width)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> InputSpec:
        """The spec that ``dataclasses.asdict`` made ``values`` of, through JSON or not; without a
        modality it is one of RGB.

        Raises:
            TypeError, KeyError, ValueError: if they are not a spec's.
        """
        modality = values.get("modality")
        return cls(
            **{
                **values,
                "mean": tuple(values["mean"]),
                "std": tuple(values["std"]),
                "modality": RGB if modality is None else Modality.from_values(modality),
            }
        )

    @classmethod
    def caffe(cls, size: int) -> InputSpec:
        """BGR, 0…255, mean (104, 117, 128): both Inceptions of the GSM release."""
        return cls(size, size * 256 // 224, "BGR", 255.0, (104.0, 117.0, 128.0), (1.0, 1.0, 1.0))

    @classmethod
    def imagenet(cls, size: int) -> InputSpec:
        """RGB, 0…1, ImageNet's mean and deviation: the ResNets of TSM and mmaction2, and ours."""
        return cls(
            size, size * 256 // 224, "RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        )

    @classmethod
    def kinetics(cls, size: int, resize: int, width: int) -> InputSpec:
        """RGB, 0…1, Kinetics' mean and deviation, every second frame: torchvision's video
        networks.
        """
        mean, std = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
        return cls(size, resize, "RGB", 1.0, mean, std, sampling="every-second", width=width)


@dataclass(frozen=True)
class Normalisation:
    """What is done to pixels before a network sees them, as one of the usual conventions has it:
    the largest value, and mean and deviation of red, green and blue; ``usual`` is the order of the
    planes that goes with it.
    """

    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    usual: Literal["RGB", "BGR"] = "RGB"

    def applied(self, spec: InputSpec) -> InputSpec:
        """``spec`` with these values, in its own order of planes."""
        step = 1 if spec.channels == "RGB" else -1
        (a, b, c), (d, e, f) = self.mean[::step], self.std[::step]
        return replace(spec, scale=self.scale, mean=(a, b, c), std=(d, e, f))


NORMALISATIONS: dict[str, Normalisation] = {
    "imagenet": Normalisation(1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": Normalisation(255.0, (128.0, 117.0, 104.0), (1.0, 1.0, 1.0), "BGR"),
    "kinetics": Normalisation(1.0, (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)),
    "half": Normalisation(1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": Normalisation(1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


def to_views(frames: np.ndarray, spec: InputSpec, crops: int = 1) -> Tensor:
    """``(T, H, W, 3)`` uint8 RGB → ``(views, T, 3, S, S)`` float32, normalised for the model of
    ``spec``.

    One crop is the centre; three are left, centre, right (or top, centre, bottom) squares of the
    full shorter side; ten are the four corners and the centre, each followed by its mirror image.

    Raises:
        ValueError: if ``frames`` has another shape or type, or ``crops`` is none of 1, 3, 10.
    """
    return normalise(view_bytes(frames, spec, crops), spec)


def view_bytes(frames: np.ndarray, spec: InputSpec, crops: int = 1) -> np.ndarray:
    """The views before the mean is taken off: ``(views, T, 3, S, S)`` uint8, planes in the order of
    ``spec``.

    Raises: as `to_views`.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or 0 in frames.shape:
        raise ValueError(
            f"frames must be (T, H, W, 3) uint8 and not empty, got {frames.shape} {frames.dtype}"
        )
    if crops not in (1, 3, 10):
        raise ValueError(f"crops must be 1, 3 or 10, got {crops}")
    of = spec if crops != 3 else replace(spec, resize=spec.size, width=_narrowest(spec))
    resized = resized_for(frames, of)
    views = []
    height, width = resized.shape[1:3]
    for top, left in _crop_corners(height, width, spec.size, crops):
        view = resized[:, top : top + spec.size, left : left + spec.size]
        views.append(view)
        if crops == 10:
            views.append(view[:, :, ::-1])
    planes = np.stack(views).transpose(0, 1, 4, 2, 3)
    return np.ascontiguousarray(planes[:, :, ::-1] if spec.channels == "BGR" else planes)


def normalise(
    views: np.ndarray, spec: InputSpec, progress: Callable[[int, int], None] | None = None
) -> Tensor:
    """uint8 views → what the model of ``spec`` takes, float32: scaled, less the mean, over the
    deviation.

    Views are ``(…, 3, S, S)``. Of a model of motion they are the 1 + L frames of each segment,
    ``(…, 3·(1 + L), S, S)``, of which the differences, the flow or the motion vectors are taken
    here, or its flow as it is stored, ``(…, 2·L, S, S)``. ``progress`` is told how many of how
    many fields of flow are done.
    """
    import torch

    kind = spec.modality.kind
    if kind == "flow" and views.shape[-3] != spec.modality.planes:
        from gsm_model.video.motion_planes import flow_planes

        views = flow_planes(views, spec.modality, spec.channels == "BGR", progress)
    if kind == "motion vectors" and views.shape[-3] != spec.modality.planes:
        from gsm_model.video.motion_planes import vector_planes

        views = vector_planes(views, spec.modality, spec.channels == "BGR")
    repeats = views.shape[-3] // len(spec.mean)
    mean = torch.tensor(spec.mean).repeat(repeats).view(-1, 1, 1)
    std = torch.tensor(spec.std).repeat(repeats).view(-1, 1, 1)
    planes = (torch.from_numpy(views).float() * (spec.scale / 255.0) - mean) / std
    if kind == "differences":
        from gsm_model.video.motion_planes import difference_planes

        return difference_planes(planes)
    return planes


def _narrowest(spec: InputSpec) -> int | None:
    """The width that goes with a height of the crop's own."""
    return None if spec.width is None else spec.size * spec.width // spec.resize


def resized_for(frames: np.ndarray, spec: InputSpec) -> np.ndarray:
    """``frames`` (n, H, W, 3) uint8 at the size at which crops for ``spec`` are cut out of them."""
    if spec.width is None:
        return resize_shorter_side(frames, spec.resize)
    return resize(frames, spec.width, spec.resize)


def resize_shorter_side(frames: np.ndarray, size: int) -> np.ndarray:
    """``(T, H, W, 3)`` uint8 with the shorter side scaled to ``size`` pixels, bilinear, as the
    release does it.
    """
    height, width = frames.shape[1:3]
    if min(height, width) == size:
        return frames
    target = (
        (size, int(size * height / width)) if width < height else (int(size * width / height), size)
    )
    return resize(frames, *target)


def resize(frames: np.ndarray, width: int, height: int) -> np.ndarray:
    """``(T, H, W, 3)`` uint8 → ``(T, height, width, 3)`` uint8, bilinear as Pillow does it."""
    return np.stack(
        [
            np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))
            for frame in frames
        ]
    )


def frames_as_seen(frames: np.ndarray, spec: InputSpec, pixels: int) -> np.ndarray:
    """What a model of ``spec`` sees of ``frames`` (T, H, W, 3) uint8 RGB, for people to look at:
    (T, pixels, pixels, 3) uint8 RGB.

    This is the region of the centre crop, cut from the frames as they are, so that it is sharper
    than the model's own input.
    """
    box, target = _seen(frames.shape[1], frames.shape[2], spec), (pixels, pixels)
    return np.stack(
        [
            np.asarray(Image.fromarray(frame).resize(target, Image.Resampling.BILINEAR, box=box))
            for frame in frames
        ]
    )


def _seen(height: int, width: int, spec: InputSpec) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the region of the centre crop, in pixels of the frame."""
    across = down = min(height, width) * spec.size / spec.resize
    if spec.width is not None:
        across, down = width * spec.size / spec.width, height * spec.size / spec.resize
    left, top = (width - across) / 2, (height - down) / 2
    return left, top, left + across, top + down


def masks_as_seen(masks: np.ndarray, spec: InputSpec) -> np.ndarray:
    """What each pixel of a model's centre crop shows: ``masks`` (T, H, W) uint8 kinds of the whole
    frames → (T, S, S) uint8, by the nearest pixel.
    """
    box, target = _seen(masks.shape[1], masks.shape[2], spec), (spec.size, spec.size)
    return np.stack(
        [
            np.asarray(Image.fromarray(mask).resize(target, Image.Resampling.NEAREST, box=box))
            for mask in masks
        ]
    )


def _crop_corners(height: int, width: int, size: int, crops: int) -> list[tuple[int, int]]:
    """(top, left) of each crop, in the release's order: top left, top right, bottom left, bottom
    right, centre.
    """
    if crops == 1:
        return [(round((height - size) / 2.0), round((width - size) / 2.0))]
    if crops == 3:
        down, right = height - size, width - size
        return [(0, 0), (down // 2, right // 2), (down, right)]
    down, right = (height - size) // 4, (width - size) // 4
    return [(0, 0), (0, 4 * right), (4 * down, 0), (4 * down, 4 * right), (2 * down, 2 * right)]
