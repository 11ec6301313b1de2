"""What chance decides in a drawn clip: materials, outlines, hands and the timing of the action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gsm_model.data.synthetic.materials import Material, Pattern
from gsm_model.data.synthetic.raster import Shape

SKIN = np.array([[0.95, 0.78, 0.66], [0.80, 0.58, 0.44], [0.55, 0.37, 0.26], [0.36, 0.23, 0.16]])
ARM = 4.0  # from fingertips to elbow, in scene units: long enough that its end is never seen
Outline = Literal["box", "ellipse", "polygon", "half disc", "kite", "long"]


@dataclass(frozen=True)
class Style:
    """What a clip may look like: its patterns (``grain`` is that of sand), outlines and kind of
    camera motion.
    """

    patterns: tuple[Pattern, ...]
    grain: Pattern
    outlines: tuple[Outline, ...]
    camera: Literal["drift", "swing"]


TRAINED = Style(
    ("plain", "stripes", "checks", "dots"), "dots", ("box", "ellipse", "polygon"), "drift"
)
SHIFTED = Style(("waves", "rings", "bricks"), "waves", ("half disc", "kite", "long"), "swing")


@dataclass(frozen=True)
class Timing:
    """When things happen, as fractions of the clip: the hand arrives, moves the object, lets go, is
    gone.

    ``exponent`` bends the speed of the action; ``mirrored`` bends it the other way round in time,
    so that slow starts and slow ends are equally likely.
    """

    enter: float
    start: float
    stop: float
    leave: float
    exponent: float
    mirrored: bool

    def progress(self, t: float) -> float:
        """How far the action is at time ``t`` in 0 … 1: 0 before ``start``, 1 after ``stop``,
        smooth between.
        """
        x = float(np.clip((t - self.start) / (self.stop - self.start), 0, 1))
        if self.mirrored:
            return 1 - _smooth((1 - x) ** self.exponent)
        return _smooth(x**self.exponent)

    def away(self, t: float) -> float:
        """How far the hand is from its grip: 1 outside the picture, 0 holding."""
        if t < self.start:
            return _smooth(min((self.start - t) / (self.start - self.enter), 1.0))
        if t > self.stop:
            return _smooth(min((t - self.stop) / (self.leave - self.stop), 1.0))
        return 0.0


def _smooth(x: float) -> float:
    return x * x * (3 - 2 * x)


@dataclass(frozen=True)
class Hand:
    """An arm and a hand that come from outside the picture along ``direction`` (unit vector,
    pointing outward).
    """

    direction: np.ndarray
    skin: Material
    sleeve: Material
    size: float

    def shapes(self, grip: np.ndarray, away: float) -> list[Shape]:
        """The hand with its fingertips at ``grip``, drawn back by ``away`` (1 is out of sight)."""
        tip = grip + self.direction * (away * 2.6)
        side = np.array([-self.direction[1], self.direction[0]])
        wrist = tip + self.direction * self.size * 2.4

        def part(
            start: np.ndarray,
            end: np.ndarray,
            radius: float,
            material: Material,
            shade: float = 1.0,
        ) -> Shape:
            return Shape(
                np.stack([start, end]),
                material,
                "hand",
                radius * self.size,
                origin=tuple(tip),
                shade=shade,
            )

        def at(along: float, across: float) -> np.ndarray:
            return tip + (self.direction * along + side * across) * self.size

        fingers = [
            part(at(0.1 * abs(x), x), at(1.4, 0.8 * x), 0.24, self.skin, 0.96 + 0.06 * x)
            for x in (-0.5, 0.0, 0.5)
        ]
        return [
            part(wrist, tip + self.direction * ARM, 0.75, self.sleeve),
            part(at(1.5, 0.0), wrist, 0.62, self.skin),
            *fingers,
            part(at(0.7, 1.0), at(1.8, 0.4), 0.27, self.skin, 1.05),
        ]


@dataclass(frozen=True)
class Chance:
    """A random stream with the style to draw in. Every method takes the next numbers of the
    stream.
    """

    rng: np.random.Generator
    style: Style = TRAINED

    def between(self, low: float, high: float) -> float:
        """A number, uniform in ``low`` … ``high``."""
        return float(self.rng.uniform(low, high))

    def point(self, reach: float) -> np.ndarray:
        """A point (2,), uniform in the square of half side ``reach`` about the centre."""
        return self.rng.uniform(-reach, reach, 2)

    def often(self, share: float) -> bool:
        """True with probability ``share``."""
        return bool(self.rng.random() < share)

    def count(self, low: int, high: int) -> int:
        """A whole number in ``low`` … ``high``, both included."""
        return int(self.rng.integers(low, high + 1))

    def timing(self) -> Timing:
        """A timing whose pauses at both ends and whose speed vary."""
        start, stop = self.between(0.14, 0.32), self.between(0.68, 0.86)
        return Timing(
            enter=start - self.between(0.08, 0.14),
            start=start,
            stop=stop,
            leave=stop + self.between(0.08, 0.14),
            exponent=float(np.exp(self.between(-0.4, 0.4))),
            mirrored=self.often(0.5),
        )

    def color(self) -> np.ndarray:
        """A colour, RGB in 0 … 1, neither black nor white."""
        return np.clip(self.between(0.25, 0.85) + self.rng.uniform(-0.3, 0.3, 3), 0.05, 0.95)

    def material(
        self, contrast: float = 0.18, frequency: tuple[float, float] = (8.0, 26.0)
    ) -> Material:
        """A material whose two colours differ by ``contrast`` in brightness and up to twice that in
        each channel.
        """
        first = self.color()
        second = np.clip(
            first
            + self.rng.uniform(-2 * contrast, 2 * contrast, 3)
            + self.rng.choice([-contrast, contrast]),
            0.02,
            0.98,
        )
        return Material(
            np.stack([first, second]),
            self.style.patterns[self.rng.integers(len(self.style.patterns))],
            frequency=self.between(*frequency),
            angle=self.between(0, np.pi),
            phase=self.between(0, 2 * np.pi),
        )

    def ground(self) -> Material:
        """A material for floors, walls and tables: large patterns of low contrast."""
        return self.material(contrast=0.08, frequency=(3.0, 14.0))

    def outline(self, size: float) -> np.ndarray:
        """A convex outline about the origin, (n, 2), of about ``size`` from centre to rim."""
        kind = self.style.outlines[self.rng.integers(len(self.style.outlines))]
        aspect, sides, phase = self.between(0.7, 1.4), self.count(3, 6), self.between(0, 1)
        if kind == "box":
            corners = box(-1, -1, 1, 1) * 0.85
        elif kind == "kite":
            corners = np.array([[0, -1.3], [0.8, -0.2], [0, 1.0], [-0.8, -0.2]])
        elif kind == "polygon":
            corners = 1.15 * on_circle(2 * np.pi * (np.arange(sides) + phase) / sides)
        elif kind == "half disc":
            corners = 1.25 * on_circle(np.linspace(0, np.pi, 12)) - (0, 0.5)
        else:
            corners = on_circle(2 * np.pi * np.arange(16) / 16) * (
                (1.5, 0.65) if kind == "long" else (1.0, 1.0)
            )
        return corners * size * np.array([aspect, 1 / aspect])

    def hand(self, low: float = 0.0, high: float = 2 * np.pi) -> Hand:
        """A hand that comes from an angle in ``low`` … ``high`` (radians, 0 is the right, π/2
        below).
        """
        angle = self.between(low, high)
        skin = SKIN[self.rng.integers(len(SKIN))]
        return Hand(
            np.array([np.cos(angle), np.sin(angle)]),
            Material(np.stack([skin, skin * 0.85]), "plain", 10.0),
            self.material(),
            size=self.between(0.13, 0.18),
        )

    def hand_from_a_side(self) -> Hand:
        """A hand from the left or the right."""
        middle = 0.0 if self.often(0.5) else np.pi
        return self.hand(middle - 0.4, middle + 0.4)


def on_circle(angles: np.ndarray) -> np.ndarray:
    """Points (n, 2) of the unit circle."""
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The corners (4, 2) of an upright rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def placed(points: np.ndarray, at: np.ndarray, turn: float = 0.0) -> np.ndarray:
    """``points`` turned by ``turn`` radians and moved to ``at``."""
    cos, sin = np.cos(turn), np.sin(turn)
    return points @ np.array([[cos, sin], [-sin, cos]]) + at
