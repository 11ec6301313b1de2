"""One report's map put to every test there is for a clip of one's own: against baselines, random
weights, another class, another moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gsm_model.data.labels import reversed_classes
from gsm_model.explain.cam.evidence import Target, evidence_of_clips
from gsm_model.explain.cam.faithfulness import Trial, try_map
from gsm_model.explain.cam.methods import cam_of_evidence
from gsm_model.explain.cam.names import SLOW_METHODS
from gsm_model.explain.cam.package import CLASSES, Comparison, PackageError, compare_with_package
from gsm_model.explain.cam.report import CamReport, LayerMaps, cams_of_clips
from gsm_model.explain.cam.sanity import Sanity, agreement, check_sanity
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.clip_input import clip_input_at
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import shifted

SHIFTS = (-1, 1)  # frames: the clip had it been sampled one frame earlier and later


@dataclass(frozen=True)
class MapTrial:
    """What the tests found of the map at one ``layer`` of a report. ``other``: the class that the
    class check took, empty for a contrast. ``jitter``: the mean Spearman's ρ with the maps of the
    clip sampled one frame earlier and later; ``None`` where those frames were not read or the
    method is slow, and ``sanity`` too where it is slow. ``package``: the map beside that of the
    package grad-cam, or why there is none to compare with; ``None`` for a method that is no formula
    of features and gradients."""

    layer: str
    trial: Trial
    sanity: Sanity | None
    other: str
    jitter: float | None
    package: Comparison | str | None = None


def trial_of_report(
    model: Recognizer,
    report: CamReport,
    video: DecodedVideo,
    layer: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> MapTrial:
    """Test the map of ``report`` at ``layer``, its only one by default, on the clip it is of.

    Raises:
        KeyError: if ``video`` has not the report's frames, or the report no such layer.
    """
    found = report.layers[0] if layer is None else report.layer(layer)
    indices = report.prediction.frame_indices
    order = report.prediction.order
    clip = clip_input_at(model, video, indices, order=order).views[0]
    trial = try_map(model, clip, report.target, found.maps, progress=progress)
    other = _other_class(report)
    name = "" if other is None else report.card.label(other.index)
    if report.method in SLOW_METHODS:
        return MapTrial(found.layer, trial, None, name, None)
    sanity = check_sanity(model, clip, report.target, report.method, found.layer, other)
    moved = [shifted(indices, by, video.info.num_frames) for by in SHIFTS]
    jitter = None
    if all(video.has(video.stacks_at(one, model.input.modality.neighbours)) for one in moved):
        maps = [
            cams_of_clips(
                model,
                clip_input_at(model, video, one, order=order).views,
                report.target,
                report.method,
                [found.layer],
            )[2][0].maps[0]
            for one in moved
        ]
        jitter = agreement([found.maps, *maps])
    package = _compared(model, clip, report, found)
    return MapTrial(found.layer, trial, sanity, name, jitter, package)


def _compared(
    model: Recognizer, clip: Tensor, report: CamReport, found: LayerMaps
) -> Comparison | str | None:
    if report.method not in CLASSES:
        return None
    _, [(_, [evidence])] = evidence_of_clips(model, clip[None], [report.target], [found.layer])
    try:
        maps = cam_of_evidence(report.method, evidence) if found.steps else found.maps[None]
        return compare_with_package(report.method, evidence, maps)
    except PackageError as error:
        return str(error)


def _other_class(report: CamReport) -> Target | None:
    """The class a map is compared with: the time reversal, else the likeliest other. None for a
    contrast, whose map for the other side is the same turned over."""
    target, card = report.target, report.card
    if target.versus is not None:
        return None
    if (
        card.labels is not None
        and (reverse := int(reversed_classes(card.labels)[target.index])) >= 0
    ):
        return Target(reverse)
    return next(
        Target(index)
        for index in np.argsort(-report.prediction.logits).tolist()
        if index != target.index
    )


def trial_rows(clip: str, report: CamReport, found: MapTrial) -> list[dict]:
    """A row a map that was tried, the report's first, with what the other tests found of it."""
    about = {
        "clip": clip,
        "model": report.card.name,
        "sha256": report.card.sha256,
        "method": report.method,
        "layer": found.layer,
        "target": report.target_name,
    }
    rows = [{**about, **row, "test": "against baselines"} for row in found.trial.rows()]
    empty = dict.fromkeys(("area", "deletion", "insertion", "road"))
    correlations: list[tuple[str, float | None]] = []
    if found.sanity is not None:
        correlations = [
            (f"random weights from {part} on", rho)
            for part, rho in reversed(found.sanity.randomised)
        ]
        if found.other:
            correlations.append((f"map for {found.other}", found.sanity.other_class))
    if found.jitter is not None:
        correlations.append(("sampled one frame earlier and later", found.jitter))
    rows = [{**row, "correlation": None} for row in rows]
    return rows + [
        {**about, "map": what, **empty, "test": "rank correlation", "correlation": rho}
        for what, rho in correlations
    ]
