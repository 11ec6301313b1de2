"""A decoded video: the frames that models and pages need, found by their index."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsm_model.video.modality import stacks
from gsm_model.video.sampling import Sampling, clip_indices, shifted
from gsm_model.video.source import VideoInfo
from gsm_model.video.stored_flow import StoredFlow


@dataclass(frozen=True)
class DecodedVideo:
    """The frames of one video that models and pages need.

    ``frames`` (n, H, W, 3) uint8 RGB are those at ``indices`` (n,), ascending. ``preview`` (m, h,
    w, 3) uint8 are small pictures spread over the whole video, at ``preview_indices`` (m,); m may
    be 0. ``first`` and ``stop`` bound the part of the file that clips are sampled from, ``stop``
    not included; by default that is all of it. ``times`` (n,) and ``preview_times`` (m,) are the
    seconds from the first frame to those; without them frames follow each other at the info's rate.
    ``drawn`` is what the video shows if it is known to be drawn; ``None`` counts as filmed.
    ``flow`` is the optical flow that a folder of frames holds, if it was read.
    """

    name: str
    info: VideoInfo
    indices: np.ndarray
    frames: np.ndarray
    preview: np.ndarray
    preview_indices: np.ndarray
    first: int = 0
    stop: int | None = None
    times: np.ndarray | None = None
    preview_times: np.ndarray | None = None
    drawn: str | None = None
    flow: StoredFlow | None = None

    @property
    def length(self) -> int:
        """How many frames the part has that clips are sampled from."""
        return (self.info.num_frames if self.stop is None else self.stop) - self.first

    def has(self, indices: np.ndarray) -> bool:
        """Whether all frames at ``indices`` were read."""
        return bool(np.isin(indices, self.indices).all())

    def frames_at(self, indices: np.ndarray) -> np.ndarray:
        """The frames at ``indices`` (n,) of the file, in that order, repeats allowed: (n, H, W, 3)
        uint8 RGB.

        Raises:
            KeyError: if one of them was not read.
        """
        return self.frames[self._places(indices)]

    def times_at(self, indices: np.ndarray) -> np.ndarray:
        """The seconds from the video's first frame to those at ``indices`` (n,), float64.

        Raises:
            KeyError: if one of them was not read.
        """
        places = self._places(indices)
        return np.asarray(indices) / self.info.fps if self.times is None else self.times[places]

    def _places(self, indices: np.ndarray) -> np.ndarray:
        if not self.has(indices):
            missing = np.setdiff1d(indices, self.indices)[0]
            raise KeyError(f"{self.name} was not read with these frames: {missing} is missing")
        return np.searchsorted(self.indices, indices)

    def clip_indices(
        self,
        num_segments: int,
        shift: int = 0,
        clip: int = 0,
        num_clips: int = 1,
        sampling: Sampling = "even",
    ) -> np.ndarray:
        """The frame indices (T,) int64 of evaluation clip ``clip`` of ``num_clips``, of
        ``num_segments`` frames, moved by ``shift`` within the part of the file that counts.

        Raises:
            ValueError: as `clip_indices` of `gsm_model.video.sampling`.
        """
        within = clip_indices(self.length, num_segments, clip, num_clips, sampling)
        return self.first + shifted(within, shift, self.length)

    def stacks_at(self, indices: np.ndarray, neighbours: int) -> np.ndarray:
        """The frames of the segments at ``indices`` (T,), each with the ``neighbours`` that follow
        it in the part of the file that counts: (T, 1 + neighbours), as `stacks`.
        """
        return stacks(np.asarray(indices), neighbours, self.first, self.first + self.length)

    def clip(
        self,
        num_segments: int,
        shift: int = 0,
        clip: int = 0,
        num_clips: int = 1,
        sampling: Sampling = "even",
    ) -> tuple[np.ndarray, np.ndarray]:
        """The frame indices (T,) of an evaluation clip, as `clip_indices`, and those frames (T, H,
        W, 3).

        Raises:
            KeyError: if the video was not read for this number of segments and this shift.
            ValueError: as `clip_indices`.
        """
        wanted = self.clip_indices(num_segments, shift, clip, num_clips, sampling)
        if not self.has(wanted):
            raise KeyError(f"{self.name} was not read for {num_segments} segments")
        return wanted, self.frames_at(wanted)
