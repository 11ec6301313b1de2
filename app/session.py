"""What every page shares: the clip, the models, the number of frames, the device; and the only caches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
import torch

from app.media import preview
from app.settings import Settings, read_settings
from app.uploads import Upload, UploadStore
from gsm_model.errors import LensError
from gsm_model.evaluation.predictions import Predictions, read_parquet
from gsm_model.explain.flow import Flow, information_flow
from gsm_model.explain.gate_data import read_data_gates
from gsm_model.explain.gates import GateReport, report_gates
from gsm_model.explain.intervention_data import effects_table, read_interventions
from gsm_model.explain.interventions import Intervention, predict_under
from gsm_model.explain.order import OrderReport, report_order
from gsm_model.figures.gate_data import data_gates_figure
from gsm_model.figures.interventions import interventions_figure
from gsm_model.figures.style import figure_bytes
from gsm_model.models.checkpoints import load_checkpoint
from gsm_model.models.cost import Cost, cost_of
from gsm_model.models.recognizer import Recognizer, best_device
from gsm_model.models.untrusted import sha256
from gsm_model.predict import Prediction, predict
from gsm_model.shipped import gate_tables, intervention_tables, sample_clips, shipped_checkpoints
from gsm_model.video.isolate import DecodedVideo, read_video
from gsm_model.video.sampling import Order

PREVIEW_FRAMES, PREVIEW_HEIGHT = 48, 240
SHUFFLE_SEED, SHUFFLES = 0, 20
MAX_MODELS_IN_MEMORY = 8


@dataclass(frozen=True)
class ModelRef:
    """A model a session can choose: ``key`` for links, the file it is in, where that came from."""

    key: str
    path: Path
    sha256: str
    name: str
    origin: str
    labels: tuple[str, ...] | None = None
    num_segments: int | None = None


@dataclass(frozen=True)
class ClipRef:
    """A clip a session can choose: ``key`` for links, the file, what it is called, what it is known to show."""

    key: str
    path: Path
    sha256: str
    name: str
    label: str | None = None


@st.cache_resource
def settings() -> Settings:
    return read_settings()


@st.cache_resource
def device() -> torch.device:
    return best_device()


@st.cache_resource(scope="session", on_release=UploadStore.close)
def uploads() -> UploadStore:
    limits = settings()
    return UploadStore(limits.session_megabytes * 2**20, limits.total_megabytes * 2**20)


@st.cache_data
def _digest(path: Path, modified: float) -> str:
    return sha256(path)


def digest(path: Path) -> str:
    """The SHA-256 of a file of the operator's, read once for each time it changes."""
    return _digest(path, path.stat().st_mtime)


def clips() -> dict[str, ClipRef]:
    """The clips this session can choose, its uploads first."""
    mine: dict[str, Upload] = st.session_state.setdefault("uploaded_clips", {})
    refs = {key: ClipRef(key, upload.path, upload.sha256, upload.name) for key, upload in reversed(mine.items())}
    for clip in sample_clips().values():
        refs[clip.name] = ClipRef(clip.name, clip.path, digest(clip.path), f"Sample: {clip.label}", clip.label)
    return refs


def choose_clip(upload: Upload) -> None:
    """Offer ``upload`` to this session as a clip; the next run has it chosen."""
    key = f"upload-{upload.sha256[:8]}"
    st.session_state.setdefault("uploaded_clips", {})[key] = upload
    st.session_state["choose_clip"] = key


def models() -> dict[str, ModelRef]:
    """The models this session can choose: the shipped ones, then those it loaded."""
    refs = {}
    try:
        for key, path in shipped_checkpoints().items():
            refs[key] = ModelRef(key, path, digest(path), path.name, "shipped with the project")
    except LensError:
        pass  # pages say what to do when there is no model
    return refs | st.session_state.setdefault("loaded_models", {})


def add_model(ref: ModelRef) -> Recognizer:
    """Load a model and offer it to this session; the next choice of models includes it.

    A file that can be chosen already is not offered twice.

    Raises:
        LensError: if it cannot be loaded.
    """
    model = load_model(ref)
    same = (
        other
        for other in models().values()
        if (other.sha256, other.labels, other.num_segments) == (ref.sha256, ref.labels, ref.num_segments)
    )
    ref = next(same, ref)
    if ref.key not in models():
        st.session_state.setdefault("loaded_models", {})[ref.key] = ref
    chosen = list(st.session_state.get("models", []))
    st.session_state["choose_models"] = [*chosen, ref.key] if ref.key not in chosen else chosen
    return model


