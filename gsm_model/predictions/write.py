"""Tables of predictions as files: this project's (``.parquet``) and the GSM release's score files
(``.npz``).

A parquet file has the columns ``id``, ``label`` (int64), ``scores`` (K float32 logits), ``order``,
``views``, ``checkpoint`` (SHA-256), ``data`` and ``error``; names and hashes are in the file's
metadata too. ``features`` (D float16) is there where features were kept, and every property of the
clips is a column of its own name, float64 or text. A score file has ``features`` (n, D) and no
properties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from gsm_model.errors import DataError
from gsm_model.io.atomic import whole_file
from gsm_model.io.tables import list_column, write_table
from gsm_model.predictions.table import Predictions


def write_parquet(predictions: Predictions, path: Path) -> None:
    """Write ``predictions``; the file appears whole or not at all.

    Raises:
        DataError: if they have no scores.
        OSError: if it cannot be written.
    """
    about, n = predictions.origin, len(predictions.ids)
    columns = {
        "id": pa.array(predictions.ids, pa.string()),
        "label": pa.array(predictions.truth, pa.int64()),
        "scores": list_column(predictions.require_scores("a table").astype(np.float32)),
        "order": pa.array([about.order] * n, pa.string()),
        "views": pa.array([about.views] * n, pa.string()),
        "checkpoint": pa.array([about.checkpoint] * n, pa.string()),
        "data": pa.array([about.data] * n, pa.string()),
        "error": pa.array(predictions.errors, pa.string()),
    }
    if predictions.features is not None:
        columns["features"] = list_column(predictions.features.astype(np.float16))
    for name, values in predictions.properties.items():
        if name not in columns:
            columns[name] = pa.array(values.tolist())
    write_table(pa.table(columns), asdict(about), path)


def write_scores(predictions: Predictions, path: Path) -> None:
    """Write the release's score file: ``scores`` (n, 1, K), ``labels``, ``predictions`` (n,),
    ``cf`` (K, K) counts, true class by row; and, where they were kept, ``features`` (n, D) float16.

    Raises:
        DataError: if the predictions have no scores.
        OSError: if it cannot be written.
    """
    rows = predictions.scored()
    scores, k = rows.require_scores("a score file"), len(rows.labels)
    confusion = np.zeros((k, k), np.int64)
    np.add.at(confusion, (rows.truth, rows.predicted), 1)
    arrays = {
        "scores": scores[:, None],
        "labels": rows.truth,
        "predictions": rows.predicted,
        "cf": confusion,
    }
    if rows.features is not None:
        arrays["features"] = rows.features.astype(np.float16)
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


WRITERS: dict[str, Callable[[Predictions, Path], None]] = {
    ".parquet": write_parquet,
    ".npz": write_scores,
}


def write_predictions(predictions: Predictions, path: Path) -> None:
    """Write ``predictions`` in the format of ``path``'s ending, one of `WRITERS`.

    Raises:
        DataError: for another ending, or if the predictions have no scores.
        OSError: if it cannot be written.
    """
    if path.suffix not in WRITERS:
        raise DataError(f"{path.name}: no table as {path.suffix!r}; there are {', '.join(WRITERS)}")
    WRITERS[path.suffix](predictions, path)
