"""Measuring a model on held-out drawn clips: is it right, does it know the pair, does it know the direction?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from gsm_model.data.reversible.actions import LABELS
from gsm_model.data.reversible.dataset import draw_clip
from gsm_model.errors import DataError
from gsm_model.evaluation.interval import measure_share
from gsm_model.models.card import Measure
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.sampling import segment_indices
from gsm_model.video.transforms import to_views

HEIGHT, WIDTH = 120, 160


@dataclass(frozen=True)
class Scores:
    """Logits on ``n`` drawn clips: ``forward`` and ``reversed`` order of the sampled frames, (n, K) float32; ``labels`` (n,)."""

    labels: np.ndarray
    forward: np.ndarray
    reversed: np.ndarray


def score_drawn_clips(
    model: Recognizer, split: str, num_clips: int, batch_size: int = 20, progress: Callable[[int, int], None] | None = None
) -> Scores:
    """Draw clips 0 … ``num_clips`` − 1 of ``split`` at 160 × 120 and score them through the path of any video.

    Raises:
        DataError: if the model's classes are not those of the drawn set, in order.
    """
    if model.card.labels != LABELS:
        raise DataError(f"{model.card.title} was not trained on the drawn set: its classes are others")
    device = next(model.parameters()).device
    t = model.architecture.num_segments
    labels, forward, backward = [], [], []
    for start in range(0, num_clips, batch_size):
        clips = [draw_clip(split, index) for index in range(start, min(start + batch_size, num_clips))]
        views = [to_views(clip.frames(segment_indices(clip.num_frames, t), HEIGHT, WIDTH), model.input) for clip in clips]
        batch = torch.cat(views).to(device)
        with torch.inference_mode():
            forward.append(model(batch).float().cpu().numpy())
            backward.append(model(batch.flip(1)).float().cpu().numpy())
        labels += [clip.label for clip in clips]
        if progress is not None:
            progress(len(labels), num_clips)
    return Scores(np.array(labels), np.concatenate(forward), np.concatenate(backward))


def measures_of(scores: Scores, data: str) -> tuple[Measure, ...]:
    """The figures of one model.

    *top-1*; *pair*: the answer is the class or its partner; *within pair*: the class scores higher than
    its partner, chance being one half; *reversed to partner*: the reversed clip's answer is the partner.
    """
    labels, n = scores.labels, len(scores.labels)
    rows, partners = np.arange(n), labels ^ 1
    answers = scores.forward.argmax(1)
    return (
        measure_share("top-1", int(np.sum(answers == labels)), n, data),
        measure_share("pair", int(np.sum(answers // 2 == labels // 2)), n, data),
        measure_share("within pair", int(np.sum(scores.forward[rows, labels] > scores.forward[rows, partners])), n, data),
        measure_share("reversed to partner", int(np.sum(scores.reversed.argmax(1) == partners)), n, data),
    )


def largest_reversal_change(scores: Scores) -> float:
    """The largest change of any logit when the frames are reversed, over the largest logit."""
    return float(np.abs(scores.forward - scores.reversed).max() / np.abs(scores.forward).max())
