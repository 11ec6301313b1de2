"""Tables of predictions from all the files they come in.

A format is a function that reads a file and a line in `FORMATS`. Of the formats with a file's
ending the first that knows the file reads it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gsm_model._moved import renamed
from gsm_model.data.labels import something_something
from gsm_model.errors import DataError
from gsm_model.io.hashing import sha256
from gsm_model.io.tables import list_values, read_table, what_table_says
from gsm_model.predictions.classes import class_indices, spelling
from gsm_model.predictions.delimited import EXPECTED, is_sheet, read_delimited
from gsm_model.predictions.files import PredictionFile, read_text
from gsm_model.predictions.records import is_foreign, is_records, read_columns, read_records
from gsm_model.predictions.results import read_pickle, read_scores
from gsm_model.predictions.table import Predictions, Provenance, checked

MAX_FILE_BYTES = 2_000_000_000
MAX_PROPERTIES = 64
# What a table of predictions has beside the properties of its clips.
COLUMNS = frozenset(
    ("id", "label", "scores", "order", "views", "checkpoint", "data", "error", "features")
)


@dataclass(frozen=True)
class Format:
    """Files with an ``ending``: ``read`` makes a table of one or raises `DataError`; ``knows`` says
    whether a file is of this format, where several have the ending.
    """

    ending: str
    read: Callable[[PredictionFile], Predictions]
    knows: Callable[[PredictionFile], bool] = lambda file: True


def read_predictions(
    path: Path,
    labels: Sequence[str] | None = None,
    truth: Path | None = None,
    name: str | None = None,
    truth_name: str | None = None,
    encoding: str | None = None,
) -> Predictions:
    """The clips of ``path`` that were scored.

    ``labels`` names the classes where the file does not; ``truth`` is Something-Something V2's list
    with the true classes, for a submission, whose classes are Something-Something's unless
    ``labels`` says otherwise. ``name`` and ``truth_name`` are what messages call the two;
    ``encoding`` is that of a file of text, which is found out if it is ``None``. What was inferred
    and what was left out stands in the ``notes``.

    Raises:
        DataError: if the file is missing, too large, of none of `FORMATS`, or its content does not
            fit together, or no clip in it was scored.
    """
    name = name or path.name
    if not path.is_file():
        raise DataError(f"{name}: there is no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DataError(
            f"{name}: {path.stat().st_size / 1e9:.1f} GB is more than the"
            f" {MAX_FILE_BYTES / 1e9:.0f} GB that are read"
        )
    file = PredictionFile(
        path,
        name,
        None if labels is None else tuple(labels),
        truth,
        truth_name or (truth.name if truth else ""),
        encoding,
    )
    try:
        every = format_of(file).read(file)
    except DataError:
        raise
    except Exception as error:  # whatever a library makes of a file that was made to harm
        raise DataError(
            f"{name}: cannot be read ({type(error).__name__}); write it again, or bring another"
            " format"
        ) from None
    found = every.scored()
    if not found.ids:
        raise DataError(f"{name}: no clip in it was scored")
    notes = every.notes
    if missing := len(every.ids) - len(found.ids):
        notes += (f"{missing:,} of {len(every.ids):,} clips were not scored and are left out",)
    return replace(found, source=name, sha256=sha256(path), notes=notes)


def format_of(file: PredictionFile) -> Format:
    """The format that reads ``file``.

    Raises:
        DataError: if there is none.
    """
    for one in FORMATS:
        if file.path.suffix.lower() == one.ending and one.knows(file):
            return one
    if file.path.suffix.lower() in endings():
        raise DataError(
            f"{file.name}: its first line names no column of true classes; {EXPECTED}, in a first"
            " line"
        )
    *first, last = endings()
    raise DataError(f"{file.name}: none of {', '.join(first)} and {last}")


def endings() -> tuple[str, ...]:
    """The endings of files that can be read."""
    return tuple(dict.fromkeys(one.ending for one in FORMATS))


def read_parquet(path: Path, name: str = "") -> Predictions:
    """Read a table that `write_parquet` wrote, with the clips that could not be scored; ``name`` is
    what messages call the file, its own name if empty.

    Raises:
        DataError: if the file is missing, damaged, or no table of predictions.
    """
    name = name or path.name
    try:
        table = read_table(path)
        about = what_table_says(table)
        origin = Provenance(**{**about, "labels": tuple(about["labels"])})
        scores = list_values(table, "scores", table.schema.field("scores").type.list_size)
        ids, errors = (tuple(table[column].to_pylist()) for column in ("id", "error"))
        truth = table["label"].to_numpy()
        features = _features_in(table)
        properties = _properties_in(table)
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
    found = Predictions(
        origin,
        ids,
        truth.astype(np.int64),
        scores.astype(np.float32),
        errors,
        source=name,
        features=features,
        properties=properties,
    )
    return checked(found, name)


def _features_in(table: pa.Table) -> np.ndarray | None:
    if "features" not in table.column_names:
        return None
    column = table.schema.field("features").type
    return list_values(table, "features", column.list_size).astype(np.float16)


def _properties_in(table: pa.Table) -> dict[str, np.ndarray]:
    """The columns of ``table`` that are none of a table of predictions: numbers as (n,) float64,
    NaN where there is none, and text; others are left out.
    """
    found = {}
    for name in table.column_names:
        kind = table.schema.field(name).type
        if name in COLUMNS or not name:
            continue
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
            found[name] = table[name].cast(pa.float64()).to_numpy().copy()
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            # As objects: numpy's own text takes as much for each as the longest of them.
            found[name] = np.array([text or "" for text in table[name].to_pylist()], dtype=object)
    if len(found) > MAX_PROPERTIES:
        raise ValueError(f"{len(found)} properties")
    return found


def read_submission(file: PredictionFile) -> Predictions:
    """Something-Something V2's submission: clip id → class, or classes in order of likelihood."""
    name, listed = file.name, file.truth_name
    given = _json(file.path, name, file.encoding)
    if not isinstance(given, dict) or not given:
        raise DataError(
            f"{name}: neither a submission, an object of clip ids and classes, nor a list of"
            " objects with id, label and predicted or scores"
        )
    if file.truth is None:
        raise DataError(
            f"{name}: a submission does not say the true classes; give Something-Something's list"
            " of clips with their templates"
        )
    entries = _json(file.truth, listed, None)
    try:
        true = {str(entry["id"]): _template(entry) for entry in entries}
    except (TypeError, KeyError, AttributeError):
        raise DataError(f"{listed}: not a list of clips with 'id' and 'template'") from None
    ids = tuple(str(id) for id in given)
    if unknown := [id for id in ids if id not in true]:
        raise DataError(
            f"{name}: {len(unknown)} clips are not in {listed}, the first is {unknown[0]!r}"
        )
    first = [value[0] if isinstance(value, list) and value else value for value in given.values()]
    answered = [value not in (None, "", []) for value in first]
    notes = []
    if missing := answered.count(False):
        notes.append(f"{missing:,} of {len(ids):,} clips have no prediction and are left out")
    ids = tuple(itertools.compress(ids, answered))
    names = _named(file.labels, something_something())
    truths = [spelling(str(true[id])) for id in ids]
    columns = {"template": truths}, {"answer": _cells(itertools.compress(first, answered), name)}
    (true_indices, said), (found_indices, more) = (
        class_indices(column, names, called)
        for column, called in zip(columns, (listed, name), strict=True)
    )
    truth, likeliest = true_indices["template"], found_indices["answer"]
    notes += [*said, *more]
    origin = Provenance(names, file.stem, "", listed, "", "forward", "as in the file")
    found = Predictions(
        origin,
        ids,
        truth,
        None,
        ("",) * len(ids),
        likeliest,
        source=name,
        notes=tuple(notes),
    )
    return checked(found, name)


