"""Scoring a model on a list of videos: one pass, resumable, nothing dropped in silence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from gsm_model.data.video_lists import Entry, VideoList
from gsm_model.errors import DataError
from gsm_model.evaluation.feed import Views, feed
from gsm_model.evaluation.predictions import Origin, Predictions, join, read_parquet, write_parquet
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.sampling import Order, order_positions
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
) -> Predictions:
    """Score every entry of ``videos`` and write the table to ``out`` (parquet).

    Logits are averaged over the views of ``views``; ``shuffled`` draws another shuffle for each clip from
    (``seed``, its id). Parts of the table lie in ``out`` + ``.parts`` until it is whole, so that a run
    that was stopped goes on where it was. A video that cannot be decoded is a row with its error.

    Raises:
        DataError: if the list names classes the model has not, or the parts are of another run.
    """
    views = views or Views()
    origin = _origin(model, videos, views, order, seed)
    parts_folder = out.with_name(out.name + ".parts")
    parts_folder.mkdir(parents=True, exist_ok=True)
    parts = _finished_parts(parts_folder, origin)
    done = sum(len(part.ids) for part in parts)
    if [entry.id for entry in videos.entries[:done]] != [id for part in parts for id in part.ids]:
        raise DataError(f"{parts_folder}: holds part of a run on another list; remove it or choose another --out")
    upcoming = feed(videos.entries[done:], model.architecture.num_segments, model.input, views, workers)
    while block := list(islice(upcoming, PART_CLIPS)):
        part = _score_block(model, block, origin, order, seed)
        write_parquet(part, parts_folder / f"{len(parts):06d}.parquet")
        parts.append(part)
        done += len(part.ids)
        if progress is not None:
            progress(done, len(videos.entries))
    whole = join(parts)
    write_parquet(whole, out)
    for path in parts_folder.iterdir():
        path.unlink()
    parts_folder.rmdir()
    return whole


def _origin(model: Recognizer, videos: VideoList, views: Views, order: Order, seed: int) -> Origin:
    card, k = model.card, model.architecture.num_classes
    if videos.labels is not None and card.labels is not None and videos.labels != card.labels:
        raise DataError(f"{videos.name}: its classes are not those of {card.name}, or in another order")
    if not videos.entries:
        raise DataError(f"{videos.name}: no clip is left to score")
    largest = max(entry.label for entry in videos.entries)
    if largest >= k:
        raise DataError(f"{videos.name}: has class {largest}, but {card.name} knows {k} classes")
    labels = card.labels or videos.labels or tuple(card.label(index) for index in range(k))
    digest = hashlib.sha256()
    for entry in videos.entries:
        digest.update(f"{entry.id}\0{entry.label}\0{entry.first}\0{entry.stop}\n".encode())
    shown = order if order != "shuffled" else f"shuffled, seed {seed}"
    return Origin(labels, card.title, card.sha256, videos.name, digest.hexdigest(), shown, str(views))


def _finished_parts(folder: Path, origin: Origin) -> list[Predictions]:
    parts = [read_parquet(path) for path in sorted(folder.glob("*.parquet"))]
    if any(part.origin != origin for part in parts):
        raise DataError(f"{folder}: holds part of another run (model, data, order or views differ); remove it or choose another --out")
    return parts


def _score_block(
    model: Recognizer, block: Sequence[tuple[Entry, np.ndarray | str]], origin: Origin, order: Order, seed: int
) -> Predictions:
    k = model.architecture.num_classes
    scores = np.full((len(block), k), np.nan, np.float32)
    errors = [views if isinstance(views, str) else "" for _, views in block]
    for row, (entry, views) in enumerate(block):
        if not isinstance(views, str):
            positions = order_positions(views.shape[1], order, _shuffle_seed(entry.id, seed))
            scores[row] = _score(model, views[:, positions])
    entries = [entry for entry, _ in block]
    return Predictions(origin, tuple(entry.id for entry in entries), np.array([entry.label for entry in entries]), scores, tuple(errors))


def _score(model: Recognizer, views: np.ndarray) -> np.ndarray:
    device = next(model.parameters()).device
    clip = normalise(np.ascontiguousarray(views), model.input).to(device)
    with torch.inference_mode():
        return model(clip).float().mean(dim=0).cpu().numpy()


def _shuffle_seed(id: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\0{id}".encode()).digest()[:8], "big")


def errors_of(predictions: Predictions) -> Iterator[tuple[str, str]]:
    """The clips that could not be scored, with what was wrong with them."""
    return ((id, error) for id, error in zip(predictions.ids, predictions.errors, strict=True) if error)
