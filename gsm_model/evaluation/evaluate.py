"""Measuring models on held-out drawn clips: is it right, does it know the pair, does it know the
direction?
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gsm_model.data.labels import reversed_classes
from gsm_model.data.synthetic.dataset import Split
from gsm_model.data.synthetic_sets import Style, synthetic_set
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import drawn_ids, drawn_origin, drawn_video
from gsm_model.evaluation.intervals import measure_share
from gsm_model.evaluation.measures import measures_of_table
from gsm_model.evaluation.score import score_clips
from gsm_model.models.card import Measure
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.looks import ClipLook, brightness_and_motion


@dataclass(frozen=True)
class BothWays:
    """A model's tables of predictions on the same clips, in the frames' own order and with the
    sampled frames reversed.
    """

    forward: Predictions
    reversed: Predictions


def score_drawn_clips(
    models: Sequence[Recognizer],
    split: Split,
    num_clips: int,
    batch_size: int = 20,
    progress: Callable[[int, int], None] | None = None,
    style: Style = "drawn",
    features: bool = False,
) -> list[BothWays]:
    """Draw clips 0 … ``num_clips`` − 1 of ``split`` of the set of ``style`` at 160 × 120, once, and
    score them with each model through the path of any video; with ``features`` the tables keep
    those that the classifier is given.

    Raises:
        DataError: if a model's classes do not begin with those of the set, in order, or the set
            has no such split.
    """
    origins = [
        [drawn_origin(model, split, num_clips, order, style) for order in ("forward", "reversed")]
        for model in models
    ]
    made = synthetic_set(style)
    counts = {model.architecture.num_segments for model in models}
    neighbours = max((model.input.modality.neighbours for model in models), default=0)
    labels: list[int] = []
    looks: list[ClipLook] = []
    passed: list[tuple[list, list]] = [([], []) for _ in models]
    for start in range(0, num_clips, batch_size):
        clips = [
            made.draw(split, index) for index in range(start, min(start + batch_size, num_clips))
        ]
        labels += [clip.label for clip in clips]
        drawn = [drawn_video(clip, counts, made.labels, neighbours) for clip in clips]
        looks += [_look(video, max(counts)) for video in drawn]
        for model, (forward, backward) in zip(models, passed, strict=True):
            batch = torch.cat([clip_input(model, video).views for video in drawn])
            backwards = batch.flip(1)
            if model.input.modality.neighbours:  # within a segment time runs backwards too
                backwards = torch.cat([clip_input(model, v, "reversed").views for v in drawn])
            found = score_clips(model, torch.cat([batch, backwards]), features)
            forward.append([part[: len(drawn)] for part in found])
            backward.append([part[len(drawn) :] for part in found])
        if progress is not None:
            progress(len(labels), num_clips)
    return [
        BothWays(
            *(
                _table(origin, drawn_ids(split, len(labels), style), labels, found, looks)
                for origin, found in zip(of_model, both, strict=True)
            )
        )
        for of_model, both in zip(origins, passed, strict=True)
    ]


def _look(video: DecodedVideo, segments: int) -> ClipLook:
    n, frames = video.info.num_frames, video.frames_at(video.clip_indices(segments))
    return ClipLook(n, video.info.seconds, *brightness_and_motion(frames), 0, n)


def _table(
    origin: Provenance,
    ids: tuple[str, ...],
    truth: list[int],
    passed: list[list[np.ndarray]],
    looks: list[ClipLook],
) -> Predictions:
    scores, *features = (np.concatenate(parts) for parts in zip(*passed, strict=True))
    return Predictions(
        origin,
        ids,
        np.array(truth),
        scores,
        ("",) * len(truth),
        features=features[0] if features else None,
        properties={
            name: np.array([getattr(look, name) for look in looks], np.float64)
            for name in ("frames", "seconds", "brightness", "motion")
        },
    )


def measures_of(both: BothWays) -> tuple[Measure, ...]:
    """The figures of one model: those of `measures_of_table`, and of the time-reversed pairs

    *pair*: the answer is the class or its reversed class; *reversed to reversed class*: the
    reversed clip's answer is that. Both are of the clips whose class has its reversed class among
    the classes.

    Raises:
        DataError: if no class has its reversed class among the classes, or the tables are of
            different clips.
    """
    forward, backward = both.forward.scored(), both.reversed.scored()
    if forward.ids != backward.ids:
        raise DataError("the forward and the reversed table are of different clips")
    reverses = reversed_classes(forward.labels)[forward.truth]
    paired = reverses >= 0
    n, data = int(paired.sum()), forward.data
    if n == 0:
        raise DataError("no class has its time reversal among the classes")
    answers, turned = forward.predicted, backward.predicted
    know_pair = (answers == forward.truth) | (answers == reverses)
    return (
        *measures_of_table(forward),
        measure_share("pair", int(np.sum(know_pair & paired)), n, data),
        measure_share(
            "reversed to reversed class", int(np.sum((turned == reverses) & paired)), n, data
        ),
    )


def largest_reversal_change(both: BothWays) -> float:
    """The largest change of any logit when the frames are reversed, over the largest logit."""
    forward, backward = both.forward.require_scores(), both.reversed.require_scores()
    return float(np.abs(forward - backward).max() / np.abs(forward).max())
