"""What models say about a clip, each computed once: the frames, answers, orders, gates,
experiments, and films of the clip.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from app.cache.store import keep
from app.components.media import preview
from app.components.progress import flow_progress
from app.shell.session import ClipRef, ModelRef, fast_model, load_model, owner, settings
from gsm_model.data.own_clips import recognised
from gsm_model.errors import LensError
from gsm_model.explain.gates.interventions import Intervention, predict_under
from gsm_model.explain.gates.report import GateReport, report_gates
from gsm_model.explain.motion import ClipMotion, motion_of_clip
from gsm_model.explain.order.flow import Flow, information_flow
from gsm_model.explain.order.report import OrderReport, report_order
from gsm_model.models.protocol import UNSTATED, EvalProtocol
from gsm_model.predict import Prediction, predict
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.isolate import read_video
from gsm_model.video.sampling import Order, Sampling

PREVIEW_FRAMES, PREVIEW_HEIGHT = 48, 240
SHUFFLE_SEED, SHUFFLES = 0, 20


def read_clip(
    clip: ClipRef,
    segments: tuple[int, ...],
    shifts: tuple[int, ...] = (0,),
    neighbours: int = 0,
    clips: tuple[tuple[Sampling, int], ...] = (("even", 1),),
) -> DecodedVideo:
    """The frames of ``clip`` for these numbers of segments, those ``shifts`` frames away, and the
    ``neighbours`` that follow each, of these samplings and numbers of clips, decoded once for each
    content.

    Raises:
        LensError: if it is no video, damaged, or over a limit; the message names the person's file.
    """

    def read() -> DecodedVideo:
        found = read_video(
            clip.path,
            segments,
            settings().video,
            "clip",
            PREVIEW_FRAMES,
            PREVIEW_HEIGHT,
            shifts,
            neighbours,
            clips,
        )
        return recognised(found, clip.path)

    try:
        found = keep(
            "clips",
            (clip.sha256, segments, shifts, neighbours, clips),
            read,
            owner(clip),
            doing="Reading the clip …",
        )
    except LensError as error:
        raise type(error)(str(error).replace("clip:", f"{clip.name}:", 1)) from None
    return replace(found, name=clip.name)


def answer(
    ref: ModelRef,
    name: str,
    clip: ClipRef,
    video: DecodedVideo,
    order: Order,
    segments: int,
    tested: EvalProtocol = UNSTATED,
) -> Prediction:
    """The answer of ``ref``'s model, shown as ``name``, of one clip or of the views of a protocol;
    computed once for each (model, clip, order, number of frames, protocol).
    """
    model = fast_model(ref)
    how = (tested.crops, tested.average, tested.clips)
    key = ("answer", *_content(ref, clip), order, segments, *how)
    with flow_progress() as tell:
        prediction = keep(
            "answers",
            key,
            lambda: predict(
                *(model, video, order, segments, SHUFFLE_SEED),
                *(tested.crops, tested.average, tell, tested.clips),
            ),
            owner(ref, clip),
        )
    return replace(prediction, card=replace(model.card, alias=name))


def clip_motion(
    ref: ModelRef, clip: ClipRef, video: DecodedVideo, order: Order, segments: int
) -> ClipMotion:
    """The optical flow in ``clip`` as ``ref``'s model would see it; computed once for each (model,
    clip, order, number of frames).
    """
    model = load_model(ref)
    with flow_progress() as tell:
        return keep(
            "maps",
            ("motion", *_content(ref, clip), order, segments),
            lambda: motion_of_clip(model, video, order, segments, SHUFFLE_SEED, tell),
            owner(ref, clip),
        )


def order_report(
    ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, segments: int
) -> OrderReport:
    """``ref``'s answers to ``clip`` in other orders of its frames; computed once for each (model,
    clip, number of frames).
    """
    model = fast_model(ref)
    key = ("orders", *_content(ref, clip), segments)
    report = keep(
        "answers",
        key,
        lambda: report_order(model, video, segments, SHUFFLES, SHUFFLE_SEED),
        owner(ref, clip),
    )
    return replace(report, card=replace(model.card, alias=name))


def flow(ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, segments: int) -> Flow:
    """The information flow in ``ref``'s model for ``clip`` and its own answer; computed once."""
    model = fast_model(ref)
    key = ("flow", *_content(ref, clip), segments)
    found = keep(
        "answers",
        key,
        lambda: information_flow(model, video, num_segments=segments),
        owner(ref, clip),
    )
    return replace(found, card=replace(model.card, alias=name))


def gate_report(
    ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, order: Order, segments: int
) -> GateReport:
    """What the gates of ``ref``'s model do with ``clip``; computed once for each (model, clip,
    order, number of frames).
    """
    model = fast_model(ref)
    key = (*_content(ref, clip), order, segments)
    report = keep(
        "gates",
        key,
        lambda: report_gates(model, video, order, segments, SHUFFLE_SEED),
        owner(ref, clip),
    )
    return replace(
        report, prediction=replace(report.prediction, card=replace(model.card, alias=name))
    )


def under(
    ref: ModelRef,
    name: str,
    clip: ClipRef,
    video: DecodedVideo,
    order: Order,
    segments: int,
    experiment: Intervention,
    donor: ClipRef | None = None,
) -> Prediction:
    """The answer of ``ref``'s model under an experiment on its gates, which may be those of a
    ``donor``; computed once for each content of the experiment."""
    model = fast_model(ref)
    givers = (ref, clip) if donor is None else (ref, clip, donor)
    key = ("under", _told_apart(experiment), *_content(ref, clip), order, segments)
    found = keep(
        "answers",
        key,
        lambda: predict_under(model, video, [experiment], order, segments, SHUFFLE_SEED)[0],
        owner(*givers),
    )
    return replace(found, card=replace(model.card, alias=name))


def preview_video(clip: ClipRef, order: Order, segments: int, video: DecodedVideo) -> bytes:
    """The preview of a clip in ``order``, H.264."""
    return keep(
        "films",
        (clip.sha256, order, segments),
        lambda: preview(video, segments, order, SHUFFLE_SEED),
        owner(clip),
    )


def _content(ref: ModelRef, clip: ClipRef) -> tuple:
    return *ref.content, clip.sha256


def _told_apart(experiment: Intervention) -> str:
    values = hashlib.sha256()
    for layer, held in (experiment.values or {}).items():
        values.update(layer.encode() + np.ascontiguousarray(held).tobytes())
    return repr(
        (
            experiment.clamp,
            experiment.layers,
            experiment.directions,
            experiment.seed,
            values.hexdigest(),
        )
    )
