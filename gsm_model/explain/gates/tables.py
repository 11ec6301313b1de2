"""The gates of a clip as rows for a table, and as arrays for a file."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from gsm_model.explain.gates.adaptivity import ADAPTIVE, GateMoments, decompose
from gsm_model.explain.gates.layers import (
    DIRECTIONS,
    REGIMES,
    LayerExchange,
    LayerGates,
    regime_shares,
)
from gsm_model.explain.gates.report import GateReport


def gate_rows(clip: str, report: GateReport) -> list[dict]:
    """One row a layer, direction and frame.

    ``gate_mean``, ``own_weight`` and ``neighbour_weight`` are plain means over places,
    ``weighted_gate`` is the mean by energy; all four are ``None`` for a layer without gates.
    ``output_own`` and ``output_neighbour`` are the shares of this frame's output that are its own
    and that come from this side; ``arrives`` and ``lost`` are this frame's and direction's shares
    of the layer's energy; ``layer_…`` are figures of the whole layer.
    """
    prediction, rows = report.prediction, []
    caution = prediction.caution
    for layer in report.layers:
        whole = layer_figures(layer)
        parts, made_of, arrows = layer.parts(), layer.shares_by_frame(), layer.arrows()
        gates = _gate_figures(layer)
        total = max(sum(float(part.sum()) for part in parts.values()), np.finfo(float).tiny)
        for way, direction in enumerate(DIRECTIONS):
            for place, index in enumerate(prediction.frame_indices):
                rows.append(
                    {
                        "clip": clip,
                        "model": report.card.name,
                        "sha256": report.card.sha256,
                        "order": prediction.order,
                        "layer": layer.name,
                        "title": layer.title,
                        "direction": direction,
                        "place": place + 1,
                        "frame": int(index),
                        **{
                            name: None if values is None else float(values[place, way])
                            for name, values in gates.items()
                        },
                        "output_own": float(made_of[place, 0]),
                        "output_neighbour": float(made_of[place, 1 + way]),
                        "arrives": float(arrows[place, way]),
                        "lost": float(parts["lost"][place, way] / total),
                        **{f"layer_{key}": value for key, value in whole.items()},
                        "caution": "" if caution is None else caution.text,
                    }
                )
    return rows


def _gate_figures(layer: LayerExchange) -> dict[str, np.ndarray | None]:
    """The figures of the gates by frame and direction, each (T, 2)."""
    if not isinstance(layer, LayerGates):
        return dict.fromkeys(("gate_mean", "weighted_gate", "own_weight", "neighbour_weight"))
    return {
        "gate_mean": layer.gate.mean((2, 3)),
        "weighted_gate": layer.weighted_gate(),
        "own_weight": layer.own_weight(),
        "neighbour_weight": layer.neighbour_weight(),
    }


def layer_figures(layer: LayerExchange) -> dict[str, float | None]:
    """The figures of one layer: channels that each gate rules, energy shares, regimes, adaptivity
    with its variance, reach in frames, and the share of its output that crosses time (the mean of
    ``crossing`` over the frames). What is of gates is ``None`` for a layer without any.
    """
    shares = layer.shares()
    return {
        "channels": layer.channels if isinstance(layer, LayerGates) else None,
        "stays": shares.stays,
        "from_next": shares.next,
        "from_previous": shares.previous,
        "lost": shares.lost,
        **_regime_figures(layer),
        "reach_back": layer.reach[0],
        "reach_ahead": layer.reach[1],
        "crossing": None if layer.crossing is None else float(layer.crossing.mean()),
    }


def _regime_figures(layer: LayerExchange) -> dict[str, float | None]:
    levels = [level for level in ADAPTIVE if level in ("frame", "place")]
    names = (*REGIMES, "adaptivity", *(f"variance_{level}" for level in levels))
    if not isinstance(layer, LayerGates):
        return dict.fromkeys(names)
    variance = decompose(GateMoments.of_maps([layer.gate]), np.zeros(1, np.int64))
    values = [
        *regime_shares(layer.gate).tolist(),
        variance.adaptivity,
        *(variance.levels[level] for level in levels),
    ]
    return dict(zip(names, values, strict=True))


def gate_arrays(report: GateReport) -> bytes:
    """An ``.npz`` file: layer name → `LayerExchange.maps` (T, 2, h, w) float32: gates, no unit,
    −1 … 1, or for layers without gates the share of energy that arrives, 0 … 1; second axis
    `DIRECTIONS`, frames in the order seen. What modules show of the clip beside that stands under
    ``{layer name}:{reading}``, with the axes of its `ClipReading`.
    """
    arrays = {layer.name: layer.maps.astype(np.float32) for layer in report.layers}
    for found in report.readings:
        for name, values in zip(found.names, found.values, strict=True):
            arrays[f"{name}:{found.name}"] = values.astype(np.float32)
    return npz_bytes(arrays)


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """``arrays`` as a compressed ``.npz`` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle
    return file.getvalue()
