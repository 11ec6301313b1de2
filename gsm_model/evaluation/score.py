"""Scoring a model on a list of videos: one pass, resumable, nothing dropped in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gsm_model.data.lists import VideoList
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import list_origin
from gsm_model.evaluation.loader import FedClip, Views, feed_clips
from gsm_model.evaluation.resumable import Parts
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.predict import Average, average_views
from gsm_model.predictions.join import concatenate
from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.predictions.write import write_parquet
from gsm_model.video.looks import ClipLook
from gsm_model.video.sampling import Order
from gsm_model.video.source import DATA_SET, Limits
from gsm_model.video.transforms import normalise

PART_CLIPS = 64


def score_list(
    model: Recognizer,
    videos: VideoList,
    out: Path,
    views: Views | None = None,
    order: Order = "forward",
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    limits: Limits = DATA_SET,
    average: Average = "logits",
    features: bool = False,
) -> Predictions:
    """Score every entry of ``videos`` and write the table to ``out`` (parquet).

    The views of ``views`` are averaged by their logits or by their probabilities
    (`average_views`), which the table says; ``shuffled`` draws another shuffle for each
    clip from (``seed``, its id). Parts of the table lie in ``out`` + ``.parts`` until it is whole,
    so that a run that was stopped goes on where it was. A video that cannot be decoded is a row
    with its error; so is one that exceeds ``limits``. With ``features`` the table keeps those that
    the classifier is given, too.

    Raises:
        DataError: if the list names classes the model has not, or the parts are of another run.
    """
    views = views or Views()
    origin = list_origin(model, videos, str(views), order_name(order, seed), average)
    parts = Parts(
        out, origin, tuple(entry.id for entry in videos.entries), read_parquet, write_parquet
    )
    if any((part.features is not None) != features for part in parts.finished):
        kept = "without" if features else "with"
        raise DataError(
            f"{parts.folder}: holds part of a run {kept} --features; remove it or choose another"
            " --out"
        )
    upcoming = feed_clips(
        videos.entries[parts.done :],
        model.architecture.num_segments,
        model.input,
        views,
        workers,
        order,
        seed,
        limits,
    )
    while block := list(islice(upcoming, PART_CLIPS)):
        parts.add(_score_block(model, block, origin, features, videos.folder))
        if progress is not None:
            progress(parts.done, len(videos.entries))
    return parts.close(concatenate(parts.finished))


def order_name(order: Order, seed: int) -> str:
    """What a table calls the order of its frames; of shuffles the seed is part of it."""
    return order if order != "shuffled" else f"shuffled, seed {seed}"


def _score_block(
    model: Recognizer,
    block: Sequence[FedClip],
    origin: Provenance,
    features: bool,
    folder: Path | None,
) -> Predictions:
    k, d = model.architecture.num_classes, model.new_fc.in_features
    scores = np.full((len(block), k), np.nan, np.float32)
    kept = np.full((len(block), d), np.nan, np.float16) if features else None
    for row, clip in enumerate(block):
        if isinstance(clip.views, str):
            continue
        scores[row], its_features = _score(model, clip.views, origin.average, features)
        if kept is not None:
            kept[row] = its_features
    return Predictions(
        origin,
        tuple(clip.entry.id for clip in block),
        np.array([clip.entry.label for clip in block]),
        scores,
        tuple(clip.views if isinstance(clip.views, str) else "" for clip in block),
        features=kept,
        properties=_properties(block, folder),
    )


def _properties(block: Sequence[FedClip], folder: Path | None) -> dict[str, np.ndarray]:
    """How clips look, and where they lie."""
    looks = [{} if clip.look is None else vars(clip.look) for clip in block]
    found = {
        field.name: np.array([look.get(field.name, np.nan) for look in looks], np.float64)
        for field in fields(ClipLook)
    }
    return {**found, "file": np.array([_file(clip.entry.path, folder) for clip in block])}


def _file(path: Path, folder: Path | None) -> str:
    """``path`` as the table names it: from the folder of the videos where it lies in there."""
    inside = folder is not None and path.is_relative_to(folder)
    return (path.relative_to(folder) if inside and folder else path.absolute()).as_posix()


def score_views(model: Recognizer, views: np.ndarray, average: Average = "logits") -> np.ndarray:
    """The scores (K,) float32 of one video: `average_views` over its ``views`` (V, T, 3, S, S)
    uint8.
    """
    return _score(model, views, average, False)[0]


def score_clips(model: Recognizer, clips: Tensor, features: bool = False) -> list[np.ndarray]:
    """The scores (N, K) float32 of normalised ``clips`` (N, T, P, S, S), and with ``features`` from
    the same pass those that the classifier is given (`Recognizer.frame_features`), averaged over
    frames, (N, D) float16. Values beyond the range of float16 are cut to it.
    """
    logits, kept = _pass(model, clips, features)
    return [logits.cpu().numpy(), *([] if kept is None else [_in_half(kept)])]


def _score(
    model: Recognizer, views: np.ndarray, average: Average, features: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """The scores of one video as `score_views`, and its features (D,), averaged over views."""
    logits, kept = _pass(model, normalise(np.ascontiguousarray(views), model.input), features)
    with torch.inference_mode():
        scores = average_views(logits, average).cpu().numpy()
        return scores, None if kept is None else _in_half(kept.mean(dim=0))


def _pass(model: Recognizer, clips: Tensor, features: bool) -> tuple[Tensor, Tensor | None]:
    """Logits (N, K) and, if they are wanted, features (N, D), float32, of one pass."""

    def both(clips: Tensor) -> Tensor:
        seen = model.frame_features(clips)
        parts = [model.classify(seen).mean(dim=1), seen.mean(dim=1)]
        return torch.cat([part.float() for part in parts], dim=1)

    with torch.inference_mode():
        found = within_memory(model, clips, both if features else model)[0].float()
    k = model.architecture.num_classes
    return found[:, :k], found[:, k:] if features else None


def _in_half(features: Tensor) -> np.ndarray:
    largest = float(np.finfo(np.float16).max)
    return features.clamp(-largest, largest).cpu().numpy().astype(np.float16)


def errors_of(predictions: Predictions) -> Iterator[tuple[str, str]]:
    """The clips that could not be scored, with what was wrong with them."""
    return (
        (id, error) for id, error in zip(predictions.ids, predictions.errors, strict=True) if error
    )
