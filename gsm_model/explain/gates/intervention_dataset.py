"""Experiments on gates over a data set: what each does to accuracy, against the same clips without
it, and which layer carries the order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from gsm_model.data.labels import reversed_classes
from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import Batch, ClipSet, batches
from gsm_model.evaluation.intervals import measure_change, measure_share
from gsm_model.evaluation.resumable import Parts
from gsm_model.explain.gates.interventions import FrameOrder, Intervention, intervene
from gsm_model.explain.gates.report import Routed, record_routing
from gsm_model.io.tables import list_column, list_values, read_table, what_table_says, write_table
from gsm_model.models.card import Measure
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import Provenance

NONE = "none"
BLOCK_CLIPS = 40


@dataclass(frozen=True)
class InterventionOrigin:
    """What a table is of: model, data and classes, and the interventions by name, *none* first."""

    data: Provenance
    interventions: tuple[str, ...]


@dataclass(frozen=True)
class InterventionTable:
    """n clips under M interventions: ``answers`` (n, M) int64 class indices, ``margins`` (n, M)
    float32 logits.

    A margin is the score of the clip's class less that of its time reversal, NaN where that is not
    among the classes. Clips with an error have the answer −1.
    """

    origin: InterventionOrigin
    ids: tuple[str, ...]
    labels: np.ndarray
    answers: np.ndarray
    margins: np.ndarray
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """What one intervention does on a data set: top-1 and within-pair accuracy, and the change of
    each against no intervention on the same clips. The within-pair figures are ``None`` where no
    class has its time reversal among the classes."""

    name: str
    top1: Measure
    top1_change: Measure
    within_pair: Measure | None
    within_pair_change: Measure | None


def run_interventions(
    model: Recognizer,
    clip_set: ClipSet,
    plan: Mapping[str, Intervention | FrameOrder],
    out: Path,
    progress: Callable[[int, int], None] | None = None,
) -> InterventionTable:
    """Score ``clip_set`` without and with every intervention, and in every order of frames, of
    ``plan`` and write the table to ``out`` (parquet).

    *other clip* takes the gates of the clip before in its block of 40 (the first, those of the
    last). A run that was stopped goes on where it was; a clip that cannot be read is a row with its
    error. Interventions that come to the same are run once.

    Raises:
        DataError: if no clip could be read, or parts of another run are in the way.
    """
    origin = InterventionOrigin(clip_set.origin, (NONE, *plan))
    parts = Parts(out, origin, clip_set.ids, read_interventions, write_interventions)
    reverses = reversed_classes(clip_set.origin.labels)
    for batch in batches(model, clip_set, parts.done, BLOCK_CLIPS):
        scores = _scores(model, batch, plan, _within(progress, parts.done, batch, clip_set))
        parts.add(_part(origin, batch, scores, reverses))
        if progress is not None:
            progress(parts.done, len(clip_set.ids))
    whole = _join(origin, parts.finished)
    if all(whole.errors):
        raise DataError(f"{clip_set.origin.data}: no clip could be read")
    return parts.close(whole)


def _within(
    progress: Callable[[int, int], None] | None, done: int, batch: Batch, clip_set: ClipSet
) -> Callable[[float], None]:
    """``tell(share)``: how much of the batch behind ``done`` clips is done, in clips. A block takes
    many passes, between which a person may want to stop.
    """
    told = done

    def tell(share: float) -> None:
        nonlocal told
        now = done + int(share * len(batch.ids))
        if progress is not None and told < now < done + len(batch.ids):
            told = now
            progress(now, len(clip_set.ids))

    return tell


def _scores(
    model: Recognizer,
    batch: Batch,
    plan: Mapping[str, Intervention | FrameOrder],
    tell: Callable[[float], None],
) -> np.ndarray:
    """Logits (m, M, K) of the batch's m readable clips; ``tell`` is told the share that is done."""
    if batch.clips is None:
        return np.empty((0, len(plan) + 1, model.architecture.num_classes), np.float32)
    device = batch.clips.device
    done: dict[tuple, np.ndarray] = {}
    with device_turn(device), torch.inference_mode():
        scores, before = _unchanged(model, batch.clips, plan)
    for number, one in enumerate(plan.values(), start=1):
        if isinstance(one, Intervention) and one.clamp == "other clip":
            one = replace(one, values=before)
        same = one.positions if isinstance(one, FrameOrder) else _what_it_does(model, one)
        if same not in done:
            with device_turn(device), torch.inference_mode():
                done[same] = _changed(model, batch.clips, one)
        scores.append(done[same])
        tell(number / len(plan))
    return np.stack(scores, axis=1)


def _changed(model: Recognizer, clips: Tensor, one: Intervention | FrameOrder) -> np.ndarray:
    """The logits (m, K) under one intervention, or in one order of frames."""
    if isinstance(one, FrameOrder):
        return model(clips[:, list(one.positions)]).float().cpu().numpy()
    with intervene(model, one):
        return model(clips).float().cpu().numpy()


