"""From (split, index) to a labelled clip of a probe; the same clip on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model.data.probes.picture import Ground, any_ground, paint, paint_roles
from gsm_model.data.probes.plans import FEWEST_FRAMES, LABELS, PROBES, Plan, Probe, check_frames

SPLITS = ("train", "validation", "test")
_SET = 202  # no clip has the seed of one of the other sets
_SHAKE = 0.12  # half widths of the picture that a camera moves, at most


@dataclass(frozen=True, eq=False)
class ProbeClip:
    """One clip: ``label`` indexes `LABELS`; ``distance`` in frames is what `Probe.plan` was given.

    Each frame has a camera place of its own, (T or 2T, 2), which goes with the frame wherever a
    class plays it: no order is smoother than another.
    """

    label: int
    distance: int
    plan: Plan
    ground: Ground
    cameras: np.ndarray

    @property
    def probe(self) -> Probe:
        """The question that the clip asks."""
        return PROBES[self.label // 2]

    @property
    def order(self) -> np.ndarray:
        """(T,): the frames of the plan as this class plays them."""
        return self.plan.orders[self.label % 2]

    @property
    def num_frames(self) -> int:
        return len(self.order)

    def frames(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
        """The frames at ``indices``, (len(indices), height, width, 3) uint8 RGB.

        Raises:
            IndexError: for an index outside 0 … num_frames − 1.
        """
        played = self._played(indices)
        shown = [self.plan.frames[k] for k in played]
        return paint(self.ground, shown, self.cameras[played], height, width)

    def masks(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray:
        """What each pixel of those frames shows, (len(indices), height, width) uint8: indices into
        `scene.MASK_ROLES`.

        Raises:
            IndexError: for an index outside 0 … num_frames − 1.
        """
        return np.stack(
            [
                paint_roles(self.plan.frames[k], self.cameras[k], height, width)
                for k in self._played(indices)
            ]
        )

    def _played(self, indices: Sequence[int] | np.ndarray) -> list[int]:
        wanted = np.asarray(indices).tolist()
        for index in wanted:
            if not 0 <= index < self.num_frames:
                raise IndexError(f"frame {index} of a clip of {self.num_frames}")
        return self.order[wanted].tolist()


def probe_clip(
    split: str,
    index: int,
    label: int | None = None,
    num_frames: int = FEWEST_FRAMES,
    clutter: float = 0.5,
    camera: float = 0.0,
    distance: int | None = None,
) -> ProbeClip:
    """Clip ``index`` of a split, of ``num_frames`` frames (a multiple of 4, at least 8).

    Labels go round (index mod number of classes) unless ``label`` is given, and so does the
    distance of events, slower: each label comes with each. ``clutter`` in 0 … 1 is how busy the
    ground is, ``camera`` in 0 … 1 how far the camera jumps between frames.

    The frames depend on (split, index // 2, probe, distance) and never on the class: clips 2k and
    2k + 1 are the two orders of the same frames.

    Raises:
        ValueError: for an unknown split, a negative index, a label that is none of `LABELS`, or a
            number that is outside its range.
    """
    if split not in SPLITS or index < 0:
        raise ValueError(f"no clip {index} in split {split!r}; splits are {', '.join(SPLITS)}")
    check_frames(num_frames)
    if not (0 <= clutter <= 1 and 0 <= camera <= 1):
        raise ValueError(f"clutter {clutter} and camera {camera} must be in 0 to 1")
    label = index % len(LABELS) if label is None else label
    if not 0 <= label < len(LABELS):
        raise ValueError(f"label {label} is none of the {len(LABELS)} classes")
    round_ = index // len(LABELS)
    distance = 1 + round_ % (num_frames - 1) if distance is None else distance
    if not 1 <= distance < num_frames:
        raise ValueError(f"distance {distance} is outside 1 to {num_frames - 1}")
    seed = (_SET, SPLITS.index(split) + 1, index // 2, label // 2, distance)
    rng = np.random.default_rng(seed)
    plan = PROBES[label // 2].plan(rng, num_frames, distance)
    ground = any_ground(rng, clutter)
    cameras = _SHAKE * camera * rng.uniform(-1, 1, (len(plan.frames), 2))
    return ProbeClip(label, distance, plan, ground, cameras)
