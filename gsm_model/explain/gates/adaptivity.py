"""How far a gate is from a fixed shift: its variance, nested from layers down to places.

A constant gate would be a Temporal Shift Module. What of a gate's variance lies between layers or
directions could still be a fixed shift; what lies between classes, clips, frames and places could
not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEVELS = ("layer", "direction", "class", "clip", "frame", "place")
ADAPTIVE = ("class", "clip", "frame", "place")


@dataclass(frozen=True)
class Variance:
    """The variance of gate values by what differs: ``levels`` has a float ≥ 0 for each of `LEVELS`;
    they add up to ``total``.

    *layer* is the variance between the layers' means, *direction* that between the two directions'
    means within a layer, and so on down to *place*: the variance within one gate map of one frame.
    """

    levels: dict[str, float]

    @property
    def total(self) -> float:
        return sum(self.levels.values())

    @property
    def adaptivity(self) -> float:
        """How far the gates are from a fixed shift, 0 … 1: their standard deviation about each
        layer's and direction's mean.
        """
        return float(np.sqrt(sum(self.levels[level] for level in ADAPTIVE)))


@dataclass(frozen=True)
class GateMoments:
    """What `decompose` needs of the gates of n clips in L layers.

    ``frame_means`` (n, L, 2, T) float64: the mean over places of every map. ``mean_squares`` (n, L,
    2) float64: the mean over frames and places of the squared gates.
    """

    frame_means: np.ndarray
    mean_squares: np.ndarray

    @classmethod
    def of_maps(cls, maps: list[np.ndarray]) -> GateMoments:
        """The moments of one clip; ``maps`` are its layers' gates, each (T, 2, h, w)."""
        means = [gate.mean((2, 3), dtype=np.float64).T for gate in maps]
        squares = [np.square(gate, dtype=np.float64).mean((0, 2, 3)) for gate in maps]
        return cls(np.stack(means)[None], np.stack(squares)[None])

    def of_layer(self, index: int) -> GateMoments:
        """Those of one layer alone."""
        return GateMoments(
            self.frame_means[:, index : index + 1], self.mean_squares[:, index : index + 1]
        )


def decompose(moments: GateMoments, labels: np.ndarray) -> Variance:
    """Split the variance of all gates by level; ``labels`` (n,) int are the clips' classes.

    Every layer and direction counts the same whatever its size, and so do all clips, all frames of
    a clip and all places of a frame. The law of total variance makes the parts add up to the whole.

    Raises:
        ValueError: if there is no clip, or another number of labels than of clips.
    """
    means = moments.frame_means
    if len(labels) == 0 or len(labels) != len(means):
        raise ValueError(f"{len(labels)} labels for {len(means)} clips")
    of_clip = means.mean(3)
    classes, counts = np.unique(labels, return_counts=True)
    of_class = np.stack([of_clip[labels == k].mean(0) for k in classes])
    of_direction = of_clip.mean(0)
    of_layer = of_direction.mean(1)

    def class_mean(values: np.ndarray) -> np.ndarray:
        return np.average(values, axis=0, weights=counts)

    squares = [
        of_layer.mean() ** 2,
        np.mean(of_layer**2),
        np.mean(of_direction**2),
        np.mean(class_mean(of_class**2)),
        np.mean(of_clip**2),
        np.mean(means**2),
        np.mean(moments.mean_squares),
    ]
    # Each level's share is what the mean square gains by it; rounding may take it just below zero.
    return Variance(dict(zip(LEVELS, np.maximum(np.diff(squares), 0.0).tolist(), strict=True)))
