"""The names of the experiments on gates, and what each does."""

from __future__ import annotations

from typing import Literal, get_args

Clamp = Literal[
    "closed",
    "open",
    "negative",
    "clip mean",
    "spatial mean",
    "temporal mean",
    "data mean",
    "other clip",
    "shuffled in space",
    "shuffled in time",
]
CLAMPS: tuple[Clamp, ...] = get_args(Clamp)
# What each clamp does to a gate, in a few words.
MEANING: dict[str, str] = {
    "closed": "0: nothing crosses time, as in a TSN",
    "open": "+1: everything moves, as in a TSM of all channels",
    "negative": "−1: every feature less its neighbour's",
    "clip mean": "one number for the whole clip, the mean of its gates",
    "spatial mean": "one number for each frame, the mean over its places",
    "temporal mean": "one number for each place, the mean over the frames",
    "data mean": "one number for all clips, the mean over a data set",
    "other clip": "the gates of another clip",
    "shuffled in space": "the same gates at other places, the same places in all frames",
    "shuffled in time": "the same gates in other frames",
}
NEEDS_VALUES = ("data mean", "other clip")
