"""From (split, index) to a labelled drawn clip; the same clip on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gsm_model.data.reversible.actions import LABELS, PAIRS
from gsm_model.data.reversible.scene import Scene, draw_scene

Split = Literal["train", "validation", "test"]
SPLIT_SEEDS: dict[str, int] = {"train": 1, "validation": 2, "test": 3}
# Odd multiples of 8: the middle frames of 8 equal spans are then the same frames forwards and backwards.
FRAME_COUNTS = (24, 40, 56)
FPS = 16.0


@dataclass(frozen=True)
class DrawnClip:
    """One clip of the set: ``label`` indexes `LABELS`; even labels play forwards, odd ones backwards."""

    label: int
    num_frames: int
    scene: Scene

    def frames(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
        """The frames at ``indices``, (len(indices), height, width, 3) uint8 RGB.

        Raises:
            IndexError: for an index outside 0 … num_frames − 1.
        """
        backwards = self.label % 2 == 1
        drawn = []
        for index in np.asarray(indices).tolist():
            if not 0 <= index < self.num_frames:
                raise IndexError(f"frame {index} of a clip of {self.num_frames}")
            moment = self.num_frames - 1 - index if backwards else index
            drawn.append(self.scene.render(moment, self.num_frames, height, width))
        return np.stack(drawn)


def draw_clip(split: Split, index: int, label: int | None = None) -> DrawnClip:
    """Clip ``index`` of a split. Labels go round (index mod number of classes) unless ``label`` is given.

    The scene depends on (split, index, pair) and never on the direction, so the two classes of a pair
    have the same scenes; the direction is the label's parity.

    Raises:
        ValueError: for an unknown split, a negative index or a label that is none of `LABELS`.
    """
    if split not in SPLIT_SEEDS or index < 0:
        raise ValueError(f"no clip {index} in split {split!r}; splits are {', '.join(SPLIT_SEEDS)}")
    label = index % len(LABELS) if label is None else label
    if not 0 <= label < len(LABELS):
        raise ValueError(f"label {label} is none of the {len(LABELS)} classes")
    pair = label // 2
    seed = (SPLIT_SEEDS[split], index, pair)
    rng = np.random.default_rng(seed)
    num_frames = int(rng.choice(FRAME_COUNTS))
    scene = draw_scene(rng, seed, PAIRS[pair].draw(rng))
    return DrawnClip(label, num_frames, scene)
