"""Clips with a known answer: what moves, in which frames there is anything of the action at all,
and which class is the same action the other way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gsm_model.data.labels import reversed_classes
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.data.synthetic.dataset import Split, draw_clip
from gsm_model.data.synthetic.scene import MASK_ROLES
from gsm_model.data.synthetic.window import action_within
from gsm_model.evaluation.dataset import HEIGHT, WIDTH, drawn_video
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.clip_input import clip_input
from gsm_model.video.transforms import masks_as_seen

SHARE = 5 / 8  # of a clip's frames that show the action
MOVING = (MASK_ROLES.index("actor"), MASK_ROLES.index("hand"))
_WINDOWS = 17  # where the action stands in a clip does not depend on what else is drawn of it


@dataclass(frozen=True)
class KnownClip:
    """``views`` (1, T, 3, S, S) float32 as a model takes it, of class ``label``, whose time
    reversal is class ``reverse``. ``moving`` (T, S, S) bool: the pixels of what moves; ``window``
    (T,) bool: the frames that show the action. The others show the same scene without it.
    """

    name: str
    views: Tensor
    label: int
    reverse: int
    moving: np.ndarray
    window: np.ndarray


def frames_with_action(t: int) -> int:
    """How many of ``t`` frames show the action."""
    return max(1, round(SHARE * t))


def known_clip(model: Recognizer, split: Split, index: int) -> KnownClip:
    """Clip ``index`` of a drawn split with its action in some of the frames that ``model`` takes,
    at a place that depends on ``index`` alone.
    """
    t = model.architecture.num_segments
    shown = frames_with_action(t)
    start = int(np.random.default_rng((_WINDOWS, index)).integers(t - shown + 1))
    clip = action_within(draw_clip(split, index), start / t, (start + shown) / t)
    given = clip_input(model, drawn_video(clip, [t]))
    kinds = masks_as_seen(clip.masks(given.frame_indices, HEIGHT, WIDTH), model.input)
    window = np.zeros(t, bool)
    window[start : start + shown] = True
    reverse = int(reversed_classes(LABELS)[clip.label])
    name = f"{split}/{index:06d}"
    return KnownClip(name, given.views, clip.label, reverse, np.isin(kinds, MOVING), window)
