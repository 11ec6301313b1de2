"""What the weights of a model's temporal modules say, whatever the clip."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gsm_model.models.recognizer import Recognizer


@dataclass(frozen=True)
class LayerReadings:
    """One reading of all the layers that have it, in network order.

    ``values`` is (L,) float64, or (L, P) with the P places of its last axis called ``labels``;
    channels are put together as the root of their mean square. ``axes`` are those of a `Reading`.
    """

    name: str
    title: str
    layers: tuple[str, ...]
    values: np.ndarray
    labels: tuple[str, ...]
    unit: str
    axes: tuple[str, ...] = ()


def weight_readings(model: Recognizer) -> tuple[LayerReadings, ...]:
    """The readings of ``model``'s temporal modules, one entry a name; empty for a system whose
    weights hold none, such as TSN, TSM and GSM. Ask the model as loaded, not an optimised copy.
    """
    found: dict[str, list] = {}
    for layer in model.temporal_layers():
        for reading in () if layer.module is None else layer.module.readings(layer.norm):
            found.setdefault(reading.name, []).append((layer.title, reading))
    every = []
    for name, entries in found.items():
        first = entries[0][1]
        values = np.stack([_without_channels(reading.values.numpy()) for _, reading in entries])
        titles = tuple(title for title, _ in entries)
        every.append(
            LayerReadings(name, first.title, titles, values, first.labels, first.unit, first.axes)
        )
    return tuple(every)


def _without_channels(values: np.ndarray) -> np.ndarray:
    """(), (P,) or (C, P) → () or (P,)."""
    return values if values.ndim < 2 else np.sqrt(np.square(values, dtype=np.float64).mean(0))


def reading_rows(model: Recognizer) -> list[dict]:
    """`weight_readings` as rows for a table: one a layer and place."""
    rows = []
    for reading in weight_readings(model):
        for layer, values in zip(reading.layers, reading.values, strict=True):
            for place, value in enumerate(np.atleast_1d(values)):
                rows.append(
                    {
                        "model": model.card.name,
                        "sha256": model.card.sha256,
                        "layer": layer,
                        "reading": reading.name,
                        "of": reading.labels[place] if reading.labels else "",
                        "value": float(value) if math.isfinite(value) else None,
                    }
                )
    return rows
