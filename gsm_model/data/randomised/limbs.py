"""People who stand and raise an arm: what goes up is small, at home in the middle of the picture,
and stays joined to something that does not go with it.
"""

from __future__ import annotations

import numpy as np

from gsm_model.data.randomised.chance import Clutter, at_times
from gsm_model.data.randomised.cutouts import figures, limb
from gsm_model.data.randomised.layers import Look
from gsm_model.data.randomised.parts import Action, Motion, Part, Thing, still

HANGING = np.pi / 2  # the angle of what hangs: downwards in a picture


def raise_arm(chance: Clutter) -> Action:
    """Somebody who stands, sways and is filmed from the knees or closer raises one arm or both, to
    the side or before the body.
    """
    pace, height = chance.timing(), chance.between(0.6, 1.3)
    centre = chance.point(0.3) + np.array([0.0, 0.3 * height])
    sway = [chance.wave(0.03, 0.2, 1.5) for _ in range(2)]
    clothes = chance.look(height)
    skin = chance.look(0.2, contrast=0.3)

    def swaying(t: np.ndarray) -> np.ndarray:
        return centre + np.stack([at_times(wave, t) for wave in sway], 1)

    width = height * chance.between(0.7, 1.0)
    cut = figures()[chance.count(0, len(figures()) - 1)]
    body = Thing(clothes, cut, swaying, still(chance.between(-0.05, 0.05)), still(width, height))
    parts: list[Part] = [body]
    sides = (1, -1) if chance.often(0.25) else (1,) if chance.often(0.5) else (-1,)
    for side in sides:
        shoulder = height * np.array([0.2 * side, chance.between(-0.62, -0.5)])
        lengths = height * np.array([chance.between(0.28, 0.42), chance.between(0.3, 0.45)])
        bend = chance.between(0.0, 1.2)
        lifts = (bend, bend + chance.between(1.3, 2.2))
        # Outwards with its side of the body, or inwards, before it.
        turns = (side, side if chance.often(0.5) else -side)
        angles = [
            lambda t, lift=lift, turn=turn: HANGING - turn * (0.1 + lift * pace.along(t))
            for lift, turn in zip(lifts, turns, strict=True)
        ]
        sleeve = clothes if chance.often(0.7) else skin
        forearm = sleeve if chance.often(0.5) else skin
        thickness = height * chance.between(0.07, 0.12)
        hand = 1.3 * thickness

        def joint(t: np.ndarray, shoulder: np.ndarray = shoulder) -> np.ndarray:
            return swaying(t) + shoulder

        elbow = _end(joint, angles[0], lengths[0])
        wrist = _end(elbow, angles[1], lengths[1])
        parts += [
            _segment(sleeve, joint, elbow, angles[0], lengths[0], thickness),
            _segment(forearm, elbow, wrist, angles[1], lengths[1], thickness),
            Thing(skin, limb(), wrist, still(0.0), still(hand, hand), "actor"),
        ]
    return Action(tuple(parts))


def _end(joint: Motion, angle: Motion, length: float) -> Motion:
    """Where a segment of ``length`` from ``joint`` at ``angle`` ends."""

    def at(t: np.ndarray) -> np.ndarray:
        turned = angle(t)
        return joint(t) + length * np.stack([np.cos(turned), np.sin(turned)], 1)

    return at


def _segment(
    look: Look, start: Motion, stop: Motion, angle: Motion, length: float, thickness: float
) -> Thing:
    """A part of an arm between two joints."""
    return Thing(
        look,
        limb(),
        lambda t: (start(t) + stop(t)) / 2,
        lambda t: angle(t)[:, None],
        still(length / 2 + thickness / 2, thickness),
        "actor",
    )
