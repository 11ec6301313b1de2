"""The synthetic data sets by name: the drawn clips, the randomised ones, those of motions alone,
and the probes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from gsm_model.data.probes import dataset as probes
from gsm_model.data.probes import plans
from gsm_model.data.synthetic import actions as drawn_actions
from gsm_model.data.synthetic.dataset import SPLIT_SEEDS, draw_clip
from gsm_model.errors import DataError

if TYPE_CHECKING:
    import torch

Style = Literal["drawn", "randomised", "motions", "probes"]


class SyntheticClip(Protocol):
    """A labelled clip that is made when it is asked for."""

    @property
    def label(self) -> int: ...

    @property
    def num_frames(self) -> int: ...

    def frames(
        self, indices: Sequence[int] | np.ndarray, height: int, width: int
    ) -> np.ndarray: ...

    def masks(self, indices: Sequence[int] | np.ndarray, height: int, width: int) -> np.ndarray: ...


@dataclass(frozen=True)
class SyntheticSet:
    """A set: what tables call it, its class names, its splits, and ``draw(split, index)``, whose
    clips' labels go round.
    """

    style: Style
    title: str
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    draw: Callable[[str, int], SyntheticClip]

    def require_split(self, split: str) -> None:
        """Raises:
        DataError: if the set has no such split.
        """
        if split not in self.splits:
            raise DataError(
                f"the {self.style} clips have no split {split!r}; choose {', '.join(self.splits)}"
            )


@dataclass(frozen=True)
class Looks:
    """What may be chosen of how a set's clips look.

    ``clutter`` in 0 … 1: how busy and how spoilt randomised clips and probes are; ``None`` is what
    each is measured with, 1 and 0.5. ``camera`` in 0 … 1: how far the camera of probes jumps.
    ``num_frames``: the frames of a probe's clip, all of which a model must see. ``device``: what
    randomised clips are painted on.
    """

    clutter: float | None = None
    camera: float = 0.0
    num_frames: int = 8
    device: torch.device | str = "cpu"


def synthetic_set(style: Style = "drawn", looks: Looks | None = None) -> SyntheticSet:
    """The set of a style, its clips looking as ``looks`` says."""
    looks = looks or Looks()
    if style == "drawn":
        return SyntheticSet(
            style,
            "Reversible Actions",
            drawn_actions.LABELS,
            tuple(SPLIT_SEEDS),
            draw_clip,  # type: ignore[arg-type]  # it takes the names of the splits
        )
    if style == "probes":
        return SyntheticSet(
            style,
            "Temporal Probes",
            plans.LABELS,
            probes.SPLITS,
            partial(
                probes.probe_clip,
                num_frames=looks.num_frames,
                clutter=0.5 if looks.clutter is None else looks.clutter,
                camera=looks.camera,
            ),
        )
    # torch is imported only where clips are painted with it.
    from gsm_model.data.randomised.actions import LABELS, MOTIONS
    from gsm_model.data.randomised.dataset import SPLITS, motion_clip, randomised_clip

    motions = style == "motions"
    draw = partial(
        motion_clip if motions else randomised_clip,
        clutter=1.0 if looks.clutter is None else looks.clutter,
        device=looks.device,
    )
    title = f"Reversible Actions, {'motions' if motions else 'randomised'}"
    return SyntheticSet(style, title, MOTIONS if motions else LABELS, SPLITS, draw)
