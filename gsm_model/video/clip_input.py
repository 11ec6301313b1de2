"""From a decoded video to what a model is given: sampled, put in order, cropped, normalised.

Every prediction, map, experiment and evaluation takes its input from here. `cut_clip` needs no
torch, so that a decoding process can do it; `clip_input` makes the tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gsm_model.motion.stored import Zero
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.modality import RGB, Modality
from gsm_model.video.sampling import Order, order_positions
from gsm_model.video.stored_flow import StoredFlow, mirrored, needs_pictures, planes_of
from gsm_model.video.transforms import InputSpec, normalise, view_bytes

if TYPE_CHECKING:
    from torch import Tensor


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

    ``views`` (V, T, 3, S, S) uint8, planes in the model's order; of a model of motion (V, T, 3·(1 +
    L), S, S), the frames of each segment, or (V, T, 2·L, S, S), the flow that was stored with
    them. The rest as in `ClipInput`.
    """

    views: np.ndarray
    frame_indices: np.ndarray
    positions: np.ndarray
    modality: Modality = RGB

    def normalised(
        self, spec: InputSpec, progress: Callable[[int, int], None] | None = None
    ) -> ClipInput:
        """The clip as a model of ``spec`` takes it; ``progress`` as in `normalise`."""
        return ClipInput(
            normalise(self.views, spec, progress),
            self.frame_indices,
            self.positions,
            self.modality,
        )


@dataclass(frozen=True)
class ClipInput:
    """What a model is given of one clip.

    ``views`` (V, T, P, S, S) float32, normalised, one view a crop, P the planes of ``modality``, 3
    of RGB. ``frame_indices`` (T,) int64 are the video's frames and ``positions`` (T,) int64 their
    places in the clip, both in the order in which the model sees them.
    """

    views: Tensor
    frame_indices: np.ndarray
    positions: np.ndarray
    modality: Modality = RGB


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

    Of a model of motion the frames of each segment are presented in that order too: reversed, they
    run backwards; frozen, they are all one frame. A shuffle leaves each segment as it is.

    Of a model of flow it is the flow that lies in the video's folder, where it has any.

    Raises:
        KeyError: if ``video`` was not read for this clip.
        VideoError: if ``video`` has flow alone and the model sees something else.
        ValueError: for an unknown order, number of crops or number of clips.
    """
    indices = video.clip_indices(num_segments, 0, clip, num_clips, spec.sampling)
    if video.flow is None and not video.has(indices):
        raise KeyError(f"{video.name} was not read for {num_segments} segments")
    positions = order_positions(num_segments, order, seed)
    views = _views_at(video, spec, indices[positions], order, crops)
    return CutClip(views, indices[positions], positions, spec.modality)


def _views_at(
    video: DecodedVideo, spec: InputSpec, indices: np.ndarray, order: Order, crops: int
) -> np.ndarray:
    """The views (V, T, 3·(1 + L) or 2·L, S, S) uint8 of the segments at ``indices``, presented in
    ``order``.
    """
    frames = presented(video, spec, indices, order)
    if spec.modality.kind == "flow" and video.flow is not None:
        zero = video.flow.known_zero(video.name)
        return _stored_views(video.flow, zero, spec, frames, crops)
    if video.flow is not None and video.flow.alone:
        raise needs_pictures(video.name, video.flow.name)
    views = view_bytes(video.frames_at(frames.ravel()), spec, crops)
    return views.reshape(len(views), len(indices), -1, *views.shape[-2:])


def presented(
    video: DecodedVideo, spec: InputSpec, indices: np.ndarray, order: Order
) -> np.ndarray:
    """The frames (T, 1 + L) of ``video`` that a model of ``spec`` is shown of the segments at
    ``indices`` (T,), those of each in the order in which it sees them.
    """
    frames = video.stacks_at(indices, spec.modality.neighbours)
    if order == "reversed":
        return frames[:, ::-1]
    return np.repeat(frames[:, :1], frames.shape[1], axis=1) if order == "frozen" else frames


def _stored_views(
    flow: StoredFlow, zero: Zero, spec: InputSpec, frames: np.ndarray, crops: int
) -> np.ndarray:
    """The views (V, T, 2·L, S, S) uint8 of stored flow between ``frames`` (T, 1 + L)."""
    views = view_bytes(flow.between(frames), replace(spec, channels="RGB"), crops)
    if crops == 10:  # each second one is a mirror image
        views[1::2] = mirrored(views[1::2], zero)
    return planes_of(views, spec.modality.fields, zero, spec.modality.zero)


def clip_input(
    model: SeesClips,
    video: DecodedVideo,
    order: Order = "forward",
    crops: int = 1,
    num_segments: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    clip: int = 0,
    num_clips: int = 1,
) -> ClipInput:
    """What ``model`` is given of ``video``'s evaluation clip ``clip`` of ``num_clips``, its frames
    presented in ``order``.

    ``num_segments`` defaults to the number of frames the model was trained with. ``progress`` is
    told how many of how many fields of flow are computed, for a model that sees flow.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        ValueError: for an unknown order or number of crops.
    """
    t = num_segments or model.architecture.num_segments
    cut = cut_clip(video, model.input, t, order, crops, seed, clip, num_clips)
    return cut.normalised(model.input, progress)


def clip_input_at(
    model: SeesClips,
    video: DecodedVideo,
    frame_indices: np.ndarray,
    crops: int = 1,
    order: Order = "forward",
) -> ClipInput:
    """What ``model`` is given of the frames of ``video`` at ``frame_indices`` (T,), in that order:
    a clip that was sampled before. ``order`` is that in which it was presented.

    Raises:
        KeyError: if ``video`` was not read with these frames.
        ValueError: for an unknown number of crops.
    """
    spec, indices = model.input, np.asarray(frame_indices)
    views = _views_at(video, spec, indices, order, crops)
    positions = np.arange(len(indices), dtype=np.int64)
    return CutClip(views, indices, positions, spec.modality).normalised(spec)