def load_model(ref: ModelRef) -> Recognizer:
    """The model of ``ref``, in memory once for all sessions.

    Raises:
        LensError: if the file is no checkpoint that fits.
    """
    return _load_model(ref.sha256, ref.labels, ref.num_segments, ref.path, ref.name)


@st.cache_resource(max_entries=MAX_MODELS_IN_MEMORY, show_spinner="Loading the model …")
def _load_model(digest: str, labels: tuple[str, ...] | None, num_segments: int | None, _path: Path, _name: str) -> Recognizer:
    return load_checkpoint(_path, num_segments, labels, device(), name=_name)


@st.cache_data(show_spinner=False, max_entries=256)
def cost(digest: str, num_segments: int, _model: Recognizer) -> Cost:
    return cost_of(_model, num_segments)


@st.cache_data(show_spinner="Reading the clip …", max_size="1GB")
def _read_video(digest: str, segments: tuple[int, ...], shifts: tuple[int, ...], _path: Path) -> DecodedVideo:
    return read_video(_path, segments, settings().video, "clip", PREVIEW_FRAMES, PREVIEW_HEIGHT, shifts)


def read_clip(clip: ClipRef, segments: tuple[int, ...], shifts: tuple[int, ...] = (0,)) -> DecodedVideo:
    """The frames of ``clip`` for these numbers of segments, and those ``shifts`` frames away, decoded once for each content.

    Raises:
        LensError: if it is no video, damaged, or over a limit; the message names the person's file.
    """
    try:
        return replace(_read_video(clip.sha256, segments, shifts, clip.path), name=clip.name)
    except LensError as error:
        raise type(error)(str(error).replace("clip:", f"{clip.name}:", 1)) from None


@st.cache_data(show_spinner=False, max_size="256MB")
def _predict(model: str, labels, clip: str, order: Order, segments: int, _model: Recognizer, _video: DecodedVideo) -> Prediction:
    return predict(_model, _video, order, segments, SHUFFLE_SEED)


def answer(ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, order: Order, segments: int) -> Prediction:
    """The answer of ``ref``'s model, shown as ``name``; computed once for each (model, clip, order, number of frames)."""
    model = load_model(ref)
    prediction = _predict(ref.sha256, ref.labels, clip.sha256, order, segments, model, video)
    return replace(prediction, card=replace(model.card, alias=name))


@st.cache_data(show_spinner=False, max_size="64MB")
def _order_report(model: str, labels, clip: str, segments: int, _model: Recognizer, _video: DecodedVideo) -> OrderReport:
    return report_order(_model, _video, segments, SHUFFLES, SHUFFLE_SEED)


def order_report(ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, segments: int) -> OrderReport:
    """``ref``'s answers to ``clip`` in other orders of its frames; computed once for each (model, clip, number of frames)."""
    model = load_model(ref)
    report = _order_report(ref.sha256, ref.labels, clip.sha256, segments, model, video)
    return replace(report, card=replace(model.card, alias=name))


@st.cache_data(show_spinner=False, max_size="64MB")
def _flow(model: str, labels, clip: str, segments: int, _model: Recognizer, _video: DecodedVideo) -> Flow:
    return information_flow(_model, _video, num_segments=segments)


def flow(ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, segments: int) -> Flow:
    """The information flow in ``ref``'s model for ``clip`` and its own answer; computed once."""
    model = load_model(ref)
    found = _flow(ref.sha256, ref.labels, clip.sha256, segments, model, video)
    return replace(found, card=replace(model.card, alias=name))


@st.cache_data(show_spinner=False, max_size="256MB")
def _gate_report(model: str, labels, clip: str, order: Order, segments: int, _model: Recognizer, _video: DecodedVideo) -> GateReport:
    return report_gates(_model, _video, order, segments, SHUFFLE_SEED)


