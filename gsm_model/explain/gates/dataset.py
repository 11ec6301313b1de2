"""What the temporal modules do over a data set, in one pass: each layer's gates, regimes, variance
and energy shares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from gsm_model.errors import DataError
from gsm_model.evaluation.dataset import ClipSet, batches
from gsm_model.evaluation.intervals import measure_mean
from gsm_model.explain.gates.adaptivity import ADAPTIVE, LEVELS, GateMoments, decompose
from gsm_model.explain.gates.layers import (
    DIRECTIONS,
    REGIME_EDGES,
    REGIMES,
    LayerExchange,
    LayerGates,
)
from gsm_model.explain.gates.report import gates_of_batch, record_routing
from gsm_model.io.tables import read_table, write_table
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import Provenance

BINS = np.linspace(-1, 1, 81)
BATCH_CLIPS = 20
ALL_LAYERS = "all"


@dataclass(frozen=True)
class DataGates:
    """What the L temporal layers of one model do with n clips of T frames, summed up.

    ``labels`` (n,) are the clips' classes, ``shares`` (n, L, 4) float64 where each clip's energy
    goes (the order is that of `Shares`). ``moments`` is what the variance of the gates is made of
    and ``histogram`` (L, 2, 80) int64 counts gate values between `BINS`; both are ``None`` for a
    model without gates. ``undecodable`` clips could not be read and are in none of these.
    """

    origin: Provenance
    layers: tuple[str, ...]
    titles: tuple[str, ...]
    channels: tuple[float, ...]
    reach: tuple[tuple[int, int], ...]
    labels: np.ndarray
    moments: GateMoments | None
    shares: np.ndarray
    histogram: np.ndarray | None
    undecodable: int


def gates_of_clips(
    model: Recognizer, clip_set: ClipSet, progress: Callable[[int, int], None] | None = None
) -> DataGates:
    """Run ``model`` over ``clip_set`` once and sum up what its temporal layers do; of each clip a
    few numbers a layer are kept in memory.

    Raises:
        DataError: if no clip could be read.
    """
    labels: list[int] = []
    moments: list[GateMoments] = []
    shares: list[np.ndarray] = []
    histogram: np.ndarray | None = None
    layers: tuple[LayerExchange, ...] = ()
    done = 0
    for batch in batches(model, clip_set, 0, BATCH_CLIPS):
        done += len(batch.ids)
        if batch.clips is not None:
            with (
                device_turn(batch.clips.device),
                torch.inference_mode(),
                record_routing(model) as found,
            ):
                model(batch.clips)
            for layers in gates_of_batch(model, found):
                shares.append(_shares(layers))
                if all(layer.is_gated for layer in layers):
                    moments.append(GateMoments.of_maps([layer.maps for layer in layers]))
                    counts = _counts(layers)
                    histogram = counts if histogram is None else histogram + counts
            labels += batch.labels[batch.rows].tolist()
        if progress is not None:
            progress(done, len(clip_set.ids))
    if not labels:
        raise DataError(f"{clip_set.origin.data}: no clip could be read")
    return DataGates(
        clip_set.origin,
        tuple(layer.name for layer in layers),
        tuple(layer.title for layer in layers),
        tuple(_channels(layer) for layer in layers),
        tuple(layer.reach for layer in layers),
        np.array(labels),
        _joined(moments),
        np.stack(shares),
        histogram,
        done - len(labels),
    )


def _counts(layers: Sequence[LayerExchange]) -> np.ndarray:
    """(L, 2, 80): how often each layer's and direction's gates lie between `BINS`."""
    return np.stack(
        [[np.histogram(gate, BINS)[0] for gate in layer.maps.swapaxes(0, 1)] for layer in layers]
    )


def _channels(layer: LayerExchange) -> float:
    return layer.channels if isinstance(layer, LayerGates) else 0.0


def _joined(moments: Sequence[GateMoments]) -> GateMoments | None:
    if not moments:
        return None
    return GateMoments(
        np.concatenate([m.frame_means for m in moments]),
        np.concatenate([m.mean_squares for m in moments]),
    )


def _shares(layers: Sequence[LayerExchange]) -> np.ndarray:
    return np.array(
        [[s.stays, s.next, s.previous, s.lost] for s in (layer.shares() for layer in layers)]
    )


def data_gates_table(gates: DataGates) -> list[dict]:
    """One row for all layers together, then one a layer and direction.

    ``gate_mean`` and ``adaptivity`` are plain means and deviations of gate values; ``variance_…``
    split the variance by level (between layers and directions only in the first row);
    ``difference``, ``leave``, ``average`` and ``swap`` are shares of gate values parted at
    `REGIME_EDGES`; ``stays``, ``arrives`` (by this direction) and ``lost`` are energy shares of the
    layer, means over clips with 95 % intervals; ``frame_means`` and ``histogram`` are lists. What
    is of gates is ``None`` for a model without any.
    """
    rows = [_row(gates, ALL_LAYERS, slice(None), slice(None))]
    for index in range(len(gates.layers)):
        rows += [
            _row(gates, gates.layers[index], slice(index, index + 1), slice(way, way + 1))
            for way in range(2)
        ]
    return rows


def _row(gates: DataGates, name: str, layer: slice, way: slice) -> dict:
    single = name != ALL_LAYERS
    share = gates.shares[:, layer].mean(1)
    arrives = share[:, 1 + way.start] if single else share[:, 1] + share[:, 2]
    row = {
        "layer": name,
        "title": gates.titles[layer.start] if single else ALL_LAYERS,
        "direction": DIRECTIONS[way.start] if single else "both",
        "channels": gates.channels[layer.start] if single else float(np.mean(gates.channels)),
        "reach_back": gates.reach[layer][-1][0],
        "reach_ahead": gates.reach[layer][-1][1],
        **_of_gates(gates, single, layer, way),
    }
    for key, values in (("stays", share[:, 0]), ("arrives", arrives), ("lost", share[:, 3])):
        measure = measure_mean(key, values, gates.origin.data)
        row |= {key: measure.value, f"{key}_low": measure.low, f"{key}_high": measure.high}
    return row | {
        "n": len(gates.labels),
        "model": gates.origin.model,
        "checkpoint": gates.origin.checkpoint,
        "data": gates.origin.data,
        **_lists(gates, layer, way),
    }


def _of_gates(gates: DataGates, single: bool, layer: slice, way: slice) -> dict:
    """Mean, deviation, variance by level, regimes of the gates; ``None`` where there are none."""
    if gates.moments is None or gates.histogram is None:
        names = ("gate_mean", "adaptivity", *(f"variance_{level}" for level in LEVELS), *REGIMES)
        return dict.fromkeys(names)
    moments = GateMoments(
        gates.moments.frame_means[:, layer, way], gates.moments.mean_squares[:, layer, way]
    )
    variance = decompose(moments, gates.labels)
    counts = gates.histogram[layer, way]
    # Layers count the same whatever their size.
    regimes = np.mean(
        [histogram_regimes(histogram) for histogram in counts.reshape(-1, counts.shape[-1])], axis=0
    )
    found = {
        "gate_mean": float(moments.frame_means.mean()),
        "adaptivity": variance.adaptivity,
        **{
            f"variance_{level}": value
            for level, value in variance.levels.items()
            if not single or level in ADAPTIVE
        },
        **dict(zip(REGIMES, regimes.tolist(), strict=True)),
    }
    return found | ({"variance_layer": None, "variance_direction": None} if single else {})


def _lists(gates: DataGates, layer: slice, way: slice) -> dict[str, list]:
    if gates.moments is None or gates.histogram is None:
        return {"frame_means": [], "histogram": []}
    return {
        "frame_means": gates.moments.frame_means[:, layer, way].mean((0, 1, 2)).tolist(),
        "histogram": gates.histogram[layer, way].sum((0, 1)).tolist(),
    }


def histogram_regimes(
    histogram: np.ndarray, edges: tuple[float, float, float] = REGIME_EDGES
) -> np.ndarray:
    """`regime_shares` of values that were counted between `BINS`: (80,) counts → (4,) float64.
    ``edges`` are rounded to the bins' (0.025).
    """
    counts = np.bincount(
        np.searchsorted(np.asarray(edges) + 1e-9, BINS[:-1] + 2e-9, side="right"),
        weights=histogram,
        minlength=len(REGIMES),
    )
    return counts / max(histogram.sum(), 1)


def write_data_gates(gates: DataGates, path: Path) -> None:
    """Write `data_gates_table` as parquet, with what it is of in its metadata; the file appears
    whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    about = asdict(gates.origin) | {"undecodable": gates.undecodable, "regime_edges": REGIME_EDGES}
    write_table(pa.Table.from_pylist(data_gates_table(gates)), about, path)


