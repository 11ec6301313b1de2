"""Scores as the test programs of other projects write them: the GSM and TSN releases' ``.npz``,
SlowFast's pickle of ``[scores, labels]``, mmaction2's ``--dump``, old and new.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gsm_model.errors import DataError
from gsm_model.io.tables import check_archive
from gsm_model.io.unpickle import plain, unpickle
from gsm_model.predictions.classes import class_indices, spelling
from gsm_model.predictions.files import PredictionFile
from gsm_model.predictions.probabilities import logits_of
from gsm_model.predictions.table import Predictions, Provenance, checked

MAX_PICKLE_BYTES = 1_000_000_000
# What a dict of one clip calls its scores, its true class and itself; from mmaction2's versions.
SCORES = (
    *("pred_score", "pred_scores", "scores", "score", "logits", "probs", "probabilities"),
    *("preds", "predictions", "outputs", "output", "y_score"),
)
TRUTH = (
    *("gt_label", "gt_labels", "labels", "label", "targets", "target", "gt", "truth", "y_true"),
    *("true_labels", "ground_truth"),
)
IDS = ("frame_dir", "filename", "video_id", "id", "ids", "video_ids", "narration_id", "names")
_WRONG = (ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError, RecursionError)


class _Several(DataError):
    """A clip has more true classes than one."""


def read_scores(path: Path, labels: Sequence[str] | None = None, name: str = "") -> Predictions:
    """Read a score file of the GSM release's or the TSN release's (``--save_scores``): *scores*
    (n, …, K), averaged over all axes but the first and the last, or one array a clip with its true
    class, and *labels* (n,); *features* (n, D), if there are some, are kept. Clips are named by
    their place in it. ``labels`` names the classes, ``name`` is what messages call the file.

    Raises:
        DataError: if the file is none, holds objects that are no arrays, or its arrays do not fit
            each other or ``labels``.
    """
    name = name or path.name
    fault = f"{name}: not a score file with 'scores' and 'labels'"
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            stored = {Path(entry).stem for entry in archive.namelist()}
            scores, truth = (
                _member(archive, next(key for key in keys if key in stored), name)
                for keys in (SCORES, TRUTH)
            )
            features = _member(archive, "features", name) if "features" in stored else None
    except (
        *_WRONG,
        StopIteration,
        OSError,
        EOFError,
        SyntaxError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(f"{fault} ({type(error).__name__})") from None
    found = _predictions(scores, truth, None, labels, name, fault)
    return found if features is None else checked(_with_features(found, features, name), name)


def _with_features(found: Predictions, features: np.ndarray, name: str) -> Predictions:
    n = len(found.ids)
    if features.ndim != 2 or len(features) != n or not np.issubdtype(features.dtype, np.floating):
        raise DataError(f"{name}: 'features' {features.shape} do not fit; expected ({n}, D)")
    if not np.isfinite(features).all():
        raise DataError(f"{name}: some features are not finite")
    largest = np.finfo(np.float16).max
    return replace(found, features=np.clip(features, -largest, largest).astype(np.float16))


def _member(archive: zipfile.ZipFile, key: str, name: str) -> np.ndarray:
    """One array of an ``.npz``, with objects read as `unpickle` does."""
    content = io.BytesIO(archive.read(f"{key}.npy"))
    version = np.lib.format.read_magic(content)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, fortran, dtype = read[version](content)
    if dtype.hasobject:
        return np.asarray(unpickle(io.BytesIO(content.read()), name), dtype=object)
    values = np.frombuffer(content.read(), dtype)
    return values.reshape(shape, order="F" if fortran else "C")


def read_pickle(file: PredictionFile) -> Predictions:
    """Read a pickle of scores: SlowFast's two arrays, or mmaction2's list of a dict a clip.

    Raises:
        DataError: if it is damaged, names anything but arrays, or holds no scores with true
            classes.
    """
    name = file.name
    fault = (
        f"{name}: not a pickle of scores; expected [scores, labels] as SlowFast writes it, or"
        " mmaction2's --dump"
    )
    try:
        if file.path.stat().st_size > MAX_PICKLE_BYTES:
            raise DataError(f"{name}: more than the {MAX_PICKLE_BYTES / 1e9:.0f} GB that are read")
        with file.path.open("rb") as opened:
            content = unpickle(opened, name)
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})") from None
    try:
        scores, truth, ids = _parts(content, name)
    except _Several as error:
        raise DataError(f"{name}: {error}") from None
    except _WRONG as error:
        raise DataError(f"{fault} ({type(error).__name__})") from None
    return _predictions(scores, truth, ids, file.labels, name, fault)


def _parts(content: Any, name: str) -> tuple[Any, Any, list[str] | None]:
    """Scores, true classes and, if there are any, names of clips."""
    if isinstance(content, dict) and all(isinstance(key, str) for key in content):
        ids = next((plain(content[key]) for key in IDS if key in content), None)
        named = None if ids is None else [str(one) for one in ids]
        return _first(content, SCORES), _first(content, TRUTH), named
    if not isinstance(content, (list, tuple)) or not content:
        raise ValueError
    if all(isinstance(one, dict) for one in content):
        if not any(key in content[0] for key in TRUTH):
            raise DataError(
                f"{name}: its clips have no true class (gt_label); write it with a newer mmaction2,"
                " or bring a table with id, label and scores"
            )
        scores = [_item(_first(one, SCORES)) for one in content]
        truth = [_one(_item(_first(one, TRUTH))) for one in content]
        known = next((key for key in IDS if key in content[0]), None)
        ids = None if known is None else [str(one[known]) for one in content]
        return scores, truth, ids
    if len(content) == 2:
        return plain(content[0]), plain(content[1]), None
    if np.ndim(plain(content[0])) == 1:
        raise DataError(
            f"{name}: is a list of scores without true classes; bring a table with id, label and"
            " scores"
        )
    raise ValueError


def _first(one: dict, keys: Sequence[str]) -> Any:
    for key in keys:
        if key in one:
            return plain(one[key])
    raise KeyError(keys[0])


def _item(value: Any) -> Any:
    """What mmaction2 1.0 keeps in ``{"item": …}``."""
    return plain(value["item"]) if isinstance(value, dict) else value


def _one(value: Any) -> int:
    classes = np.ravel(np.asarray(value))
    if len(classes) != 1:
        raise _Several("a clip has several true classes, of which there may be one")
    if classes[0] != int(classes[0]):
        raise ValueError("a class that is no whole number")
    return int(classes[0])


def _predictions(
    scores: Any,
    truth: Any,
    ids: list[str] | None,
    labels: Sequence[str] | None,
    name: str,
    fault: str,
) -> Predictions:
    notes: list[str] = []
    try:
        if isinstance(scores, np.ndarray) and scores.dtype == object and scores.ndim == 2:
            own = [_one(row[1]) for row in scores]  # the TSN release's pairs
            if not np.array_equal(own, np.ravel(np.asarray(truth)).astype(np.int64)):
                raise DataError("has other true classes in 'scores' than in 'labels'")
            scores = [row[0] for row in scores]
        views, averaged = _averaged(scores)
        classes = np.asarray(truth)
        if classes.dtype == object:
            classes = np.array([_one(one) for one in classes], dtype=np.int64)
        if classes.ndim == 2 and classes.shape[1] == 1:
            classes = classes[:, 0]
        classes = _indices(classes, averaged, labels, notes)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except _WRONG as error:
        raise DataError(f"{fault} ({type(error).__name__})") from None
    if (
        averaged.ndim != 2
        or not averaged.size
        or classes.shape != (len(averaged),)
        or not np.issubdtype(classes.dtype, np.number)
        or (classes != np.round(classes)).any()
    ):
        raise DataError(
            f"{name}: 'scores' {averaged.shape} and 'labels' {classes.shape} do not fit; expected"
            " (n, 1, K) and (n,)"
        )
    n, k = averaged.shape
    names = tuple(labels if labels is not None else (f"class {index}" for index in range(k)))
    if len(names) != k:
        raise DataError(f"{name}: has {k} classes, but {len(names)} labels were given")
    if views != 1:
        notes.append(f"the {views} scores a clip are averaged")
    averaged = logits_of(averaged, name, notes)
    origin = Provenance(names, Path(name).stem, "", name, "", "forward", "as in the file")
    numbered = ids is None or len(set(ids)) != n
    found = Predictions(
        origin,
        tuple(map(str, range(n))) if ids is None or numbered else tuple(ids),
        classes.astype(np.int64),
        averaged,
        ("",) * n,
        numbered=numbered,
        source=name,
        notes=tuple(notes),
    )
    return checked(found, name)


def _indices(
    classes: np.ndarray, scores: np.ndarray, labels: Sequence[str] | None, notes: list[str]
) -> np.ndarray:
    """True classes (n,) as indices from 0: of names, of a one among zeros for each clip, and of
    indices from 1 where the last of them is the number of the classes.
    """
    if classes.dtype.kind in "US" and labels is not None:
        found, said = class_indices(
            {"labels": [spelling(str(one)) for one in classes.tolist()]}, labels, "labels"
        )
        notes += said
        return found["labels"]
    if classes.ndim == 2 and classes.shape == scores.shape and np.isin(classes, (0, 1)).all():
        if (classes.sum(axis=1) != 1).any():
            raise _Several("a clip has several true classes or none, of which there may be one")
        notes.append("the true class of a clip is the one of its row that is 1")
        return classes.argmax(axis=1)
    if (
        classes.ndim == 1
        and classes.size
        and scores.ndim == 2
        and np.issubdtype(classes.dtype, np.number)
        and (classes.min(), classes.max()) >= (1, 0)
        and classes.max() == scores.shape[1]
    ):
        notes.append("true classes are counted from 1: 1 is the model's class 0")
        return classes - 1
    return classes


def _averaged(scores: Any) -> tuple[str | int, np.ndarray]:
    """How many scores a clip has (*1*, *25*, *10 to 25*), and their averages, (n, K) float32."""
    if isinstance(scores, np.ndarray) and scores.dtype != object:
        if scores.ndim < 2 or not np.issubdtype(scores.dtype, np.number):
            raise ValueError("no scores")
        values = np.asarray(scores, np.float32).reshape(len(scores), -1, scores.shape[-1])
        return values.shape[1], values.mean(axis=1)
    parts = [np.asarray(plain(one), np.float32) for one in scores]
    rows = [part.reshape(-1, part.shape[-1]) for part in parts]
    if len({row.shape[1] for row in rows}) != 1:
        raise ValueError("clips of different numbers of classes")
    counts = sorted({len(row) for row in rows})
    views = counts[0] if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return views, np.stack([row.mean(axis=0) for row in rows])
