"""What a model can tell of time: its profile over the temporal probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from gsm_model.data.probes.plans import PROBES, Probe
from gsm_model.data.synthetic_sets import Looks, synthetic_set
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import drawn_ids, drawn_origin, drawn_video
from gsm_model.evaluation.intervals import measure_share
from gsm_model.models.card import Measure
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import Predictions
from gsm_model.video.clip_input import clip_input


@dataclass(frozen=True)
class ProbeResult:
    """How often a model gives the right one of a probe's two answers.

    ``distance`` is how many frames the events are apart, ``None`` where there are none or over all
    of them. ``right`` is the share of clips with the right answer, chance being one half; its
    interval is Wilson's with as many trials as there are scenes, for the two orders of a scene are
    not independent. ``both`` is the share of scenes whose two orders are both answered right, with
    Wilson's interval; whoever does not see order has 0.
    """

    probe: str
    static: bool
    distance: int | None
    right: Measure
    both: Measure


def score_probes(
    models: Sequence[Recognizer],
    num_clips: int,
    looks: Looks | None = None,
    split: str = "test",
    batch_size: int = 32,
    progress: Callable[[int, int], None] | None = None,
) -> list[Predictions]:
    """The tables of the models on clips 0 … ``num_clips`` − 1 of a split of the probes, in the
    frames' own order; ``looks.num_frames`` is that of the models, whatever it was.

    Raises:
        DataError: if the number of clips is odd, or a model's classes are not the probes', or the
            models take different numbers of frames.
    """
    if num_clips % 2:
        raise DataError(f"{num_clips} clips: give an even number, two orders of each scene")
    segments = {model.architecture.num_segments for model in models}
    if len(segments) != 1:
        raise DataError(
            "the models take different numbers of frames, so they cannot be shown the same clips;"
            " measure them one after the other"
        )
    neighbours = max((model.input.modality.neighbours for model in models), default=0)
    made = synthetic_set("probes", replace(looks or Looks(), num_frames=min(segments)))
    origins = [drawn_origin(model, split, num_clips, style="probes") for model in models]
    truth: list[int] = []
    scores: list[list[np.ndarray]] = [[] for _ in models]
    for start in range(0, num_clips, batch_size):
        stop = min(start + batch_size, num_clips)
        clips = [made.draw(split, index) for index in range(start, stop)]
        truth += [clip.label for clip in clips]
        videos = [drawn_video(clip, segments, made.labels, neighbours) for clip in clips]
        for model, found in zip(models, scores, strict=True):
            batch = torch.cat([clip_input(model, video).views for video in videos])
            with torch.inference_mode():
                logits, _ = within_memory(model, batch, model)
            found.append(logits.float().cpu().numpy())
        if progress is not None:
            progress(stop, num_clips)
    ids = drawn_ids(split, num_clips, "probes")
    return [
        Predictions(origin, ids, np.array(truth), np.concatenate(found), ("",) * num_clips)
        for origin, found in zip(origins, scores, strict=True)
    ]


def profile_of(table: Predictions, num_frames: int = 8) -> tuple[ProbeResult, ...]:
    """Each probe of a table of `score_probes` on clips of ``num_frames`` frames, and behind one
    with distances each of them.

    Raises:
        DataError: if there are no scores.
    """
    scores, truth = table.require_scores("the profile"), table.truth
    clips = np.arange(len(truth))
    right = scores[clips, truth] > scores[clips, truth ^ 1]
    distances = 1 + clips // (2 * len(PROBES)) % (num_frames - 1)
    found = []
    for number, probe in enumerate(PROBES):
        chosen = truth // 2 == number
        if not chosen.any():
            continue
        found.append(_result(probe, None, right[chosen], table.data))
        for distance in range(1, num_frames) if probe.has_distance else ():
            at = chosen & (distances == distance)
            if at.any():
                found.append(_result(probe, distance, right[at], table.data))
    return tuple(found)


def profile_table(models: Sequence[tuple[str, Sequence[ProbeResult]]]) -> list[dict[str, object]]:
    """The profiles of models as rows: of each (model's name, its profile) one a result."""
    return [
        {
            "model": name,
            "probe": result.probe,
            "control": result.static,
            "frames_between": result.distance,
            "scenes": result.right.n,
            "right": result.right.value,
            "right_low": result.right.low,
            "right_high": result.right.high,
            "both_orders_right": result.both.value,
            "both_low": result.both.low,
            "both_high": result.both.high,
            "data": result.right.data,
        }
        for name, profile in models
        for result in profile
    ]


def _result(probe: Probe, distance: int | None, right: np.ndarray, data: str) -> ProbeResult:
    """``right`` (2 · scenes,) bool: the two orders of a scene one after the other."""
    scenes = right.reshape(-1, 2)
    n = len(scenes)
    share = measure_share("right", round(float(scenes.mean(1).sum())), n, data)
    return ProbeResult(
        probe.name,
        probe.static,
        distance,
        replace(share, value=float(right.mean())),
        measure_share("both orders right", int(scenes.all(1).sum()), n, data),
    )
