"""Slices of a data set: clips by how long, bright or lively they are, how sure the models are of
them and where they are from. On which of them is a model right, and does B beat A?

Slices of one property share no clip. All slices of all properties are one family of tests
(`compare` corrects for their number), so that looking at many properties finds no more by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from gsm_model.confusion.significance import Comparison, compare
from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.models.card import Measure
from gsm_model.predictions.delimited import open_sheet, plain_head
from gsm_model.predictions.files import read_text
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import LOCATION, Predictions, softmax

PARTS = 4  # slices of a number
MOST_VALUES = 8  # slices of a text; the rest are one
REST = "all others"
MAX_PROPERTIES = 20
CONFIDENCE = "confidence"


@dataclass(frozen=True)
class Slice:
    """The clips ``mask`` (n,) bool whose property ``by`` is as ``name`` says."""

    by: str
    name: str
    mask: np.ndarray

    @property
    def title(self) -> str:
        """The property and its values."""
        return f"{self.by}: {self.name}"


@dataclass(frozen=True)
class SliceResult:
    """What the models make of a slice: the accuracy of A and, with two models, of B, with Wilson's
    95 % intervals, and whether the difference is real.
    """

    by: str
    name: str
    accuracy: tuple[Measure, ...]
    comparison: Comparison | None

    @property
    def b_beats_a(self) -> bool:
        """Whether B is right on more clips, and that is not chance (5 %, after Holm)."""
        one = self.comparison
        return one is not None and one.difference > 0 and one.p_holm < 0.05


def clip_properties(models: Sequence[Predictions]) -> dict[str, np.ndarray]:
    """What is known of the clips of one model's or two joined models' tables, name → (n,), float64
    or text.

    *length* is in seconds, where all clips' are known, else in frames. *source* is the file of a
    clip where files hold several clips, else the folder that it lies in, by its file or its id.
    *confidence* is the probability of the predicted class, of two models the mean of theirs: in a
    slice by one model's confidence alone the other would look better than it is where that one is
    unsure, and worse where it is sure. Other properties are as in the tables, A's before B's.
    """
    known: dict[str, np.ndarray] = {}
    for model in models:
        known = {**model.properties, **known}
    found: dict[str, np.ndarray] = {}
    for name in ("seconds", "frames"):
        values = known.get(name)
        if values is not None and _is_number(values) and np.isfinite(values).all():
            found["length"] = values
            break
    for name, values in known.items():
        if name not in (*LOCATION, "seconds", "frames"):
            found[name] = values
    if all(model.scores is not None for model in models):
        sure = [softmax(model.require_scores()).max(axis=1) for model in models]
        found[CONFIDENCE] = np.mean(sure, axis=0)
    if "source" not in found:
        found["source"] = _sources(models[0], known.get("file"))
    return found


def _is_number(values: np.ndarray) -> bool:
    return bool(np.issubdtype(values.dtype, np.number))


def _sources(model: Predictions, files: np.ndarray | None) -> np.ndarray:
    named = files is not None and not _is_number(files) and all(files.tolist())
    names = files.tolist() if files is not None and named else list(model.ids)
    if named and len(set(names)) < len(names):
        return np.array(names, dtype=object)
    return np.array([PurePosixPath(name).parent.as_posix() for name in names], dtype=object)


def slices(models: Sequence[Predictions]) -> list[Slice]:
    """The clips of one model's or two joined models' tables by each of `clip_properties`.

    A number is cut at its quartiles into four parts of as many clips as ties allow; a text has a
    slice for each of its eight commonest values and one for all others. Clips whose property is
    not known are in none of its slices; a property that is the same for all clips has none.
    """
    found = []
    for by, values in clip_properties(models).items():
        parts = _numbers(values, by, models) if _is_number(values) else _texts(values)
        if len(parts) > 1:
            found += [Slice(by, name, mask) for name, mask in parts]
    return found


def _numbers(
    values: np.ndarray, by: str, models: Sequence[Predictions]
) -> list[tuple[str, np.ndarray]]:
    known = np.isfinite(values)
    if not known.any():
        return []
    inner = np.quantile(values[known], np.arange(1, PARTS) / PARTS)
    part = np.searchsorted(inner, values, side="left")
    unit = _unit(values, by, models)
    found = []
    for number in range(PARTS):
        mask = known & (part == number)
        if mask.any():
            ends = _written(values[mask].min()), _written(values[mask].max())
            found.append((" to ".join(dict.fromkeys(ends)) + unit, mask))
    # Parts that are written alike are distinguished by their place.
    names = Counter(name for name, _ in found)
    return [
        (name if names[name] == 1 else f"{name} ({place} of {len(found)})", mask)
        for place, (name, mask) in enumerate(found, start=1)
    ]


def _unit(values: np.ndarray, by: str, models: Sequence[Predictions]) -> str:
    if by != "length":
        return ""
    seconds = any(model.properties.get("seconds") is values for model in models)
    return " s" if seconds else " frames"


def _written(value: float) -> str:
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"


def _texts(values: np.ndarray) -> list[tuple[str, np.ndarray]]:
    counts = Counter(text for text in values.tolist() if text)
    if len(counts) > len(values) / 2:  # nearly every clip has one of its own
        return []
    common = sorted(counts, key=lambda text: (-counts[text], text))[:MOST_VALUES]
    found = [(text, values == text) for text in common]
    rest = ~np.isin(values, common) & (values != "")
    return [*found, (REST, rest)] if rest.any() else found


def measure_slices(
    models: Sequence[Predictions],
    paired: PairedPredictions | None = None,
    blocks: Sequence[str] | None = None,
    seed: int = 0,
) -> list[SliceResult]:
    """Every one of the `slices` of ``models``, with two that are ``paired`` compared by `compare`
    (McNemar's exact test, Holm over all slices of all properties; ``blocks`` and ``seed`` as
    there).

    Raises:
        DataError: if the clips have no property to slice them by.
        ValueError: if ``models`` have other clips than ``paired``; take its ``a`` and ``b``.
    """
    if paired is not None and any(model.ids != models[0].ids for model in (paired.a, *models)):
        raise ValueError("models of other clips than the pair's; give its a and b")
    parts = slices(models)
    if not parts:
        raise DataError(
            "nothing is known of these clips that differs between them; write the tables with"
            " 'evaluate', or give --properties"
        )
    rows: list[Comparison | None] = [None] * len(parts)
    if paired is not None:
        rows[:] = compare(paired, {part.title: part.mask for part in parts}, blocks, seed)[1:]
    return [
        SliceResult(part.by, part.name, tuple(_accuracy(model, part) for model in models), row)
        for part, row in zip(parts, rows, strict=True)
    ]


def _accuracy(model: Predictions, part: Slice) -> Measure:
    return measure_share(
        "top-1", int(model.right[part.mask].sum()), int(part.mask.sum()), model.data
    )


def slice_rows(results: Sequence[SliceResult]) -> list[dict[str, object]]:
    """One row a slice: the property, its values, how many clips, accuracies with their intervals,
    and with two models the columns of `Comparison` and whether B beats A.
    """
    rows = []
    for one in results:
        row: dict[str, object] = {"by": one.by, "slice": one.name, "n": one.accuracy[0].n}
        for letter, share in zip("ab", one.accuracy, strict=False):
            row |= {
                f"accuracy_{letter}": share.value,
                f"low_{letter}": share.low,
                f"high_{letter}": share.high,
            }
        if one.comparison is not None:
            told = asdict(one.comparison)
            row |= {key: told[key] for key in told if key not in ("name", "n", *row)}
            row["b_beats_a"] = one.b_beats_a
        rows.append(row)
    return rows


def read_properties(
    path: Path, models: Sequence[Predictions], name: str = ""
) -> dict[str, np.ndarray]:
    """Properties of the clips of ``models`` from a table of text: a column of clips (*id*, *clip*,
    …, or the first) and one a property; numbers where all its cells are, else text. ``name`` is
    what messages call the file.

    Raises:
        DataError: if it is no such table, or has no property of any of the clips.
    """
    name = name or path.name
    sheet = open_sheet(read_text(path, name).text, name)
    ids = [place for place, head in enumerate(sheet.heads) if plain_head(head) in _IDS]
    at = ids[0] if ids else 0
    heads = {place: head for place, head in enumerate(sheet.heads) if place != at and head}
    if not heads or len(heads) > MAX_PROPERTIES:
        raise DataError(
            f"{name}: has {len(heads)} columns beside the clips; give an id and 1 to"
            f" {MAX_PROPERTIES} properties"
        )
    cells = {row[at].strip(): row for _, row in sheet.rows}
    wanted = models[0].ids
    if not any(id in cells for id in wanted):
        first = next(iter(cells), "")
        raise DataError(
            f"{name}: has none of the clips; they are called as {wanted[0]!r}, its own as {first!r}"
        )
    return {
        head: _column(
            [cells[id][place].strip() if id in cells else "" for id in wanted], sheet.separator
        )
        for place, head in heads.items()
    }


_IDS = frozenset(("id", "clip", "clipid", "video", "videoid", "name", "file", "filename", "path"))


def _column(cells: list[str], separator: str) -> np.ndarray:
    plain = cells if separator == "," else [cell.replace(",", ".") for cell in cells]
    try:
        return np.array([float(cell) if cell else np.nan for cell in plain], np.float64)
    except ValueError:
        return np.array(cells, dtype=object)


def with_properties(
    models: Sequence[Predictions], properties: Mapping[str, np.ndarray]
) -> list[Predictions]:
    """``models`` with ``properties`` of their clips, in their order, before their own."""
    return [replace(one, properties={**one.properties, **properties}) for one in models]
