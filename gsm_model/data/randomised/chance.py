"""What chance decides in a randomised clip: pace, looks, paths, arms; all as likely as its reversal
in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gsm_model.data.randomised.cutouts import cutouts
from gsm_model.data.randomised.layers import Look
from gsm_model.data.randomised.textures import KINDS, Kind, textures
from gsm_model.data.synthetic.chance import Chance, Style, Timing
from gsm_model.data.synthetic.scene import Wave

STYLE = Style(
    ("plain", "stripes", "checks", "dots"),
    "dots",
    ("box", "ellipse", "polygon", "half disc", "kite", "long"),
    "drift",
)
# Photographs decide which pair of classes is seen; plain noise is the contrast to them.
SHARES: dict[Kind, float] = {"photograph": 0.5, "noise": 0.25, "collage": 0.25}
GREY = np.array([0.33, 0.34, 0.33])


@dataclass(frozen=True)
class Pace(Timing):
    """A timing that may pause half-way: from time ``pause`` on for ``rest`` of the action."""

    pause: float = 0.5
    rest: float = 0.0

    def along(self, t: np.ndarray) -> np.ndarray:
        """How far the action is at times ``t`` (n,): 0 before ``start``, 1 after ``stop``."""
        x = np.clip((np.asarray(t, float) - self.start) / (self.stop - self.start), 0, 1)
        before, after = self.pause * (1 - self.rest), self.pause * (1 - self.rest) + self.rest
        moving = np.where(x < before, x, np.where(x > after, x - self.rest, before))
        x = moving / (1 - self.rest)
        if self.mirrored:
            return 1 - _eased((1 - x) ** self.exponent)
        return _eased(x**self.exponent)

    def progress(self, t: float) -> float:
        return float(self.along(np.array([t]))[0])


def _eased(x: np.ndarray) -> np.ndarray:
    return x + 0.6 * (x * x * (3 - 2 * x) - x)


@dataclass(frozen=True)
class Clutter(Chance):
    """A random stream with ``clutter`` in 0 … 1: how busy, how small and how spoilt all is."""

    clutter: float = 1.0

    def spread(self, low: float, high: float) -> float:
        """A number, uniform in ``low`` … ``high`` with clutter 1, ``low`` with clutter 0."""
        return self.between(low, low + (high - low) * self.clutter)

    def sometimes(self, share: float) -> bool:
        """True with probability ``share`` · ``clutter``."""
        return self.often(share * self.clutter)

    def log_between(self, low: float, high: float) -> float:
        """A number whose logarithm is uniform."""
        return float(np.exp(self.between(np.log(low), np.log(high))))

    def timing(self) -> Pace:
        """A pace: with pauses at the ends, in the middle, or none; slow, fast, eased or not."""
        start, stop = self.between(0.0, 0.3), self.between(0.7, 1.0)
        if self.often(0.4):
            start, stop = 0.0, 1.0
        if self.sometimes(0.2):  # fast: a third of the clip, anywhere in it
            length = self.between(0.3, 0.5)
            start = self.between(0.0, 1.0 - length)
            stop = start + length
        return Pace(
            enter=start - self.between(0.08, 0.2),
            start=start,
            stop=stop,
            leave=stop + self.between(0.08, 0.2),
            exponent=float(np.exp(self.between(-0.4, 0.4))),
            mirrored=self.often(0.5),
            pause=self.between(0.2, 0.8),
            rest=self.between(0.1, 0.3) if self.sometimes(0.2) else 0.0,
        )

    def look(self, size: float, contrast: float = 1.0) -> Look:
        """A look for something of about ``size`` picture units from centre to rim."""
        shares = np.array([SHARES[kind] for kind in KINDS])
        shares[KINDS.index("noise")] += 1.5 * (1 - self.clutter)
        kind = KINDS[self.rng.choice(len(KINDS), p=shares / shares.sum())]
        chosen = textures(kind)[self.rng.integers(len(textures(kind)))]
        # The part of the texture that the thing shows, in the texture's half sides.
        shown = self.log_between(0.12, 0.9)
        scale, angle = shown / size, self.between(-0.4, 0.4)
        if self.often(0.25):
            angle = self.between(0, 2 * np.pi)
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        flip = -1.0 if self.often(0.5) else 1.0
        height, width = chosen.levels[0].shape[-2:]
        aspect = height / width
        at = self.rng.uniform(-1 + shown * 0.7, 1 - shown * 0.7, 2)
        matrix = np.array([[flip * cos * aspect, -flip * sin * aspect, at[0]], [sin, cos, at[1]]])
        mix, base = self._colors(kind, chosen.mean, contrast)
        return Look(chosen, matrix, mix, base)

    def _colors(
        self, kind: Kind, mean: np.ndarray, contrast: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """How a texture's colours are changed, and the colour that its mean becomes."""
        gain = contrast * self.between(0.6, 1.25) * (0.4 + 0.6 * self.clutter)
        if kind == "noise":
            colorful = self.between(0.0, 0.7)
            mix = (1 - colorful) * np.full((3, 3), 0.4) + colorful * self.rng.uniform(
                -0.6, 1.2, (3, 3)
            )
            base = self.color()
            return gain * mix, base + self.between(0.0, 0.8) * (base.mean() - base)
        mix = np.eye(3)
        saturation = self.between(0.2, 1.4)
        mix = saturation * mix + (1 - saturation) * np.tile(GREY, (3, 1))
        if self.often(0.15):
            mix = mix[self.rng.permutation(3)]
        mix = gain * mix * self.rng.uniform(0.75, 1.25, (3, 1))
        natural = mean + self.rng.uniform(-0.12, 0.12, 3) + self.between(-0.2, 0.2)
        base = np.clip(0.5 * natural + 0.5 * self.between(0.2, 0.75), 0.08, 0.92)
        if self.often(0.05):
            mix, base = -mix, 1 - base
        return mix, base

    def cut(self) -> Tensor:
        """The outline of a thing."""
        return cutouts()[self.rng.integers(len(cutouts()))]

    def wave(self, amplitude: float, slowest: float, fastest: float, terms: int = 2) -> Wave:
        """A sum of sines at random phases, of up to ``amplitude`` each, so many turns a clip."""
        return Wave(
            np.stack(
                [
                    self.rng.uniform(0, amplitude, terms),
                    self.rng.uniform(slowest, fastest, terms),
                    self.rng.uniform(0, 2 * np.pi, terms),
                ],
                1,
            )
        )


def at_times(wave: Wave, t: np.ndarray) -> np.ndarray:
    """A wave at times ``t`` (n,): (n,)."""
    amplitude, turns, phase = wave.terms.T
    return np.sum(amplitude * np.sin(2 * np.pi * turns * t[:, None] + phase), axis=1)
