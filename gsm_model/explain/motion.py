"""The motion in a clip as a model could see it: the flow from each of its frames to the next frame
of the video.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gsm_model.explain.gates.readings import clip_readings, record_clip_readings
from gsm_model.models.dmc import CueGenerator
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.systems.representation_flow import RepresentationFlow
from gsm_model.models.tvnet import TVNet
from gsm_model.motion.stored import BOUND
from gsm_model.motion.tvl1 import grey, tvl1_flow
from gsm_model.motion.vectors import motion_vectors, vector_bytes
from gsm_model.video.clip_input import clip_input, cut_clip
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.modality import Modality
from gsm_model.video.sampling import Order
from gsm_model.video.transforms import normalise

NEIGHBOURS = 1  # frames after each of the clip's that have to be decoded


@dataclass(frozen=True)
class ClipMotion:
    """``frames`` (T, S, S, 3) uint8 RGB as the model sees them, in the order in which it does, at
    ``frame_indices`` (T,); ``flow`` (T, 2, S, S) float32, TV-L1 in pixels to the right and down;
    ``learnt`` the same by the model's own TVNet and ``untrained`` by one that has learnt nothing,
    ``None`` for a model without. ``of_features`` is the flow of the model's features, of each layer
    that computes it: the layer's title and (T, 2, h, w) float32, from each of the frames to the
    next of these, mean of the channels, in places of the layer; none for most. ``vectors`` are
    those of a codec with the sign of flow (`motion_vectors`), ``cue`` what a DMC-Net makes of them.
    """

    frame_indices: np.ndarray
    frames: np.ndarray
    flow: np.ndarray
    learnt: np.ndarray | None = None
    untrained: np.ndarray | None = None
    of_features: tuple[tuple[str, np.ndarray], ...] = ()
    vectors: np.ndarray | None = None
    cue: np.ndarray | None = None


def motion_of_clip(
    model: Recognizer,
    video: DecodedVideo,
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ClipMotion:
    """The motion in ``video``'s clip for ``model``, from each frame to the one after it in the
    video; in a reversed clip to the one before it.

    Raises:
        KeyError: if ``video`` was not read for this number of segments with the model's own
            neighbours, at least `NEIGHBOURS`.
    """
    t = num_segments or model.architecture.num_segments
    # Of learnt flow, since that is never taken from where it is stored: the pictures are shown.
    spec = replace(model.input, channels="RGB", modality=Modality("learnt flow", 1))
    cut = cut_clip(video, spec, t, order, seed=seed)
    pairs = torch.from_numpy(cut.views[0]).unflatten(1, (2, 3))
    flow = tvl1_flow(grey(pairs[:, 0]), grey(pairs[:, 1]), progress=progress)
    learnt = untrained = None
    if isinstance(model.front, TVNet):
        learnt, untrained = (
            _flow_by(front, pairs) for front in (model.front, TVNet(model.front.settings))
        )
    # The frames that the flow starts at: in a reversed clip the later ones of each pair.
    indices = video.stacks_at(cut.frame_indices, 1)[:, int(order == "reversed")]
    frames = pairs[:, 0].permute(0, 2, 3, 1).contiguous().numpy()
    of_features = _flow_of_features(model, video, order, t, seed)
    coded = [motion_vectors(*pair) for pair in pairs.permute(0, 1, 3, 4, 2).numpy()]
    cue = _cue(model, coded) if isinstance(model.front, CueGenerator) else None
    vectors = np.stack([blocks for blocks, _ in coded])
    return ClipMotion(
        *(indices, frames, flow.numpy(), learnt, untrained, of_features, vectors, cue)
    )


def _cue(model: Recognizer, coded: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """What the generator of ``model`` makes of vectors and residuals, in pixels."""
    spec = replace(model.input, modality=Modality("motion vectors", 1))
    given = normalise(np.stack([vector_bytes(*one) for one in coded]), spec)
    assert model.front is not None
    weights = next(model.front.parameters())
    with torch.inference_mode():
        cue = model.front(given.to(weights.device, weights.dtype)).float().cpu().numpy()
    return cue * (2 * BOUND)  # ±½ are ±20 pixels


def _flow_by(front: TVNet, pairs: Tensor) -> np.ndarray:
    device = next(front.parameters()).device
    with torch.inference_mode():
        return front(pairs.flatten(1, 2).to(device)).float().cpu().numpy()


def computes_motion(model: Recognizer) -> bool:
    """Whether ``model`` computes flow, or a cue of motion, itself."""
    modules = [layer.module for layer in model.temporal_layers()]
    return model.front is not None or any(isinstance(one, RepresentationFlow) for one in modules)


def _flow_of_features(
    model: Recognizer, video: DecodedVideo, order: Order, num_segments: int, seed: int
) -> tuple[tuple[str, np.ndarray], ...]:
    modules = [layer.module for layer in model.temporal_layers()]
    if not any(isinstance(module, RepresentationFlow) for module in modules):
        return ()
    given = clip_input(model, video, order, num_segments=num_segments, seed=seed).views[:1]
    with torch.inference_mode(), record_clip_readings(model) as found:
        model(given.to(next(model.parameters()).device))
    [flows] = [one for one in clip_readings(model, found) if one.name == "flow"]
    return tuple(zip(flows.layers, flows.values, strict=True))
