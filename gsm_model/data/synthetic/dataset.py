"""From (split, index) to a labelled drawn clip; the same clip on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gsm_model.data.synthetic.actions import LABELS, PAIRS
from gsm_model.data.synthetic.chance import SHIFTED, TRAINED, Chance
from gsm_model.data.synthetic.scene import Scene, draw_scene

Split = Literal["train", "validation", "test", "shifted"]
# "shifted" is a test split of patterns, outlines and camera motions that the others never show.
SPLIT_SEEDS: dict[Split, int] = {"train": 1, "validation": 2, "test": 3, "shifted": 4}
# Odd multiples of 8: the middle frames of 8 equal spans are then the same frames forwards and
# backwards.
FRAME_COUNTS = (24, 40, 56)
FPS = 16.0


@dataclass(frozen=True)
class DrawnClip:
    """One clip of the set: ``label`` indexes `LABELS`; even labels play forwards, odd ones
    backwards.
    """

    label: int
    num_frames: int
    scene: Scene

    def frames(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
        """The frames at ``indices``, (len(indices), height, width, 3) uint8 RGB.

        Raises:
            IndexError: for an index outside 0 … num_frames − 1.
        """
        return np.stack(
            [
                self.scene.render(moment, self.num_frames, height, width)
                for moment in self._moments(indices)
            ]
        )

    def masks(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
        """What each pixel of those frames shows, (len(indices), height, width) uint8: indices into
        `scene.MASK_ROLES`.

        Raises:
            IndexError: for an index outside 0 … num_frames − 1.
        """
        return np.stack(
            [
                self.scene.mask(moment, self.num_frames, height, width)
                for moment in self._moments(indices)
            ]
        )

    def _moments(self, indices: Sequence[int] | np.ndarray) -> list[int]:
        """The moments of the scene that the frames show: odd labels run through it backwards."""
        wanted = np.asarray(indices).tolist()
        for index in wanted:
            if not 0 <= index < self.num_frames:
                raise IndexError(f"frame {index} of a clip of {self.num_frames}")
        return [self.num_frames - 1 - index if self.label % 2 else index for index in wanted]


def draw_clip(split: Split, index: int, label: int | None = None) -> DrawnClip:
    """Clip ``index`` of a split. Labels go round (index mod number of classes) unless ``label`` is
    given.

    The scene depends on (split, index, pair) and never on the direction, so the two classes of a
    pair have the same scenes; the direction is the label's parity.

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
    chance = Chance(np.random.default_rng(seed), SHIFTED if split == "shifted" else TRAINED)
    num_frames = FRAME_COUNTS[chance.count(0, len(FRAME_COUNTS) - 1)]
    return DrawnClip(label, num_frames, draw_scene(chance, seed, PAIRS[pair].draw(chance)))


def drawn_clip_of(id: str) -> DrawnClip | None:
    """The clip that tables of predictions call ``id``, such as ``test/000012``; ``None`` if it is
    none of the drawn set's names.
    """
    split, _, index = id.partition("/")
    return (
        draw_clip(split, int(index))
        if split in SPLIT_SEEDS and index.isdigit() and len(index) == 6
        else None
    )
