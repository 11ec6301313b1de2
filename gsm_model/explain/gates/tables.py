"""The gates of a clip as rows for a table, and as arrays for a file."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np

from gsm_model.explain.gates.adaptivity import ADAPTIVE, GateMoments, decompose
from gsm_model.explain.gates.report import (
    DIRECTIONS,
    REGIMES,
    GateReport,
    LayerGates,
    regime_shares,
)


def gate_rows(clip: str, report: GateReport) -> list[dict]:
    """One row a layer, direction and frame.

    ``gate_mean``, ``own_weight`` and ``neighbour_weight`` are plain means over places,
    ``weighted_gate`` is the mean by energy; ``output_own`` and ``output_neighbour`` are the shares
    of this frame's output that are its own and that come from this side; ``arrives`` and ``lost``
    are this frame's and direction's shares of the layer's energy; ``layer_…`` are figures of the
    whole layer.
    """
    prediction, rows = report.prediction, []
    for layer in report.layers:
        whole = layer_figures(layer)
        own, neighbour, weighted, arrows = (
            layer.own_weight(),
            layer.neighbour_weight(),
            layer.weighted_gate(),
            layer.arrows(),
        )
        parts, made_of = layer.parts(), layer.shares_by_frame()
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
                        "gate_mean": float(layer.gate[place, way].mean()),
                        "weighted_gate": float(weighted[place, way]),
                        "own_weight": float(own[place, way]),
                        "neighbour_weight": float(neighbour[place, way]),
                        "output_own": float(made_of[place, 0]),
                        "output_neighbour": float(made_of[place, 1 + way]),
                        "arrives": float(arrows[place, way]),
                        "lost": float(parts["lost"][place, way] / total),
                        **{f"layer_{key}": value for key, value in whole.items()},
                    }
                )
    return rows


def layer_figures(layer: LayerGates) -> dict[str, float]:
    """The figures of one layer: channels that each gate rules, energy shares, regimes, adaptivity
    with its variance, reach in frames.
    """
    shares = layer.shares()
    variance = decompose(GateMoments.of_maps([layer.gate]), np.zeros(1, np.int64))
    return {
        "channels": layer.channels,
        "stays": shares.stays,
        "from_next": shares.next,
        "from_previous": shares.previous,
        "lost": shares.lost,
        **dict(zip(REGIMES, regime_shares(layer.gate).tolist(), strict=True)),
        "adaptivity": variance.adaptivity,
        **{
            f"variance_{level}": variance.levels[level]
            for level in ADAPTIVE
            if level in ("frame", "place")
        },
        "reach_back": layer.reach[0],
        "reach_ahead": layer.reach[1],
    }


def gate_arrays(report: GateReport) -> bytes:
    """An ``.npz`` file: layer name → gate (T, 2, h, w) float32, no unit, −1 … 1; second axis
    `DIRECTIONS`, frames in the order seen.
    """
    return npz_bytes({layer.name: layer.gate.astype(np.float32) for layer in report.layers})


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """``arrays`` as a compressed ``.npz`` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()
