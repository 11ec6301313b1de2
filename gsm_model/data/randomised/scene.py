"""A randomised clip before it is painted: an action before a backdrop, among things that have no
part in it, seen by a hand-held camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gsm_model.data.randomised.chance import Clutter, at_times
from gsm_model.data.randomised.effects import Effects
from gsm_model.data.randomised.layers import Layer, paint, paint_roles
from gsm_model.data.randomised.parts import (
    Action,
    Backdrop,
    Lens,
    Part,
    Polygon,
    Thing,
    similarity,
    still,
    unmoved,
)
from gsm_model.data.synthetic.scene import Wave

REFERENCE = 0.5  # the moment that decides how finely textures are sampled
EXPOSURES = 3  # pictures that are averaged where the shutter is open for long


@dataclass(frozen=True)
class Shake:
    """A hand-held camera: waves of x, y, roll and the logarithm of its zoom, about a zoom and a
    place that stay.
    """

    x: Wave
    y: Wave
    roll: Wave
    zoom: Wave
    at: np.ndarray
    scale: float

    def matrices(self, t: np.ndarray) -> np.ndarray:
        """(n, 3, 3): the picture that a camera held still would take → the picture."""
        at = self.at + np.stack([at_times(self.x, t), at_times(self.y, t)], 1)
        size = self.scale * np.exp(at_times(self.zoom, t))
        return similarity(at, at_times(self.roll, t), np.stack([size, size], 1))


@dataclass(frozen=True, eq=False)
class Scene:
    """All of a clip but the size of its pictures. ``fixed`` parts are not moved by the camera."""

    seed: tuple[int, ...]
    action: Action
    shake: Shake
    effects: Effects
    behind: tuple[Part, ...]
    before: tuple[Part, ...]
    fixed: tuple[Part, ...]

    def layers(self, t: np.ndarray) -> list[Layer]:
        """All layers at times ``t`` (n,), back to front; of n + 1 moments, the last of which is
        `REFERENCE`.
        """
        t = np.append(t, REFERENCE)
        shake = self.shake.matrices(t)
        if self.action.follow and self.action.at is not None:
            way = self.action.at(t) - self.action.at(np.array([REFERENCE]))
            ones = np.ones((len(t), 2))
            shake = shake @ similarity(-self.action.follow * way, np.zeros(len(t)), ones)

        def lens(times: np.ndarray, depth: float) -> np.ndarray:
            return shake if np.isinf(depth) else shake @ self.action.lens(times, depth)

        groups: tuple[tuple[tuple[Part, ...], Lens], ...] = (
            ((*self.behind, *self.action.parts, *self.before), lens),
            (self.fixed, unmoved),
        )
        return [layer for parts, seen in groups for part in parts for layer in part.layers(t, seen)]

    def render(
        self, moments: list[int], of: int, height: int, width: int, device: torch.device
    ) -> Tensor:
        """Pictures ``moments`` of ``of``, (n, H, W, 3) uint8 RGB."""
        t = (np.array(moments) + 0.5) / of
        n, shutter = len(t), self.effects.shutter
        shown = t
        if shutter:
            open_at = np.linspace(-0.5, 0.5, EXPOSURES) * shutter
            shown = np.clip(t[:, None] + open_at, 0, 1).ravel()
        pictures = paint(self.layers(shown), len(shown), height, width, device)
        if shutter:
            pictures = pictures.unflatten(0, (n, EXPOSURES)).mean(1)
        return self.effects.apply(pictures, t, [(*self.seed, moment) for moment in moments])

    def roles(
        self, moments: list[int], of: int, height: int, width: int, device: torch.device
    ) -> Tensor:
        """What each pixel of those pictures shows, (n, H, W) uint8: indices into `MASK_ROLES`."""
        t = (np.array(moments) + 0.5) / of
        return paint_roles(self.layers(t), len(t), height, width, device)


def set_scene(chance: Clutter, seed: tuple[int, ...], action: Action) -> Scene:
    """``action`` before a random backdrop, among random things, under random light, before a random
    camera. All that is drawn here is as likely as its own reversal in time.
    """
    c = chance.clutter
    behind: list[Part] = [
        Backdrop(chance.look(chance.log_between(0.8, 2.0)), action.backdrop_depth)
    ]
    if action.lens is unmoved:
        behind += [_ground(chance)] if chance.often(0.5) else []
        behind += [_still(chance, chance.point(1.3)) for _ in range(chance.count(0, round(6 * c)))]
    behind += [_passing(chance, 0.2) for _ in range(chance.count(0, round(2 * c)))]
    before: list[Part] = [_passing(chance, 0.13)] if chance.sometimes(0.25) else []
    if action.lens is unmoved and chance.sometimes(0.3):
        before.append(_still(chance, _rim(chance)))
    fixed: list[Part] = [_still(chance, _rim(chance))] if chance.sometimes(0.1) else []
    return Scene(
        seed,
        action,
        _shake(chance),
        Effects.drawn_by(chance),
        tuple(behind),
        tuple(before),
        tuple(fixed),
    )


def _rim(chance: Clutter) -> np.ndarray:
    """A place at the rim of the picture."""
    angle, far = chance.between(0, 2 * np.pi), chance.between(0.95, 1.25)
    return far * np.array([np.cos(angle), np.sin(angle)])


def _ground(chance: Clutter) -> Polygon:
    """A half plane in another look: the edge of a table, or where a wall meets the floor."""
    level, slope = chance.between(-0.8, 0.8), chance.between(-0.2, 0.2)
    corners = np.array([[-8.0, level - 8 * slope], [8, level + 8 * slope], [8, 12], [-8, 12]])
    return Polygon(chance.look(chance.log_between(0.8, 2.0)), corners)


def _still(chance: Clutter, at: np.ndarray) -> Thing:
    size, aspect = chance.log_between(0.08, 0.4), chance.log_between(0.7, 1.4)
    turn = chance.between(0, 2 * np.pi) if chance.often(0.4) else chance.between(-0.2, 0.2)
    return Thing(
        chance.look(size),
        chance.cut(),
        still(*at),
        still(turn),
        still(size * aspect, size / aspect),
    )


def _passing(chance: Clutter, largest: float) -> Thing:
    """Something that moves by itself, on a straight line and at a pace of its own."""
    pace, size = chance.timing(), chance.between(0.06, largest)
    start, stop = chance.point(1.4), chance.point(1.4)
    turn, spin = chance.between(0, 2 * np.pi), chance.between(-1.5, 1.5)
    return Thing(
        chance.look(size),
        chance.cut(),
        lambda t: start + (stop - start) * pace.along(t)[:, None],
        lambda t: turn + spin * pace.along(t)[:, None],
        still(size, size),
    )


def _shake(chance: Clutter) -> Shake:
    c = chance.clutter
    slow, quick = 0.06 * c, 0.012 * c
    x, y = (
        Wave(
            np.concatenate([chance.wave(slow, 0.2, 1.2).terms, chance.wave(quick, 3.0, 8.0).terms])
        )
        for _ in range(2)
    )
    return Shake(
        x,
        y,
        roll=chance.wave(0.05 * c, 0.2, 2.0),
        zoom=chance.wave(0.02 * c, 0.2, 1.2),
        at=chance.point(0.12 * c),
        scale=chance.log_between(1 - 0.25 * c, 1 + 0.25 * c),
    )