def _cells(values: Iterable[object], name: str) -> list[str]:
    """Classes as text: names, or places in the list."""
    found = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            raise DataError(f"{name}: {str(value)[:60]!r} is neither a class nor a list of classes")
        found.append(spelling(str(value)))
    return found


FORMATS: tuple[Format, ...] = (
    Format(".parquet", read_columns, is_foreign),
    Format(".parquet", lambda file: read_parquet(file.path, file.name)),
    Format(".npz", lambda file: read_scores(file.path, file.labels, file.name)),
    Format(".csv", read_delimited),
    Format(".tsv", read_delimited),
    Format(".txt", read_delimited, is_sheet),  # as spreadsheets call text in UTF-16
    Format(".pkl", read_pickle),
    Format(".pickle", read_pickle),
    Format(".json", read_records, is_records),
    Format(".json", read_submission),
    Format(".jsonl", read_records),
    Format(".feather", read_columns),
)


def _named(labels: Sequence[str] | None, otherwise: Sequence[str]) -> tuple[str, ...]:
    return tuple(otherwise if labels is None else labels)


def _json(path: Path, name: str, encoding: str | None) -> Any:
    try:
        return json.loads(read_text(path, name, encoding).text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name}: not a JSON file that can be read ({type(error).__name__})"
        ) from None


def _template(entry: dict) -> object:
    template = entry["template"]
    return template.replace("[", "").replace("]", "") if isinstance(template, str) else template


__getattr__ = renamed(
    __name__,
    {
        "read_answers": "read_predictions",
        "read_csv": "gsm_model.predictions.delimited:read_delimited",
    },
)
