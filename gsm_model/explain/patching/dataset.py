"""Patching between clips and their reversals over a data set, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from torch import Tensor

from gsm_model.data.labels import reversed_classes
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import Batch, ClipSet, batches, require_still_frames
from gsm_model.evaluation.resumable import Parts
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.patching.clips import (
    Align,
    ClipPair,
    Patching,
    passes_needed,
    patch,
)
from gsm_model.explain.patching.features import Side, places_of
from gsm_model.io.tables import list_column, list_values, read_table, what_table_says, write_table
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import Provenance

BLOCK_CLIPS = 10
DRAWS = 2000
NO_PAIR = "its class has no time reversal among the classes"


@dataclass(frozen=True)
class PatchOrigin:
    """What a table is of: model, data and classes, the L ``layers`` and T ``frames``, what was
    copied in truth (``side``) and how frames correspond.
    """

    data: Provenance
    layers: tuple[str, ...]
    frames: int
    side: Side
    align: Align
    exact: bool


@dataclass(frozen=True)
class PatchTable:
    """n clips: ``gaps`` (n,) float64, in logits, from the clip to its reversal, of the class less
    its reversed class; by how much each copy changes that difference, estimated (n, L, T), exact
    (n, L, T) and with all frames of a layer (n, L), float32, NaN where that was not done.
    ``errors`` say why a clip has no numbers.
    """

    origin: PatchOrigin
    ids: tuple[str, ...]
    gaps: np.ndarray
    estimated: np.ndarray
    exact: np.ndarray
    whole: np.ndarray
    errors: tuple[str, ...]


@dataclass(frozen=True)
class MeanEffects:
    """Effects on a data set of ``n`` clips: how far the difference of logits goes, all clips'
    changes together over all their gaps, with the 2.5th and 97.5th percentile of 2,000 draws of
    clips. ``values``, ``low`` and ``high`` (L, T), those of ``whole`` (L,). ``moves`` is false
    where the clips and their reversals give the same; all effects are then 0.
    """

    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    whole_low: np.ndarray
    whole_high: np.ndarray
    n: int
    moves: bool
    is_exact: bool


def run_patching(
    model: Recognizer,
    clip_set: ClipSet,
    out: Path,
    side: Side = "after",
    align: Align = "place",
    exact: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> PatchTable:
    """Copy features of every clip's reversal into it and write the table to ``out`` (parquet);
    without ``exact`` all frames of a layer at once, and single frames by the estimate of one
    backward pass.

    A run that was stopped goes on where it was; a clip that cannot be read, or whose class has no
    time reversal, is a row with its reason.

    Raises:
        DataError: if no clip could be used, the model sees motion between frames, or parts of
            another run are in the way.
        ValueError: for a side that the model has not.
    """
    require_still_frames(model, "patching over a data set")
    places = places_of(model)
    if side not in places.sides:
        raise ValueError(
            f"{model.card.name} has nothing called {side!r}; it has {', '.join(places.sides)}"
        )
    t = model.architecture.num_segments
    origin = PatchOrigin(clip_set.origin, places.layers, t, side, align, exact)
    parts = Parts(out, origin, clip_set.ids, read_patching, write_patching)
    reverses = reversed_classes(clip_set.origin.labels)
    for batch in batches(model, clip_set, parts.done, BLOCK_CLIPS):
        parts.add(_part(model, origin, batch, reverses))
        if progress is not None:
            progress(parts.done, len(clip_set.ids))
    whole = _join(origin, parts.finished)
    if all(whole.errors):
        raise DataError(f"{clip_set.origin.data}: no clip could be used ({whole.errors[0]})")
    return parts.close(whole)


def cost_of_clip(model: Recognizer, exact: bool = True) -> int:
    """About how many forward passes each clip of `run_patching` takes."""
    layers, t = len(places_of(model).layers), model.architecture.num_segments
    return passes_needed(layers, t, cells=None if exact else 0)


def _part(model: Recognizer, origin: PatchOrigin, batch: Batch, reverses: np.ndarray) -> PatchTable:
    n, shape = len(batch.ids), (len(origin.layers), origin.frames)
    gaps = np.full(n, np.nan)
    estimated, exact = np.full((2, n, *shape), np.nan, np.float32)
    whole = np.full((n, shape[0]), np.nan, np.float32)
    errors = list(batch.errors)
    for place, row in enumerate(batch.rows):
        label = int(batch.labels[row])
        if reverses[label] < 0:
            errors[row] = NO_PAIR
            continue
        assert batch.clips is not None
        found = _of_clip(model, batch.clips[place], Target(label, int(reverses[label])), origin)
        gaps[row] = found.gap
        scale = found.gap if found.moves else 0.0
        estimated[row] = found.attribution[origin.side] * scale
        exact[row] = found.exact[origin.side] * scale
        whole[row] = found.whole[origin.side] * scale
    return PatchTable(origin, batch.ids, gaps, estimated, exact, whole, tuple(errors))


def _of_clip(model: Recognizer, clip: Tensor, target: Target, origin: PatchOrigin) -> Patching:
    pair = ClipPair(clip, clip.flip(0), np.arange(len(clip)))
    cells = None if origin.exact else 0
    return patch(model, pair, target, origin.align, (origin.side,), cells)


def _join(origin: PatchOrigin, parts: Sequence[PatchTable]) -> PatchTable:
    return PatchTable(
        origin,
        tuple(id for part in parts for id in part.ids),
        np.concatenate([part.gaps for part in parts]),
        np.concatenate([part.estimated for part in parts]),
        np.concatenate([part.exact for part in parts]),
        np.concatenate([part.whole for part in parts]),
        tuple(error for part in parts for error in part.errors),
    )


def mean_effects(table: PatchTable, exact: bool | None = None, seed: int = 0) -> MeanEffects:
    """The effects over the clips of ``table`` that have numbers: exact where it has them, unless
    ``exact`` is false.
    """
    rows = np.isfinite(table.gaps)
    is_exact = table.origin.exact if exact is None else exact
    gaps = table.gaps[rows]
    cells = (table.exact if is_exact else table.estimated)[rows].astype(np.float64)
    layers = table.whole[rows].astype(np.float64)
    n, size = len(gaps), cells[0].size
    changes = np.concatenate([cells.reshape(n, -1), layers, gaps[:, None]], axis=1)
    total = changes.sum(0)
    moves = bool(np.abs(gaps).max() > 1e-3 and abs(total[-1]) > 0)
    if not moves:
        none, no_layer = np.zeros(cells.shape[1:]), np.zeros(layers.shape[1:])
        return MeanEffects(none, none, none, no_layer, no_layer, no_layer, n, False, is_exact)
    rng = np.random.default_rng(seed)
    draws = np.stack([rng.multinomial(n, np.full(n, 1 / n)) @ changes for _ in range(DRAWS)])
    low, high = np.percentile(draws[:, :-1] / draws[:, -1:], [2.5, 97.5], axis=0)
    of_cells = [one[:size].reshape(cells.shape[1:]) for one in (total / total[-1], low, high)]
    of_layers = [one[size : size + layers.shape[1]] for one in (total / total[-1], low, high)]
    return MeanEffects(
        of_cells[0],
        of_cells[1],
        of_cells[2],
        of_layers[0],
        of_layers[1],
        of_layers[2],
        n,
        True,
        is_exact,
    )


def effect_rows(table: PatchTable) -> list[dict]:
    """`mean_effects` as rows: one a layer and frame, and one a layer with all frames (frame 0),
    each with its interval and what it is of; ``exact`` says whether it was patched or estimated.
    """
    found, origin = mean_effects(table), table.origin
    about = {
        "side": origin.side,
        "frames are those of the same": origin.align,
        "n": found.n,
        "moves": found.moves,
        "model": origin.data.model,
        "checkpoint": origin.data.checkpoint,
        "data": origin.data.data,
    }
    rows = []
    for at, layer in enumerate(origin.layers):
        cells = [(0, found.whole[at], found.whole_low[at], found.whole_high[at])]
        cells += [
            (frame + 1, found.values[at, frame], found.low[at, frame], found.high[at, frame])
            for frame in range(origin.frames)
        ]
        for frame, value, low, high in cells:
            rows.append(
                {
                    "layer": layer,
                    "frame": frame,
                    "exact": found.is_exact or frame == 0,
                    "effect": float(value),
                    "low": float(low),
                    "high": float(high),
                    **about,
                }
            )
    return rows


def write_patching(table: PatchTable, path: Path) -> None:
    """Write ``table``; the file appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    columns = {
        "id": pa.array(table.ids, pa.string()),
        "gap": pa.array(table.gaps, pa.float64()),
        "estimated": list_column(table.estimated),
        "exact": list_column(table.exact),
        "whole": list_column(table.whole),
        "error": pa.array(table.errors, pa.string()),
    }
    write_table(pa.table(columns), asdict(table.origin), path)


def read_patching(path: Path, name: str = "") -> PatchTable:
    """Read a table that `write_patching` wrote.

    Raises:
        DataError: if the file is missing, damaged, or no such table.
    """
    try:
        table = read_table(path)
        about = what_table_says(table)
        data = Provenance(**{**about["data"], "labels": tuple(about["data"]["labels"])})
        layers = tuple(about["layers"])
        origin = PatchOrigin(**{**about, "data": data, "layers": layers})
        shape = (len(layers), origin.frames)
        estimated, exact = (list_values(table, column, *shape) for column in ("estimated", "exact"))
        whole = list_values(table, "whole", len(layers))
        gaps = table["gap"].to_numpy().astype(np.float64)
        ids, errors = (tuple(table[column].to_pylist()) for column in ("id", "error"))
    except (OSError, KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise DataError(
            f"{name or path.name}: not a table of patching ({type(error).__name__}); write one with"
            " 'explain patching'"
        ) from None
    return PatchTable(origin, ids, gaps, estimated, exact, whole, errors)
