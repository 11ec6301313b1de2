"""What the Grad-CAM page asks of models, each computed once: maps, tests of maps, films."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.cache.store import caches, keep
from app.queries.clip_results import SHUFFLE_SEED, read_clip
from app.shell.session import ClipRef, ModelRef, digest, load_model, owner
from gsm_model.bundled import attribution_tables, cam_tables
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.names import SLOW_METHODS, Method
from gsm_model.explain.cam.report import CamReport, report_cams
from gsm_model.explain.cam.trials import SHIFTS, MapTrial, trial_of_report
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order

Progress = Callable[[int, int], None]
ONE_LAYER: tuple[Method, ...] = (*SLOW_METHODS, "eigencam")  # too slow for every layer at once


@dataclass(frozen=True)
class Question:
    """What is asked of every model: the target (``None``: the first model's answer), how maps are
    made, at which layer if at one only (``None``: the last block), in which order of the frames."""

    target: Target | None
    method: Method
    layer: str | None
    order: Order


def _key(ref: ModelRef, clip: ClipRef, question: Question, segments: int) -> tuple:
    return *ref.content, clip.sha256, question, segments


def cam_report(
    ref: ModelRef,
    name: str,
    clip: ClipRef,
    video: DecodedVideo,
    question: Question,
    segments: int,
    progress: Progress | None = None,
) -> CamReport:
    """The maps of ``ref``'s model, shown as ``name``: of all its layers by fast methods, of one by
    the others; computed once.
    """
    model = load_model(ref)
    layers = list(model.feature_points())
    if question.method in ONE_LAYER:
        layers = [question.layer if question.layer in layers else layers[-1]]
        question = replace(question, layer=layers[0])
    else:
        question = replace(question, layer=None)

    def compute() -> CamReport:
        return report_cams(
            model,
            video,
            question.target,
            question.method,
            layers,
            question.order,
            segments,
            SHUFFLE_SEED,
            progress,
        )

    report = keep("maps", _key(ref, clip, question, segments), compute, owner(ref, clip))
    return replace(
        report, prediction=replace(report.prediction, card=replace(model.card, alias=name))
    )


def map_trial(
    ref: ModelRef,
    clip: ClipRef,
    report: CamReport,
    layer: str,
    question: Question,
    segments: int,
    progress: Progress | None = None,
) -> MapTrial:
    """Whether the map of ``report`` at ``layer`` is to be believed; computed once."""
    question = replace(question, target=report.target, layer=layer)
    spec = load_model(ref).input
    clips = ((spec.sampling, 1),)
    video = read_clip(clip, (segments,), (0, *SHIFTS), spec.modality.neighbours, clips)
    key = _key(ref, clip, question, segments)
    return keep(
        "trials",
        key,
        lambda: trial_of_report(load_model(ref), report, video, layer, progress),
        owner(ref, clip),
    )


def _score_rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def known_score(ref: ModelRef, question: Question, layer: str) -> dict[str, str] | None:
    """What was measured of maps like these on drawn clips (a row of `cam_scores`, as text);
    ``None`` where nothing was.
    """
    kind = "class" if question.target is None or question.target.versus is None else "contrast"
    wanted = {"checkpoint": ref.sha256, "target": kind, "method": question.method, "layer": layer}
    rows = (
        row
        for path in cam_tables()
        for row in keep("tables", ("scores", digest(path)), partial(_score_rows, path))
    )
    return next(
        (row for row in rows if all(row.get(key) == value for key, value in wanted.items())), None
    )


def known_answers(ref: ModelRef) -> dict | None:
    """What the known-answer test found of attributions of ``ref``'s model (`attribution_object`);
    ``None`` where it was not measured.
    """
    models = (
        one
        for path in attribution_tables()
        for one in keep("tables", ("known answers", digest(path)), partial(_models_of, path))
    )
    return next((one for one in models if one["checkpoint"] == ref.sha256), None)


def _models_of(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["models"]


def has_trial(
    ref: ModelRef, clip: ClipRef, report: CamReport, layer: str, question: Question, segments: int
) -> bool:
    """Whether `map_trial` knows the answer already."""
    return caches()["trials"].has(
        _key(ref, clip, replace(question, target=report.target, layer=layer), segments),
        owner(ref, clip),
    )
