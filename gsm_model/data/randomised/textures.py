"""What randomised clips are painted with: photographs, 1/f noise and collages of both.

The photographs are the two that scikit-learn bundles, ``china.jpg`` by danielbuechele and
``flower.jpg`` by vultilion, both CC BY 2.0, and seven in the folder ``photographs``, which says
whose they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Kind = Literal["photograph", "noise", "collage"]
KINDS: tuple[Kind, ...] = ("photograph", "noise", "collage")
PHOTOGRAPHS = ("china.jpg", "flower.jpg")
NOISES, COLLAGES = 40, 40
NOISE_SIDE, COLLAGE_SIDE = 192, 192
LEVELS = 4


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture to paint with: ``levels`` of it, each (1, 3, h, w) float32 in 0 … 1 and half as
    large as the one before, and its mean colour (3,).
    """

    levels: tuple[Tensor, ...]
    mean: np.ndarray

    @classmethod
    def of(cls, picture: np.ndarray) -> Texture:
        """The texture of ``picture`` (H, W, 3) in 0 … 1."""
        whole = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None].contiguous()
        levels = [whole]
        while len(levels) < LEVELS:
            levels.append(torch.nn.functional.avg_pool2d(levels[-1], 2))
        return cls(tuple(levels), picture.mean((0, 1)))

    def level(self, texels: float) -> int:
        """The level to sample where a pixel of the picture spans ``texels`` of the first level."""
        return int(np.clip(np.floor(np.log2(max(texels, 1e-6)) + 0.5), 0, len(self.levels) - 1))


@cache
def textures(kind: Kind) -> tuple[Texture, ...]:
    """All textures of a kind, made once a process, the same on every machine."""
    if kind == "photograph":
        return tuple(Texture.of(picture) for picture in _photographs())
    if kind == "noise":
        return tuple(
            Texture.of(_noise(np.random.default_rng((11, number)))) for number in range(NOISES)
        )
    return tuple(
        Texture.of(_collage(np.random.default_rng((12, number)))) for number in range(COLLAGES)
    )


@cache
def on_device(texture: Texture, level: int, device: torch.device) -> Tensor:
    """A level of a texture, (1, 3, h, w), where it is sampled."""
    return texture.levels[level].to(device)


@cache
def _photographs() -> tuple[np.ndarray, ...]:
    spec = find_spec("sklearn")  # finds the package without importing it
    assert spec is not None and spec.origin is not None, "scikit-learn is a requirement"
    folder = Path(spec.origin).parent / "datasets" / "images"
    files = [folder / name for name in PHOTOGRAPHS]
    found = []
    for file in (*files, *sorted((Path(__file__).parent / "photographs").glob("*.jpg"))):
        with Image.open(file) as picture:
            found.append(np.asarray(picture.convert("RGB"), np.float32) / 255)
    return tuple(found)


def _noise(rng: np.random.Generator) -> np.ndarray:
    """Three channels of 1/f^β noise, as it is, ridged, banded or as patches, in 0 … 1."""
    side = NOISE_SIDE
    y, x = np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side), indexing="ij")
    angle, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(0, 1.4) * rng.integers(2))
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    frequency = np.hypot(u * stretch, v / stretch)
    frequency[0, 0] = np.inf
    spectrum = frequency ** -rng.uniform(0.7, 2.2)
    white = np.fft.fft2(rng.standard_normal((3, side, side)))
    field = np.fft.ifft2(white * spectrum).real
    field /= field.std(axis=(1, 2), keepdims=True)
    common = rng.uniform(0.3, 0.95)
    field = common * field[:1] + (1 - common) * field
    style = rng.choice(["plain", "ridged", "banded", "patches"])
    if style == "ridged":
        field = 1.5 - 2 * np.abs(field)
    elif style == "banded":
        field = 1.5 * np.sin(rng.uniform(2, 9) * field[:1] + np.array([0, 0.4, 0.8])[:, None, None])
    elif style == "patches":
        field = np.round(field * rng.uniform(0.8, 2.0))
    return np.clip(0.5 + 0.2 * field, 0, 1).transpose(1, 2, 0)


def _collage(rng: np.random.Generator) -> np.ndarray:
    """Pieces of photographs, noise and plain colours, pasted over each other."""
    side = COLLAGE_SIDE
    picture = _piece(rng, side, side).copy()
    y, x = np.mgrid[:side, :side]
    for _ in range(int(rng.integers(10, 50))):
        height, width = (int(v) for v in np.exp(rng.uniform(np.log(6), np.log(90), 2)))
        top, left = rng.integers(0, side - height), rng.integers(0, side - width)
        rows, columns = slice(top, top + height), slice(left, left + width)
        piece = _piece(rng, height, width)
        if rng.random() < 0.5:
            v = (y[rows, columns] - top) / height - 0.5
            u = (x[rows, columns] - left) / width - 0.5
            inside = (u * u + v * v < 0.25)[..., None]
            piece = np.where(inside, piece, picture[rows, columns])
        picture[rows, columns] = piece
    return picture


def _piece(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """(height, width, 3) of a photograph, of noise, or of one colour."""
    kind = rng.random()
    if kind < 0.25:
        return np.broadcast_to(rng.uniform(0.05, 0.95, 3).astype(np.float32), (height, width, 3))
    if kind < 0.5:
        noises = textures("noise")
        source = noises[rng.integers(len(noises))].levels[0][0].permute(1, 2, 0).numpy()
    else:
        photographs = _photographs()
        source = photographs[rng.integers(len(photographs))]
        source = source[..., rng.permutation(3)] if rng.random() < 0.3 else source
    step = int(rng.integers(1, 1 + min(source.shape[0] // height, source.shape[1] // width, 4)))
    top = rng.integers(0, source.shape[0] - step * height + 1)
    left = rng.integers(0, source.shape[1] - step * width + 1)
    return source[top : top + step * height : step, left : left + step * width : step]
