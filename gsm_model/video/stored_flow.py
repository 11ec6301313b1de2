"""Optical flow that a folder holds in pictures, instead of flow that is computed of its frames.

Data sets are often stored so (`gsm_model.motion.stored` has the rules): a file for the motion to
the right from one frame to the next, and one for the motion down. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.motion.stored import Zero, zero_of

LOOKED_AT = 8  # pictures of a folder that tell which byte no motion is
ASK_ZERO = (
    "whether no motion is stored as 127 (mmaction2) or 128 (dense_flow) cannot be told from its"
    " bytes; say which with --flow-zero"
)


@dataclass(frozen=True)
class FlowFiles:
    """The stored flow of an opened folder. ``name`` is what its files are called, ``count`` how
    many fields there are.

    ``read`` gives those that start at ascending frames (n,) of the video, (n, H, W, 2) uint8, to
    the right and down; ``look`` the fields at places (n,) among the files.
    """

    name: str
    count: int
    read: Callable[[np.ndarray], np.ndarray]
    look: Callable[[np.ndarray], np.ndarray]

    def sample(self) -> np.ndarray:
        """Fields spread over the video, (n, H, W, 2) uint8, to read off which byte is no motion."""
        return self.look(np.unique(np.linspace(0, self.count - 1, LOOKED_AT).astype(np.int64)))

    def between(self, stacks: np.ndarray, zero: Zero | None, alone: bool) -> StoredFlow:
        """The flow that is needed for ``stacks`` (T, 1 + L) of ascending frames, read, at least one
        field; which byte no motion is, is read off the files where ``zero`` does not say it.
        """
        starts = fields_of(stacks)
        starts = starts if len(starts) else np.zeros(1, np.int64)
        known = zero or zero_of(self.sample())
        return StoredFlow(self.name, starts, self.read(starts), known, alone)


@dataclass(frozen=True)
class StoredFlow:
    """Stored flow that was read: ``fields`` (m, H, W, 2) uint8 from the frames at ``indices`` (m,),
    ascending, to the ones that follow them; ``zero`` is the byte of no motion, ``None`` where it
    could not be told. ``alone``: the video has no pictures beside it.
    """

    name: str
    indices: np.ndarray
    fields: np.ndarray
    zero: Zero | None
    alone: bool = False

    def sent(self) -> dict:
        """What a decoding process sends of this beside the fields, in JSON."""
        return {**vars(self), "indices": self.indices.tolist(), "fields": None}

    @classmethod
    def of(cls, sent: dict, fields: np.ndarray) -> StoredFlow:
        """What a decoding process sent."""
        indices = np.array(sent["indices"], dtype=np.int64)
        return cls(**{**sent, "indices": indices, "fields": fields})

    @property
    def note(self) -> str:
        """What is to be said of it."""
        if self.zero is None:
            return f"holds optical flow, {self.name}: {ASK_ZERO}"
        return (
            f"holds optical flow, {self.name}: models of flow are given it, with {self.zero} as no"
            " motion, and none is computed"
        )

    def known_zero(self, name: str) -> Zero:
        """The byte of no motion; ``name`` is what messages call the video.

        Raises:
            VideoError: if it could not be told.
        """
        if self.zero is None:
            raise VideoError(f"{name}: {self.note}")
        return self.zero

    def between(self, stacks: np.ndarray) -> np.ndarray:
        """The flow between neighbours in each of ``stacks`` (T, 1 + L) of frames: (T·L, H, W, 3)
        uint8, to the right, down, and a plane without motion.

        From a frame to the one before it, as in a reversed clip, it is the opposite of the flow
        that is stored for them; from a frame to itself there is none.

        Raises:
            KeyError: if a field was not read.
        """
        zero = self.known_zero("the flow")
        here, there = stacks[:, :-1].ravel(), stacks[:, 1:].ravel()
        start = np.minimum(here, there)
        moved = np.flatnonzero(here != there)
        if missing := np.setdiff1d(start[moved], self.indices).tolist():
            raise KeyError(f"the flow at these frames was not read: {missing[0]} is missing")
        found = np.full((len(here), *self.fields.shape[1:3], 3), zero, np.uint8)
        found[moved, ..., :2] = self.fields[np.searchsorted(self.indices, start[moved])]
        back = np.flatnonzero(here > there)
        found[back] = opposite(found[back], zero)
        return found


def needs_pictures(name: str, flow: str) -> VideoError:
    """What to say where a video holds nothing but ``flow`` and a model sees something else."""
    return VideoError(
        f"{name}: holds optical flow, {flow}, and no pictures, which every model but one of flow"
        " needs; give the folder of its frames"
    )


def fields_of(stacks: np.ndarray) -> np.ndarray:
    """Which fields of flow are needed for ``stacks`` (T, 1 + L) of ascending frames: the frames
    that they start at, ascending, each once.
    """
    here, there = stacks[:, :-1].ravel(), stacks[:, 1:].ravel()
    return np.unique(here[here != there])


def opposite(stored: np.ndarray, zero: Zero) -> np.ndarray:
    """Stored flow, uint8, with the sign of every motion turned; no motion stays ``zero``."""
    return np.clip(2 * zero - stored.astype(np.int16), 0, 255).astype(np.uint8)


def planes_of(views: np.ndarray, fields: int, zero: Zero, wanted: Zero) -> np.ndarray:
    """Views of what `StoredFlow.between` gives, ``(V, T·L, 3, S, S)`` uint8 → ``(V, T, 2·L, S,
    S)``, with ``wanted`` as the byte of no motion in the place of ``zero``.
    """
    planes = views[:, :, :2]
    if wanted != zero:
        planes = np.clip(planes.astype(np.int16) + (wanted - zero), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(planes).reshape(len(views), -1, 2 * fields, *views.shape[-2:])


def mirrored(views: np.ndarray, zero: Zero) -> np.ndarray:
    """Mirror images ``(…, 3, S, S)`` of stored flow made true: what went right goes left."""
    turned = views.copy()
    turned[..., 0, :, :] = opposite(views[..., 0, :, :], zero)
    return turned
