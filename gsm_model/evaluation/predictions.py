"""The table of a model's predictions on a data set: its rows, its file formats, its figures.

One row a clip, with the columns ``id``, ``label`` (int64), ``scores`` (K float32 logits),
``order``, ``views``, ``checkpoint`` (SHA-256), ``data`` and ``error``; names and hashes are in the
file's metadata too. The file is parquet; the GSM release's score files (``.npz``) are read and
written.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from gsm_model.data.labels import partner_indices
from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.io.atomic import whole_file
from gsm_model.io.tables import (
    check_archive,
    list_column,
    list_values,
    read_table,
    what_table_says,
    write_table,
)
from gsm_model.models.card import Measure
from gsm_model.predict import Average

BOOTSTRAP_DRAWS = 2000


@dataclass(frozen=True)
class Origin:
    """What a table is of: class names, the model's name and file hash, the data's name and hash,
    how clips were shown, what the passes computed in, and what was averaged over views."""

    labels: tuple[str, ...]
    model: str
    checkpoint: str
    data: str
    data_sha256: str
    order: str
    views: str
    precision: str = "float32"
    average: Average = "logits"


@dataclass(frozen=True)
class Predictions:
    """``n`` clips: ``ids`` (n,), ``labels`` (n,) int64, ``scores`` (n, K) float32 logits, averaged
    over views; where probabilities were averaged, the logarithms of their means.

    ``errors`` (n,) is empty where a clip was scored; where it was not, the row of ``scores`` is
    NaN.
    """

    origin: Origin
    ids: tuple[str, ...]
    labels: np.ndarray
    scores: np.ndarray
    errors: tuple[str, ...]

    def scored(self) -> Predictions:
        """The rows that have scores."""
        keep = np.array([not error for error in self.errors], dtype=bool)
        ids = tuple(id for id, kept in zip(self.ids, keep, strict=True) if kept)
        return replace(
            self,
            ids=ids,
            labels=self.labels[keep],
            scores=self.scores[keep],
            errors=("",) * len(ids),
        )


def join(parts: Sequence[Predictions]) -> Predictions:
    """Several tables of one origin as one, in order.

    Raises:
        DataError: if there is none, or their origins differ.
    """
    if not parts or any(part.origin != parts[0].origin for part in parts):
        raise DataError("only tables of the same model, data, order and views can be joined")
    return Predictions(
        parts[0].origin,
        tuple(id for part in parts for id in part.ids),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.scores for part in parts]),
        tuple(error for part in parts for error in part.errors),
    )


def write_parquet(predictions: Predictions, path: Path) -> None:
    """Write ``predictions``; the file appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    origin, n = predictions.origin, len(predictions.ids)
    columns = {
        "id": pa.array(predictions.ids, pa.string()),
        "label": pa.array(predictions.labels, pa.int64()),
        "scores": list_column(predictions.scores.astype(np.float32)),
        "order": pa.array([origin.order] * n, pa.string()),
        "views": pa.array([origin.views] * n, pa.string()),
        "checkpoint": pa.array([origin.checkpoint] * n, pa.string()),
        "data": pa.array([origin.data] * n, pa.string()),
        "error": pa.array(predictions.errors, pa.string()),
    }
    write_table(pa.table(columns), asdict(origin), path)


def read_parquet(path: Path, name: str = "") -> Predictions:
    """Read a table that `write_parquet` wrote; ``name`` is what messages call the file, its own
    name if empty.

    Raises:
        DataError: if the file is missing, damaged, or no table of predictions.
    """
    name = name or path.name
    try:
        table = read_table(path)
        said = what_table_says(table)
        origin = Origin(**{**said, "labels": tuple(said["labels"])})
        scores = list_values(table, "scores", table.schema.field("scores").type.list_size)
        ids, errors = (tuple(table[column].to_pylist()) for column in ("id", "error"))
        labels = table["label"].to_numpy()
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        MemoryError,
        pa.ArrowException,
    ) as error:
        raise DataError(
            f"{name}: not a table of predictions ({type(error).__name__}); write one with 'evaluate"
            " --out'"
        ) from None
    predictions = Predictions(
        origin, ids, labels.astype(np.int64), scores.astype(np.float32), errors
    )
    _check(predictions, name)
    return predictions


def write_scores(predictions: Predictions, path: Path) -> None:
    """Write the release's score file: ``scores`` (n, 1, K), ``labels``, ``predictions`` (n,),
    ``cf`` (K, K) counts, true class by row.
    """
    rows = predictions.scored()
    answers, k = rows.scores.argmax(1), len(rows.origin.labels)
    confusion = np.zeros((k, k), np.int64)
    np.add.at(confusion, (rows.labels, answers), 1)
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(
            file, scores=rows.scores[:, None], labels=rows.labels, predictions=answers, cf=confusion
        )


