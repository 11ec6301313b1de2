"""The motion in a clip as a model could see it: the flow from each of its frames to the next frame
of the video.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from gsm_model.models.recognizer import Recognizer
from gsm_model.motion.tvl1 import grey, tvl1_flow
from gsm_model.video.clip_input import cut_clip
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.modality import Modality
from gsm_model.video.sampling import Order

NEIGHBOURS = 1  # frames after each of the clip's that have to be decoded


@dataclass(frozen=True)
class ClipMotion:
    """``frames`` (T, S, S, 3) uint8 RGB as the model sees them, in the order in which it does, at
    ``frame_indices`` (T,); ``flow`` (T, 2, S, S) float32, TV-L1 in pixels to the right and down;
    ``learnt`` the same by the model's own TVNet, ``None`` for one without.
    """

    frame_indices: np.ndarray
    frames: np.ndarray
    flow: np.ndarray
    learnt: np.ndarray | None = None


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
        KeyError: if ``video`` was not read for this number of segments with `NEIGHBOURS`.
    """
    t = num_segments or model.architecture.num_segments
    # Of learnt flow, since that is never taken from where it is stored: the pictures are shown.
    spec = replace(model.input, channels="RGB", modality=Modality("learnt flow", 1))
    cut = cut_clip(video, spec, t, order, seed=seed)
    pairs = torch.from_numpy(cut.views[0]).unflatten(1, (2, 3))
    flow = tvl1_flow(grey(pairs[:, 0]), grey(pairs[:, 1]), progress=progress)
    learnt = None
    if model.front is not None:
        with torch.inference_mode():
            device = next(model.front.parameters()).device
            learnt = model.front(pairs.flatten(1, 2).to(device)).float().cpu().numpy()
    # The frames that the flow starts at: in a reversed clip the later ones of each pair.
    indices = video.stacks_at(cut.frame_indices, 1)[:, int(order == "reversed")]
    frames = pairs[:, 0].permute(0, 2, 3, 1).contiguous().numpy()
    return ClipMotion(indices, frames, flow.numpy(), learnt)
