"""Scoring a model on a list of videos: one pass, resumable, nothing dropped in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from gsm_model.data.lists import Entry, VideoList
from gsm_model.evaluation.dataset import list_origin
from gsm_model.evaluation.loader import Views, feed
from gsm_model.evaluation.resumable import Parts
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.predict import Average, average_views
from gsm_model.predictions.join import concatenate
from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.predictions.write import write_parquet
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
) -> Predictions:
    """Score every entry of ``videos`` and write the table to ``out`` (parquet).

    The views of ``views`` are averaged by their logits or by their probabilities
    (`average_views`), which the table says; ``shuffled`` draws another shuffle for each
    clip from (``seed``, its id). Parts of the table lie in ``out`` + ``.parts`` until it is whole,
    so that a run that was stopped goes on where it was. A video that cannot be decoded is a row
    with its error; so is one that exceeds ``limits``.

    Raises:
        DataError: if the list names classes the model has not, or the parts are of another run.
    """
    views = views or Views()
    origin = list_origin(model, videos, str(views), order_name(order, seed), average)
    parts = Parts(
        out, origin, tuple(entry.id for entry in videos.entries), read_parquet, write_parquet
    )
    upcoming = feed(
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
        parts.add(_score_block(model, block, origin))
        if progress is not None:
            progress(parts.done, len(videos.entries))
    return parts.close(concatenate(parts.finished))


def order_name(order: Order, seed: int) -> str:
    """What a table calls the order of its frames; of shuffles the seed is part of it."""
    return order if order != "shuffled" else f"shuffled, seed {seed}"


def _score_block(
    model: Recognizer,
    block: Sequence[tuple[Entry, np.ndarray | str]],
    origin: Provenance,
) -> Predictions:
    k = model.architecture.num_classes
    scores = np.full((len(block), k), np.nan, np.float32)
    errors = [views if isinstance(views, str) else "" for _, views in block]
    for row, (_, views) in enumerate(block):
        if not isinstance(views, str):
            scores[row] = score_views(model, views, origin.average)
    entries = [entry for entry, _ in block]
    return Predictions(
        origin,
        tuple(entry.id for entry in entries),
        np.array([entry.label for entry in entries]),
        scores,
        tuple(errors),
    )


def score_views(model: Recognizer, views: np.ndarray, average: Average = "logits") -> np.ndarray:
    """The scores (K,) float32 of one video: `average_views` over its ``views`` (V, T, 3, S, S)
    uint8.
    """
    with torch.inference_mode():
        logits, _ = within_memory(model, normalise(np.ascontiguousarray(views), model.input), model)
    return average_views(logits.float(), average).cpu().numpy()


def errors_of(predictions: Predictions) -> Iterator[tuple[str, str]]:
    """The clips that could not be scored, with what was wrong with them."""
    return (
        (id, error) for id, error in zip(predictions.ids, predictions.errors, strict=True) if error
    )
