"""From (split, index, clutter) to a labelled randomised clip; the same clip every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from gsm_model.data.randomised.actions import LABELS, MOTIONS, PAIRS
from gsm_model.data.randomised.chance import STYLE, Clutter
from gsm_model.data.randomised.scene import Scene, set_scene
from gsm_model.data.synthetic.dataset import FRAME_COUNTS

SPLITS = ("train", "validation", "test")
_SET = 101  # no clip has the seed of one of the drawn set


@dataclass(frozen=True, eq=False)
class RandomisedClip:
    """One clip: ``label`` indexes `LABELS`; even labels play forwards, odd ones backwards."""

    label: int
    num_frames: int
    scene: Scene
    device: torch.device

    def frames(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
        """The frames at ``indices``, (len(indices), height, width, 3) uint8 RGB.

        Raises:
            IndexError: for an index outside 0 … num_frames − 1.
        """
        moments = self._moments(indices)
        with torch.no_grad():
            pictures = self.scene.render(moments, self.num_frames, height, width, self.device)
        return pictures.cpu().numpy()

    def masks(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
        """What each pixel of those frames shows, (len(indices), height, width) uint8: indices into
        `MASK_ROLES`. Where the camera is what moves, the *actor* is what it films.

        Raises:
            IndexError: for an index outside 0 … num_frames − 1.
        """
        moments = self._moments(indices)
        with torch.no_grad():
            roles = self.scene.roles(moments, self.num_frames, height, width, self.device)
        return roles.cpu().numpy()

    def _moments(self, indices: Sequence[int] | np.ndarray) -> list[int]:
        wanted = np.asarray(indices).tolist()
        for index in wanted:
            if not 0 <= index < self.num_frames:
                raise IndexError(f"frame {index} of a clip of {self.num_frames}")
        return [self.num_frames - 1 - index if self.label % 2 else index for index in wanted]


def randomised_clip(
    split: str,
    index: int,
    label: int | None = None,
    clutter: float = 1.0,
    device: torch.device | str = "cpu",
) -> RandomisedClip:
    """Clip ``index`` of a split, painted on ``device``. Labels go round (index mod number of
    classes) unless ``label`` is given; ``clutter`` in 0 … 1 is how busy and how spoilt the clip is.

    The scene depends on (split, index, pair, clutter) and never on the direction, so the two
    classes of a pair have the same scenes; the direction is the label's parity.

    Raises:
        ValueError: for an unknown split, a negative index, a label that is none of `LABELS`, or a
            clutter outside 0 … 1.
    """
    if split not in SPLITS or index < 0:
        raise ValueError(f"no clip {index} in split {split!r}; splits are {', '.join(SPLITS)}")
    if not 0 <= clutter <= 1:
        raise ValueError(f"clutter {clutter} is outside 0 to 1")
    label = index % len(LABELS) if label is None else label
    if not 0 <= label < len(LABELS):
        raise ValueError(f"label {label} is none of the {len(LABELS)} classes")
    pair = label // 2
    seed = (_SET, SPLITS.index(split) + 1, index, pair)
    chance = Clutter(np.random.default_rng(seed), STYLE, clutter)
    num_frames = FRAME_COUNTS[chance.count(0, len(FRAME_COUNTS) - 1)]
    scene = set_scene(chance, seed, PAIRS[pair].draw(chance))
    return RandomisedClip(label, num_frames, scene, torch.device(device))


def motion_clip(
    split: str, index: int, clutter: float = 1.0, device: torch.device | str = "cpu"
) -> RandomisedClip:
    """Clip ``index`` of the pairs that are nothing but motion; its label indexes `MOTIONS`, and
    labels go round.

    Raises: as `randomised_clip`.
    """
    label = index % len(MOTIONS)
    clip = randomised_clip(split, index, LABELS.index(MOTIONS[label]), clutter, device)
    return replace(clip, label=label)
