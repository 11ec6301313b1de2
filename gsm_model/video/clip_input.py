"""From a decoded video to what a model is given: sampled, put in order, cropped, normalised.

Every prediction, map, experiment and evaluation takes its input from here. `cut_clip` needs no
torch, so that a decoding process can do it; `clip_input` makes the tensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order, order_positions
from gsm_model.video.transforms import InputSpec, normalise, view_bytes

if TYPE_CHECKING:
    from torch import Tensor

# What a model sees of a video. Every network here takes RGB; the others are for two-stream systems.
Modality = Literal["RGB", "differences", "flow", "motion vectors"]


class _Architecture(Protocol):
    @property
    def num_segments(self) -> int: ...


class SeesClips(Protocol):
    """What must be known of a model to feed it, which a `Recognizer` tells."""

    input: InputSpec

    @property
    def architecture(self) -> _Architecture: ...


@dataclass(frozen=True)
class CutClip:
    """A clip before the mean is taken off.

    ``views`` (V, T, 3, S, S) uint8, planes in the model's order. The rest as in `ClipInput`.
    """

    views: np.ndarray
    frame_indices: np.ndarray
    positions: np.ndarray
    modality: Modality = "RGB"

    def normalised(self, spec: InputSpec) -> ClipInput:
        """The clip as a model of ``spec`` takes it."""
        return ClipInput(
            normalise(self.views, spec), self.frame_indices, self.positions, self.modality
        )


@dataclass(frozen=True)
class ClipInput:
    """What a model is given of one clip.

    ``views`` (V, T, 3, S, S) float32, normalised, one view a crop. ``frame_indices`` (T,) int64 are
    the video's frames and ``positions`` (T,) int64 their places in the clip, both in the order in
    which the model sees them.
    """

    views: Tensor
    frame_indices: np.ndarray
    positions: np.ndarray
    modality: Modality = "RGB"


def cut_clip(
    video: DecodedVideo,
    spec: InputSpec,
    num_segments: int,
    order: Order = "forward",
    crops: int = 1,
    seed: int = 0,
    clip: int = 0,
    num_clips: int = 1,
) -> CutClip:
    """Evaluation clip ``clip`` of ``num_clips`` of ``video``, ``num_segments`` frames presented in
    ``order`` (``seed`` picks the shuffle), cut into ``crops`` views.

    Raises:
        KeyError: if ``video`` was not read for this clip.
        ValueError: for an unknown order, number of crops or number of clips.
    """
    indices, frames = video.clip(num_segments, clip=clip, num_clips=num_clips)
    positions = order_positions(num_segments, order, seed)
    views = np.ascontiguousarray(view_bytes(frames, spec, crops)[:, positions])
    return CutClip(views, indices[positions], positions)


def clip_input(
    model: SeesClips,
    video: DecodedVideo,
    order: Order = "forward",
    crops: int = 1,
    num_segments: int | None = None,
    seed: int = 0,
) -> ClipInput:
    """What ``model`` is given of ``video``'s evaluation clip, its frames presented in ``order``.

    ``num_segments`` defaults to the number of frames the model was trained with.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        ValueError: for an unknown order or number of crops.
    """
    t = num_segments or model.architecture.num_segments
    return cut_clip(video, model.input, t, order, crops, seed).normalised(model.input)


def clip_input_at(
    model: SeesClips, video: DecodedVideo, frame_indices: np.ndarray, crops: int = 1
) -> ClipInput:
    """What ``model`` is given of the frames of ``video`` at ``frame_indices`` (T,), in that order:
    a clip that was sampled before.

    Raises:
        KeyError: if ``video`` was not read with these frames.
        ValueError: for an unknown number of crops.
    """
    views = view_bytes(video.frames_at(frame_indices), model.input, crops)
    positions = np.arange(len(frame_indices), dtype=np.int64)
    return CutClip(views, np.asarray(frame_indices), positions).normalised(model.input)