def read_scores(path: Path, labels: Sequence[str] | None = None, name: str = "") -> Predictions:
    """Read the release's score file; clips are named by their place in it. ``labels`` names the
    classes, ``name`` is what messages call the file.

    Raises:
        DataError: if the file is none, holds objects, or its arrays do not fit each other or
            ``labels``.
    """
    name = name or path.name
    try:
        check_archive(path)
        with np.load(path, allow_pickle=False) as file:
            scores, truth = np.asarray(file["scores"], np.float32), np.asarray(file["labels"])
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        EOFError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{name}: not a score file with 'scores' and 'labels' ({type(error).__name__})"
        ) from None
    if scores.ndim == 3:
        scores = scores.mean(axis=1)
    if (
        scores.ndim != 2
        or truth.shape != (len(scores),)
        or not np.issubdtype(truth.dtype, np.number)
    ):
        raise DataError(
            f"{name}: 'scores' {scores.shape} and 'labels' {truth.shape} do not fit; expected (n,"
            " 1, K) and (n,)"
        )
    names = (
        tuple(labels)
        if labels is not None
        else tuple(f"class {index}" for index in range(scores.shape[1]))
    )
    if len(names) != scores.shape[1]:
        raise DataError(
            f"{name}: has {scores.shape[1]} classes, but {len(names)} labels were given"
        )
    origin = Origin(names, Path(name).stem, "", name, "", "forward", "as in the file")
    n = len(scores)
    predictions = Predictions(
        origin, tuple(str(index) for index in range(n)), truth.astype(np.int64), scores, ("",) * n
    )
    _check(predictions, name)
    return predictions


def _check(predictions: Predictions, name: str) -> None:
    k = len(predictions.origin.labels)
    if predictions.scores.shape[1] != k:
        raise DataError(f"{name}: {predictions.scores.shape[1]} scores a clip, but {k} class names")
    if len(set(predictions.ids)) != len(predictions.ids):
        raise DataError(f"{name}: some clips come more than once")
    if (
        len(predictions.labels)
        and not 0 <= predictions.labels.min() <= predictions.labels.max() < k
    ):
        raise DataError(f"{name}: labels outside 0 to {k - 1}")
    if not np.isfinite(predictions.scored().scores).all():
        raise DataError(f"{name}: some scores are not finite")


def measures_of_table(predictions: Predictions) -> tuple[Measure, ...]:
    """Top-1, top-5, class mean and, where classes are each other's time reversal, within-pair
    accuracy, with 95 % intervals.

    *Class mean* is the mean over the classes that have clips of their top-1; its interval is a
    bootstrap's within classes (the others' are Wilson's). *Within pair* counts the clips whose
    class has its partner among the classes: the class scores higher than the partner, chance being
    one half. Clips that could not be scored are left out of all of them.

    Raises:
        DataError: if no clip was scored.
    """
    rows = predictions.scored()
    n, names = len(rows.ids), rows.origin.labels
    if n == 0:
        raise DataError("no clip was scored, so there is nothing to measure")
    ranked = np.argsort(-rows.scores, axis=1, kind="stable")
    measures = [
        measure_share("top-1", int(np.sum(ranked[:, 0] == rows.labels)), n, rows.origin.data)
    ]
    if len(names) > 5:
        measures.append(
            measure_share(
                "top-5", int(np.sum(ranked[:, :5] == rows.labels[:, None])), n, rows.origin.data
            )
        )
    measures.append(_class_mean(ranked[:, 0] == rows.labels, rows.labels, rows.origin.data))
    partners = partner_indices(names)[rows.labels]
    paired = np.flatnonzero(partners >= 0)
    if len(paired):
        right = rows.scores[paired, rows.labels[paired]] > rows.scores[paired, partners[paired]]
        measures.append(
            measure_share("within pair", int(right.sum()), len(paired), rows.origin.data)
        )
    return tuple(measures)


def _class_mean(right: np.ndarray, labels: np.ndarray, data: str) -> Measure:
    """Drawing the clips of a class again with replacement makes its number of hits binomial, so
    that is what is drawn.
    """
    _, classes = np.unique(labels, return_inverse=True)
    clips = np.bincount(classes)
    shares = np.bincount(classes, weights=right) / clips
    drawn = (
        np.random.default_rng(0).binomial(clips, shares, size=(BOOTSTRAP_DRAWS, len(clips))) / clips
    )
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return Measure("class mean", float(shares.mean()), float(low), float(high), len(labels), data)
