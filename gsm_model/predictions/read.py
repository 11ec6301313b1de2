"""Tables of predictions from all the files they come in.

A format is a function that reads a file and a line in `FORMATS`. Of the formats with a file's
ending the first that knows the file reads it.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from gsm_model._moved import renamed
from gsm_model.data.labels import something_something
from gsm_model.errors import DataError
from gsm_model.io.hashing import sha256
from gsm_model.io.tables import check_archive, list_values, read_table, what_table_says
from gsm_model.predictions.table import Predictions, Provenance, checked

MAX_FILE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class PredictionFile:
    """A file to read, and what came with it: ``name`` is what messages call it, ``labels`` the
    class names where a person gave them, ``truth`` a list with the true classes, ``truth_name``
    what messages call that.
    """

    path: Path
    name: str
    labels: tuple[str, ...] | None = None
    truth: Path | None = None
    truth_name: str = ""

    @property
    def stem(self) -> str:
        """The name without its ending, which the model is called where the file does not say."""
        return Path(self.name).stem


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
) -> Predictions:
    """The clips of ``path`` that were scored.

    ``labels`` names the classes where the file does not; ``truth`` is Something-Something V2's list
    with the true classes, for a submission, whose classes are Something-Something's unless
    ``labels`` says otherwise. ``name`` and ``truth_name`` are what messages call the two.

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
    )
    found = format_of(file).read(file).scored()
    if not found.ids:
        raise DataError(f"{name}: no clip in it was scored")
    return replace(found, source=name, sha256=sha256(path))


def format_of(file: PredictionFile) -> Format:
    """The format that reads ``file``.

    Raises:
        DataError: if there is none.
    """
    for one in FORMATS:
        if file.path.suffix == one.ending and one.knows(file):
            return one
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
    )
    return checked(found, name)


def read_scores(path: Path, labels: Sequence[str] | None = None, name: str = "") -> Predictions:
    """Read the GSM release's score file; clips are named by their place in it. ``labels`` names the
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
    names = _named(labels, [f"class {index}" for index in range(scores.shape[1])])
    if len(names) != scores.shape[1]:
        raise DataError(
            f"{name}: has {scores.shape[1]} classes, but {len(names)} labels were given"
        )
    origin = Provenance(names, Path(name).stem, "", name, "", "forward", "as in the file")
    n = len(scores)
    found = Predictions(
        origin,
        tuple(str(index) for index in range(n)),
        truth.astype(np.int64),
        scores,
        ("",) * n,
        numbered=True,
        source=name,
    )
    return checked(found, name)


def read_csv(file: PredictionFile) -> Predictions:
    """Columns ``id``, ``label``, then ``predicted`` or one column of scores a class, named by class
    or in index order.
    """
    name, labels = file.name, file.labels
    try:
        table = pcsv.read_csv(
            file.path, convert_options=pcsv.ConvertOptions(column_types={"id": pa.string()})
        )
    except (OSError, MemoryError, pa.ArrowException) as error:
        raise DataError(
            f"{name}: not a CSV file that can be read ({str(error).splitlines()[0][:120]})"
        ) from None
    columns = table.column_names
    if columns[:2] != ["id", "label"] or len(columns) < 3:
        raise DataError(
            f"{name}: its columns begin with {', '.join(columns[:3])}; expected id, label, then"
            " predicted or a score a class"
        )
    ids = tuple(table["id"].to_pylist())
    scores = likeliest = None
    if columns[2:] == ["predicted"]:
        if labels is None:
            raise DataError(
                f"{name}: has no scores, so it does not say which classes there are; give a label"
                " file"
            )
        names = labels
        likeliest = class_indices(table["predicted"].to_pylist(), names, name)
    else:
        try:
            scores = np.column_stack(
                [table[column].to_numpy().astype(np.float32) for column in columns[2:]]
            )
        except (ValueError, TypeError):
            raise DataError(f"{name}: some scores are no numbers") from None
        numbers = columns[2:] == [str(index) for index in range(len(columns) - 2)]
        names = _named(labels, [f"class {c}" if numbers else c for c in columns[2:]])
        if len(names) != scores.shape[1]:
            raise DataError(
                f"{name}: {scores.shape[1]} scores a clip, but {len(names)} class names"
            )
    truth = class_indices(table["label"].to_pylist(), names, name)
    origin = Provenance(names, file.stem, "", name, "", "forward", "as in the file")
    found = Predictions(origin, ids, truth, scores, ("",) * len(ids), likeliest, source=name)
    return checked(found, name)


def read_submission(file: PredictionFile) -> Predictions:
    """Something-Something V2's submission: clip id → class, or classes in order of likelihood."""
    name, listed = file.name, file.truth_name
    if file.truth is None:
        raise DataError(
            f"{name}: a submission does not say the true classes; give Something-Something's list"
            " of clips with their templates"
        )
    given, entries = _json(file.path, name), _json(file.truth, listed)
    if not isinstance(given, dict) or not given:
        raise DataError(f"{name}: not a submission; expected an object of clip ids and classes")
    try:
        true = {str(entry["id"]): _template(entry) for entry in entries}
    except (TypeError, KeyError):
        raise DataError(f"{listed}: not a list of clips with 'id' and 'template'") from None
    ids = tuple(str(id) for id in given)
    if unknown := [id for id in ids if id not in true]:
        raise DataError(
            f"{name}: {len(unknown)} clips are not in {listed}, the first is {unknown[0]!r}"
        )
    first = [value[0] if isinstance(value, list) and value else value for value in given.values()]
    names = _named(file.labels, something_something())
    truth = class_indices([true[id] for id in ids], names, listed)
    likeliest = class_indices(first, names, name)
    origin = Provenance(names, file.stem, "", listed, "", "forward", "as in the file")
    found = Predictions(origin, ids, truth, None, ("",) * len(ids), likeliest, source=name)
    return checked(found, name)


FORMATS: tuple[Format, ...] = (
    Format(".parquet", lambda file: read_parquet(file.path, file.name)),
    Format(".npz", lambda file: read_scores(file.path, file.labels, file.name)),
    Format(".csv", read_csv),
    Format(".json", read_submission),
)


def class_indices(values: Sequence[object], names: Sequence[str], name: str) -> np.ndarray:
    """(n,) int64: class indices of ``values``, which are names or indices; ``name`` is what
    messages call the file.

    Raises:
        DataError: if one is none of the classes.
    """
    places = {label: index for index, label in enumerate(names)}
    found = []
    for value in values:
        index = (
            value
            if isinstance(value, int) and not isinstance(value, bool)
            else places.get(value)
            if isinstance(value, str)
            else None
        )
        if index is None or not 0 <= index < len(names):
            raise DataError(f"{name}: {value!r} is none of the {len(names)} classes")
        found.append(index)
    return np.array(found, dtype=np.int64)


def _named(labels: Sequence[str] | None, otherwise: Sequence[str]) -> tuple[str, ...]:
    return tuple(otherwise if labels is None else labels)


def _json(path: Path, name: str) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{name}: not a JSON file that can be read ({type(error).__name__})"
        ) from None


def _template(entry: dict) -> object:
    template = entry["template"]
    return template.replace("[", "").replace("]", "") if isinstance(template, str) else template


__getattr__ = renamed(__name__, {"read_answers": "read_predictions"})
