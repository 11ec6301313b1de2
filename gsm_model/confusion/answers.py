"""One model's answers to labelled clips, from any of the files they come in, and two models'
answers to the same clips.

Read are this project's tables of predictions (``.parquet``), the GSM release's score files
(``.npz``), CSV, and Something-Something V2's submissions (``.json``: clip id → class, or classes in
order of likelihood).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from gsm_model.data.labels import something_something
from gsm_model.errors import DataError
from gsm_model.evaluation.predictions import Predictions, read_parquet, read_scores
from gsm_model.models.checkpoints.safe_load import sha256

MAX_FILE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Answers:
    """``model``'s answers to n clips: ``truth`` and ``predicted`` (n,) int64 class indices,
    ``scores`` (n, K) float32 or ``None``.

    ``labels`` are the K class names, ``numbered`` says that ``ids`` are only the clips' places in
    the file. Scores are logits, averaged over the views of a clip by whoever wrote the file.
    ``source`` and ``sha256`` are the file's, ``data`` says what the clips are.
    """

    model: str
    source: str
    sha256: str
    data: str
    labels: tuple[str, ...]
    ids: tuple[str, ...]
    truth: np.ndarray
    predicted: np.ndarray
    scores: np.ndarray | None
    numbered: bool = False

    @property
    def right(self) -> np.ndarray:
        """(n,) bool: the answer is the true class."""
        return self.predicted == self.truth

    def take(self, rows: np.ndarray) -> Answers:
        """The clips at ``rows`` (indices or a mask), in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        scores = None if self.scores is None else self.scores[rows]
        ids = tuple(self.ids[row] for row in rows)
        return Answers(
            self.model,
            self.source,
            self.sha256,
            self.data,
            self.labels,
            ids,
            self.truth[rows],
            self.predicted[rows],
            scores,
            self.numbered,
        )


def read_answers(
    path: Path,
    labels: Sequence[str] | None = None,
    truth: Path | None = None,
    name: str | None = None,
    truth_name: str | None = None,
) -> Answers:
    """Read ``path`` by its ending. ``labels`` names the classes where the file does not; ``truth``
    is Something-Something V2's list with the true classes, for a submission, whose classes are
    Something-Something's unless ``labels`` says otherwise. ``name`` and ``truth_name`` are what
    messages call the two.

    Raises:
        DataError: if the file is missing, too large, of none of the kinds, or its content does not
            fit together.
    """
    name = name or path.name
    if not path.is_file():
        raise DataError(f"{name}: there is no such file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise DataError(
            f"{name}: {path.stat().st_size / 1e9:.1f} GB is more than the"
            f" {MAX_FILE_BYTES / 1e9:.0f} GB that are read"
        )
    digest = sha256(path)
    if path.suffix == ".parquet":
        return _of_predictions(read_parquet(path, name), name, digest, numbered=False)
    if path.suffix == ".npz":
        return _of_predictions(read_scores(path, labels, name), name, digest, numbered=True)
    if path.suffix == ".csv":
        return _read_csv(path, labels, name, digest)
    if path.suffix == ".json":
        return _read_submission(
            path, labels, truth, name, truth_name or (truth.name if truth else ""), digest
        )
    raise DataError(f"{name}: none of .parquet, .npz, .csv and .json")


def _of_predictions(predictions: Predictions, name: str, digest: str, numbered: bool) -> Answers:
    rows, origin = predictions.scored(), predictions.origin
    if not rows.ids:
        raise DataError(f"{name}: no clip in it was scored")
    answers = rows.scores.argmax(1)
    return Answers(
        origin.model,
        name,
        digest,
        origin.data,
        origin.labels,
        rows.ids,
        rows.labels,
        answers,
        rows.scores,
        numbered,
    )