def read_data_gates(path: Path, name: str = "") -> list[dict]:
    """The rows that `write_data_gates` wrote.

    Raises:
        DataError: if the file is missing, damaged, or no such table.
    """
    try:
        rows = read_table(path).to_pylist()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"{name or path.name}: not a table of gates ({type(error).__name__}); write one with"
            " 'explain gates --data'"
        ) from None
    wanted = {"layer", "direction", "gate_mean", "checkpoint", "histogram", "n"}
    if not rows or not wanted <= set(rows[0]) or rows[0]["layer"] != ALL_LAYERS:
        raise DataError(
            f"{name or path.name}: not a table of gates; write one with 'explain gates --data'"
        )
    return rows


def data_means(rows: Sequence[dict], model: Recognizer) -> dict[str, np.ndarray]:
    """Each layer's mean gate over a data set, layer name → (2,) float32: what the clamp *data mean*
    holds the gates of ``model`` at.

    Raises:
        DataError: if ``rows`` are of another checkpoint, or of a model without gates.
    """
    if rows[0]["checkpoint"] != model.card.sha256:
        raise DataError(
            f"the table of gates is of {rows[0]['model']}, not of {model.card.name}"
            f" ({model.card.file}); measure that one's"
        )
    if rows[0]["gate_mean"] is None:
        raise DataError(f"{model.card.name} has no gates, so there is no mean to hold them at")
    means: dict[str, list[float]] = {}
    for row in rows:
        if row["layer"] != ALL_LAYERS:
            means.setdefault(row["layer"], []).append(row["gate_mean"])
    return {name: np.array(values, np.float32) for name, values in means.items()}
