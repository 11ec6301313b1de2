"""The synthetic data sets by name: the drawn clips, and the randomised ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from gsm_model.data.synthetic import actions as drawn_actions
from gsm_model.data.synthetic.dataset import SPLIT_SEEDS, draw_clip
from gsm_model.errors import DataError

if TYPE_CHECKING:
    import torch

Style = Literal["drawn", "randomised"]


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


def synthetic_set(
    style: Style = "drawn", clutter: float = 1.0, device: torch.device | str = "cpu"
) -> SyntheticSet:
    """The set of a style. ``clutter`` in 0 … 1 and the ``device`` to paint on are the randomised
    clips'.
    """
    if style == "drawn":
        return SyntheticSet(
            style,
            "Reversible Actions",
            drawn_actions.LABELS,
            tuple(SPLIT_SEEDS),
            draw_clip,  # type: ignore[arg-type]  # it takes the names of the splits
        )
    # torch is imported only where clips are painted with it.
    from gsm_model.data.randomised.actions import LABELS
    from gsm_model.data.randomised.dataset import SPLITS, randomised_clip

    draw = partial(randomised_clip, clutter=clutter, device=device)
    return SyntheticSet(style, "Reversible Actions, randomised", LABELS, SPLITS, draw)
