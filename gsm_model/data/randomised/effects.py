"""What a camera and a codec do to pictures: exposure, white balance, vignette, blur, noise,
compression; alike for both directions of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gsm_model.data.randomised.chance import Clutter, at_times
from gsm_model.data.synthetic.scene import Wave

# JPEG's tables of quality 50 (ITU-T T.81, annex K), for brightness and for colour.
BRIGHTNESS = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
COLOR = np.full((8, 8), 99)
COLOR[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])


@dataclass(frozen=True)
class Effects:
    """``gain`` (3,) of the channels and its ``flicker``; ``ramp`` (2,) of the light across and
    down; ``tone``, how much mid-tones are raised; ``vignette`` at the corners; ``blur`` in pixels
    for a side of 100; ``detail``, the share of the resolution that is kept; ``noise`` in 8-bit
    levels, ``colored`` or grey; JPEG ``quality``, 0 for none; ``shutter``, the share of the clip
    for which it is open.
    """

    gain: np.ndarray
    flicker: Wave
    ramp: np.ndarray
    tone: float
    vignette: float
    blur: float
    detail: float
    noise: float
    colored: bool
    quality: int
    shutter: float

    @classmethod
    def drawn_by(cls, chance: Clutter) -> Effects:
        """Effects as strong as the clutter allows."""
        c = chance.clutter
        return cls(
            gain=np.exp(chance.between(-0.35, 0.25) * c + chance.rng.uniform(-0.12, 0.12, 3) * c),
            flicker=chance.wave(0.05 * c, 0.3, 4.0),
            ramp=chance.point(0.25 * c),
            tone=chance.between(-0.35, 0.35) * c,
            vignette=chance.between(0.0, 0.4) * chance.sometimes(0.3),
            blur=chance.between(0.3, 1.1) * chance.sometimes(0.3),
            detail=1.0 - chance.between(0.2, 0.6) * chance.sometimes(0.25),
            noise=chance.between(0.5, 2.0 + 8.0 * c * chance.often(0.5)),
            colored=chance.often(0.5),
            quality=chance.count(12, 85) if chance.sometimes(0.5) else 0,
            shutter=chance.between(0.01, 0.05) if chance.sometimes(0.15) else 0.0,
        )

    def apply(self, pictures: Tensor, t: np.ndarray, seeds: list[tuple[int, ...]]) -> Tensor:
        """``pictures`` (n, 3, H, W) in 0 … 1 of times ``t`` (n,) → (n, H, W, 3) uint8. The noise of
        each is its seed's.
        """
        device = pictures.device
        height, width = pictures.shape[-2:]
        if self.blur or self.detail < 1:
            down, across = (
                torch.from_numpy(_softened(side, self.detail, self.blur * min(height, width) / 100))
                for side in (height, width)
            )
            pictures = down.to(device) @ pictures @ across.to(device).T
        pictures = pictures.clamp_(0, 1)
        if self.tone:
            pictures = torch.addcmul(pictures, pictures, 1 - pictures, value=self.tone)
        flicker, light = self._light(t, height, width)
        pictures = (pictures * light.to(device)).mul_(flicker.to(device))
        pictures = pictures.add_(self._noise(seeds, height, width).to(device)).clamp_(0, 1)
        if self.quality:
            pictures = jpeg(pictures, self.quality).clamp_(0, 1)
        return (pictures * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1)

    def _light(self, t: np.ndarray, height: int, width: int) -> tuple[Tensor, Tensor]:
        """The light's strength in time, (n, 1, 1, 1), and in the picture, (3, H, W)."""
        x, y = torch.linspace(-1, 1, width)[None, :], torch.linspace(-1, 1, height)[:, None]
        still = 1 + self.ramp[0] * x + self.ramp[1] * y - self.vignette * (x * x + y * y) / 2
        gain = torch.from_numpy(self.gain.astype(np.float32))[:, None, None]
        flicker = torch.from_numpy((1 + at_times(self.flicker, t)).astype(np.float32))
        return flicker.view(-1, 1, 1, 1), gain * still.float()

    def _noise(self, seeds: list[tuple[int, ...]], height: int, width: int) -> Tensor:
        channels = 3 if self.colored else 1
        shape = (channels, height, width)
        drawn = np.stack(
            [np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) for seed in seeds]
        )
        return torch.from_numpy(drawn * np.float32(self.noise / 255))


def _softened(side: int, detail: float, sigma: float) -> np.ndarray:
    """The (side, side) float32 matrix that takes a line of pixels to one of ``detail`` times the
    resolution and back, and blurs it with a Gaussian of ``sigma`` pixels.
    """
    at = np.arange(side) + 0.5
    found = np.eye(side)
    if detail < 1:
        count = max(8, round(side * detail))
        step = side / count
        coarse = (np.arange(count) + 0.5) * step
        found = _tents(at, coarse, step) @ _tents(coarse, at, step)
    if sigma:
        weight = np.exp(-0.5 * ((at[:, None] - at) / sigma) ** 2)
        found = weight / weight.sum(1, keepdims=True) @ found
    return found.astype(np.float32)


def _tents(onto: np.ndarray, of: np.ndarray, step: float) -> np.ndarray:
    """Bilinear weights (len(onto), len(of)) of samples at ``of`` for the places ``onto``."""
    weight = np.maximum(1 - np.abs(onto[:, None] - of) / step, 0)
    return weight / weight.sum(1, keepdims=True)


@cache
def _cosines() -> np.ndarray:
    """The (64, 64) matrix of the orthonormal DCT-II of a block of 8 × 8 pixels."""
    k, n = np.mgrid[:8, :8]
    found = np.cos(np.pi * (2 * n + 1) * k / 16) / 2
    found[0] /= np.sqrt(2)
    return np.kron(found, found)


def jpeg(pictures: Tensor, quality: int) -> Tensor:
    """What JPEG of ``quality`` (1 … 100) makes of ``pictures`` (n, 3, H, W) in 0 … 1: its 8 × 8
    blocks' cosines, rounded by its tables; the colours at full resolution.
    """
    height, width = pictures.shape[-2:]
    scale = 50 / quality if quality < 50 else 2 - quality / 50
    tables = np.clip(np.floor(np.stack([BRIGHTNESS, COLOR, COLOR]) * scale + 0.5), 1, 255)
    to, cosines, table = (
        torch.from_numpy(values.astype(np.float32)).to(pictures.device)
        for values in (TO_YCC, _cosines(), tables)
    )
    down, right = -height % 8, -width % 8
    padded = F.pad(pictures, (0, right, 0, down), mode="replicate")
    n, rows, columns = len(padded), padded.shape[2] // 8, padded.shape[3] // 8
    blocks = padded.view(n, 3, rows, 8, columns, 8).permute(1, 0, 2, 4, 3, 5).reshape(3, -1)
    ycc = (to @ (blocks * 255 - 128)).view(3, -1, 64)
    step = table.view(3, 1, 64)
    ycc = ((ycc @ cosines.T / step).round_() * step) @ cosines
    rgb = torch.linalg.inv(to.double()).to(to.dtype) @ ycc.view(3, -1)
    back = rgb.view(3, n, rows, columns, 8, 8).permute(1, 0, 2, 4, 3, 5).reshape(padded.shape)
    return (back[:, :, :height, :width] + 128) / 255