def _read_csv(path: Path, labels: Sequence[str] | None, name: str, digest: str) -> Answers:
    """Columns ``id``, ``label``, then ``predicted`` or one column of scores a class, named by class
    or in index order.
    """
    try:
        table = pcsv.read_csv(
            path, convert_options=pcsv.ConvertOptions(column_types={"id": pa.string()})
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
    if columns[2:] == ["predicted"]:
        if labels is None:
            raise DataError(
                f"{name}: has no scores, so it does not say which classes there are; give a label"
                " file"
            )
        names, scores = tuple(labels), None
        predicted = _classes(table["predicted"].to_pylist(), names, name)
    else:
        try:
            scores = np.column_stack(
                [table[column].to_numpy().astype(np.float32) for column in columns[2:]]
            )
        except (ValueError, TypeError):
            raise DataError(f"{name}: some scores are no numbers") from None
        numbers = columns[2:] == [str(index) for index in range(len(columns) - 2)]
        names = (
            tuple(labels)
            if labels is not None
            else tuple(f"class {c}" if numbers else c for c in columns[2:])
        )
        if len(names) != scores.shape[1]:
            raise DataError(
                f"{name}: {scores.shape[1]} scores a clip, but {len(names)} class names"
            )
        if not np.isfinite(scores).all():
            raise DataError(f"{name}: some scores are not finite")
        predicted = scores.argmax(1)
    truth = _classes(table["label"].to_pylist(), names, name)
    return _checked(
        Answers(Path(name).stem, name, digest, name, names, ids, truth, predicted, scores)
    )


def _read_submission(
    path: Path,
    labels: Sequence[str] | None,
    truth: Path | None,
    name: str,
    listed: str,
    digest: str,
) -> Answers:
    if truth is None:
        raise DataError(
            f"{name}: a submission does not say the true classes; give Something-Something's list"
            " of clips with their templates"
        )
    answers, entries = _json(path, name), _json(truth, listed)
    if not isinstance(answers, dict) or not answers:
        raise DataError(f"{name}: not a submission; expected an object of clip ids and classes")
    try:
        true = {str(entry["id"]): _template(entry) for entry in entries}
    except (TypeError, KeyError):
        raise DataError(f"{listed}: not a list of clips with 'id' and 'template'") from None
    ids = tuple(str(id) for id in answers)
    if unknown := [id for id in ids if id not in true]:
        raise DataError(
            f"{name}: {len(unknown)} clips are not in {listed}, the first is {unknown[0]!r}"
        )
    first = [
        answer[0] if isinstance(answer, list) and answer else answer for answer in answers.values()
    ]
    names = tuple(labels) if labels is not None else something_something()
    wanted = _classes([true[id] for id in ids], names, listed)
    return _checked(
        Answers(
            Path(name).stem,
            name,
            digest,
            listed,
            names,
            ids,
            wanted,
            _classes(first, names, name),
            None,
        )
    )


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


def _classes(values: Sequence[object], names: Sequence[str], name: str) -> np.ndarray:
    """Class indices of ``values``, which are names or indices."""
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


def _checked(answers: Answers) -> Answers:
    if len(set(answers.ids)) != len(answers.ids):
        twice, _ = Counter(answers.ids).most_common(1)[0]
        raise DataError(f"{answers.source}: some clips come more than once, the first is {twice!r}")
    return answers


@dataclass(frozen=True)
class Joined:
    """Two models' answers to the same n clips, in one order, and how many clips only one of the
    files has.
    """

    a: Answers
    b: Answers
    only_in_a: int
    only_in_b: int


def join_answers(a: Answers, b: Answers) -> Joined:
    """Put ``a`` and ``b`` together clip by clip: by id, or, where a file only numbers its clips, by
    place.

    Raises:
        DataError: if their classes differ, no clip is in both, a clip has another true class in
            each, or, without ids, the true classes are not the same in the same order.
    """
    if len(a.labels) != len(b.labels):
        raise DataError(
            f"{a.source} has {len(a.labels)} classes, {b.source} has {len(b.labels)}; compare"
            " models of the same classes"
        )
    if a.labels != b.labels:
        place = next(
            index
            for index, pair in enumerate(zip(a.labels, b.labels, strict=True))
            if pair[0] != pair[1]
        )
        raise DataError(
            f"class {place} is {a.labels[place]!r} in {a.source} and {b.labels[place]!r} in"
            f" {b.source}; give both the label file they were made with"
        )
    if a.numbered or b.numbered:
        if not np.array_equal(a.truth, b.truth):
            raise DataError(
                f"{a.source} and {b.source}: one has no clip ids, and their true classes are not"
                " the same in the same order"
            )
        return Joined(a, b, 0, 0)
    places = {id: row for row, id in enumerate(b.ids)}
    both = np.array([row for row, id in enumerate(a.ids) if id in places], dtype=np.int64)
    if len(both) == 0:
        raise DataError(f"{a.source} and {b.source} have no clip in common")
    one, other = a.take(both), b.take(np.array([places[a.ids[row]] for row in both]))
    if (wrong := np.flatnonzero(one.truth != other.truth)).size:
        raise DataError(
            f"{len(wrong)} clips have another true class in {a.source} than in {b.source}, the"
            f" first is {one.ids[wrong[0]]!r}"
        )
    return Joined(one, other, len(a.ids) - len(both), len(b.ids) - len(both))