def _unchanged(
    model: Recognizer, clips: Tensor, plan: Mapping[str, Intervention | FrameOrder]
) -> tuple[list[np.ndarray], dict[str, Tensor]]:
    """The logits without an intervention, and for each clip the gates of the one before it, where
    an intervention wants them.
    """
    given = [one for one in plan.values() if isinstance(one, Intervention)]
    if not any(one.clamp == "other clip" for one in given):
        return [model(clips).float().cpu().numpy()], {}
    with record_routing(model) as found:
        scores = [model(clips).float().cpu().numpy()]
    gated = {name: routed for name, routed in found.items() if isinstance(routed, Routed)}
    return scores, {name: routed.gate.roll(1, 0) for name, routed in gated.items()}


def _what_it_does(model: Recognizer, intervention: Intervention) -> tuple:
    every = tuple(layer.name for layer in model.temporal_layers() if layer.module is not None)
    layers = every if intervention.layers is None else intervention.layers
    return intervention.clamp, frozenset(layers), intervention.directions, intervention.seed


def _part(
    origin: InterventionOrigin, batch: Batch, scores: np.ndarray, reverses: np.ndarray
) -> InterventionTable:
    n, m = len(batch.ids), len(origin.interventions)
    answers, margins = np.full((n, m), -1, np.int64), np.full((n, m), np.nan, np.float32)
    labels = batch.labels[batch.rows]
    answers[batch.rows] = scores.argmax(2)
    own = np.take_along_axis(scores, labels[:, None, None], 2)[..., 0]
    others = np.take_along_axis(scores, np.maximum(reverses[labels], 0)[:, None, None], 2)[..., 0]
    margins[batch.rows] = np.where(reverses[labels, None] >= 0, own - others, np.nan)
    return InterventionTable(origin, batch.ids, batch.labels, answers, margins, batch.errors)


def _join(origin: InterventionOrigin, parts: Sequence[InterventionTable]) -> InterventionTable:
    return InterventionTable(
        origin,
        tuple(id for part in parts for id in part.ids),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.answers for part in parts]),
        np.concatenate([part.margins for part in parts]),
        tuple(error for part in parts for error in part.errors),
    )


def effects(table: InterventionTable) -> list[Effect]:
    """The effect of every intervention, *none* first (its changes are 0), of the clips that were
    read.
    """
    rows = np.array([not error for error in table.errors])
    data = table.origin.data.data
    right = table.answers[rows] == table.labels[rows, None]
    margins = table.margins[rows]
    paired = margins[np.isfinite(margins[:, 0])] > 0

    def figures(holds: np.ndarray, column: int, name: str) -> tuple[Measure, Measure]:
        now = holds[:, column]
        return measure_share(name, int(now.sum()), len(now), data), measure_change(
            f"{name} change", holds[:, 0], now, data
        )

    found = []
    for column, name in enumerate(table.origin.interventions):
        within = figures(paired, column, "within pair") if len(paired) else (None, None)
        found.append(Effect(name, *figures(right, column, "top-1"), *within))
    return found


def effects_table(table: InterventionTable) -> list[dict]:
    """`effects` as rows: each figure with the ends of its 95 % interval, and what it is of."""
    rows = []
    for effect in effects(table):
        row: dict = {"intervention": effect.name}
        for key in ("top1", "top1_change", "within_pair", "within_pair_change"):
            measure = getattr(effect, key)
            values = (
                (None, None, None)
                if measure is None
                else (measure.value, measure.low, measure.high)
            )
            row |= dict(zip((key, f"{key}_low", f"{key}_high"), values, strict=True))
        row |= {
            "n": effect.top1.n,
            "n_within_pair": effect.within_pair.n if effect.within_pair else 0,
        }
        origin = table.origin.data
        rows.append(
            row | {"model": origin.model, "checkpoint": origin.checkpoint, "data": origin.data}
        )
    return rows


def write_interventions(table: InterventionTable, path: Path) -> None:
    """Write ``table``; the file appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    columns = {
        "id": pa.array(table.ids, pa.string()),
        "label": pa.array(table.labels, pa.int64()),
        "answers": list_column(table.answers.astype(np.int32)),
        "margins": list_column(table.margins.astype(np.float32)),
        "error": pa.array(table.errors, pa.string()),
    }
    write_table(pa.table(columns), asdict(table.origin), path)


def read_interventions(path: Path, name: str = "") -> InterventionTable:
    """Read a table that `write_interventions` wrote.

    Raises:
        DataError: if the file is missing, damaged, or no such table.
    """
    try:
        table = read_table(path)
        about = what_table_says(table)
        origin = Provenance(**{**about["data"], "labels": tuple(about["data"]["labels"])})
        names = tuple(about["interventions"])
        answers, margins = (
            list_values(table, column, len(names)) for column in ("answers", "margins")
        )
        ids, errors = (tuple(table[column].to_pylist()) for column in ("id", "error"))
        labels = table["label"].to_numpy().astype(np.int64)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise DataError(
            f"{name or path.name}: not a table of interventions ({type(error).__name__}); write one"
            " with 'explain interventions'"
        ) from None
    return InterventionTable(
        InterventionOrigin(origin, names),
        ids,
        labels,
        answers.astype(np.int64),
        margins.astype(np.float32),
        errors,
    )