def gate_report(ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, order: Order, segments: int) -> GateReport:
    """What the gates of ``ref``'s model do with ``clip``; computed once for each (model, clip, order, number of frames)."""
    model = load_model(ref)
    report = _gate_report(ref.sha256, ref.labels, clip.sha256, order, segments, model, video)
    return replace(report, prediction=replace(report.prediction, card=replace(model.card, alias=name)))


@st.cache_data(show_spinner=False, max_size="64MB")
def _under(
    experiment: str,
    model: str,
    labels,
    clip: str,
    order: Order,
    segments: int,
    _experiment: Intervention,
    _model: Recognizer,
    _video: DecodedVideo,
) -> Prediction:
    return predict_under(_model, _video, [_experiment], order, segments, SHUFFLE_SEED)[0]


def under(
    ref: ModelRef, name: str, clip: ClipRef, video: DecodedVideo, order: Order, segments: int, experiment: Intervention
) -> Prediction:
    """The answer of ``ref``'s model under an experiment on its gates; computed once for each content of the experiment."""
    model = load_model(ref)
    found = _under(_content(experiment), ref.sha256, ref.labels, clip.sha256, order, segments, experiment, model, video)
    return replace(found, card=replace(model.card, alias=name))


def _content(experiment: Intervention) -> str:
    values = hashlib.sha256()
    for layer, held in (experiment.values or {}).items():
        values.update(layer.encode() + np.ascontiguousarray(held).tobytes())
    return repr((experiment.clamp, experiment.layers, experiment.directions, experiment.seed, values.hexdigest()))


@st.cache_data(show_spinner=False, max_entries=16)
def _tables(digests: tuple[str, ...], _paths: tuple[Path, ...], _names: tuple[str, ...]) -> list[Predictions]:
    return [read_parquet(path, name) for path, name in zip(_paths, _names, strict=True)]


def prediction_tables(files: list[tuple[str, Path, str]]) -> list[Predictions]:
    """The tables of predictions in ``files``, each (SHA-256, path, what it is called); read once for each content.

    Raises:
        LensError: if one is no such table.
    """
    digests, paths, names = zip(*files, strict=True)
    return _tables(digests, paths, names)


@st.cache_data(show_spinner=False, max_entries=16)
def _gate_rows(digest: str, _path: Path) -> list[dict]:
    return read_data_gates(_path)


@st.cache_data(show_spinner=False, max_entries=16)
def _effect_rows(digest: str, _path: Path) -> list[dict]:
    return effects_table(read_interventions(_path))


def data_gates(ref: ModelRef) -> list[dict]:
    """What is known of the gates of ``ref``'s model on a data set (`data_gates_table`); empty where nothing is."""
    return _of_checkpoint(ref, [_gate_rows(digest(path), path) for path in gate_tables()])


def data_effects(ref: ModelRef) -> list[dict]:
    """What is known of experiments on the gates of ``ref``'s model on a data set (`effects_table`); empty where nothing is."""
    return _of_checkpoint(ref, [_effect_rows(digest(path), path) for path in intervention_tables()])


@dataclass(frozen=True)
class Printed:
    """A figure as it prints: ``picture`` for the page (PNG), ``pdf`` to take away."""

    picture: bytes
    pdf: bytes


@st.cache_data(show_spinner="Drawing the figure …", max_entries=64)
def _printed(digest: str, kind: str, _rows: list[dict]) -> Printed:
    figure = (data_gates_figure if kind == "gates" else interventions_figure)(_rows)
    return Printed(figure_bytes(figure, "png", 160), figure_bytes(figure, "pdf"))


def printed(kind: Literal["gates", "interventions"], rows: list[dict]) -> Printed:
    """The figure of a model's gates, or of experiments on them, over a data set; drawn once."""
    return _printed(f"{rows[0]['checkpoint']} {rows[0]['data']} {rows[0]['n']}", kind, rows)


def _of_checkpoint(ref: ModelRef, tables: list[list[dict]]) -> list[dict]:
    return next((rows for rows in tables if rows[0]["checkpoint"] == ref.sha256), [])


@st.cache_data(show_spinner=False, max_size="128MB")
def preview_video(clip: str, order: Order, segments: int, _video: DecodedVideo) -> bytes:
    """The preview of a clip in ``order``, H.264."""
    return preview(_video, segments, order, SHUFFLE_SEED)
