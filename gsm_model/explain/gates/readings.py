"""What temporal modules show: of their weights, and of what they compute of a clip."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from gsm_model.models.observers import observe_readings
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.temporal import ClipReading


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


@dataclass(frozen=True)
class ClipReadings:
    """One reading of one clip, of all the layers that have it, in network order.

    ``layers`` are the layers' titles, ``names`` their modules'; ``values`` holds an array float32 a
    layer, with the axes of ``reading`` (`ClipReading`).
    """

    reading: ClipReading
    layers: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[np.ndarray, ...]

    @property
    def name(self) -> str:
        return self.reading.name

    def of_layer(self, title: str) -> np.ndarray | None:
        """The values of the layer of that title, ``None`` where it has none."""
        return self.values[self.layers.index(title)] if title in self.layers else None


Read = dict[tuple[nn.Module, str], Tensor]


@contextmanager
def record_clip_readings(model: Recognizer) -> Iterator[Read]:
    """Collect what ``model``'s temporal modules show of a clip (`TemporalModule.clip_readings`): by
    module and name, of the last forward pass of this thread.
    """
    shown = {
        (layer.module, reading.name)
        for layer in model.temporal_layers()
        if layer.module is not None
        for reading in layer.module.clip_readings
    }
    found: Read = {}

    def see(module: nn.Module, name: str, value: Tensor) -> None:
        if (module, name) in shown:
            found[module, name] = value.detach()

    with observe_readings(see):
        yield found


def clip_readings(model: Recognizer, found: Read, clip: int = 0) -> tuple[ClipReadings, ...]:
    """What `record_clip_readings` collected of one ``clip`` of the batch, one entry a name."""
    by_name: dict[str, list[tuple[ClipReading, str, str, np.ndarray]]] = {}
    for layer in model.temporal_layers():
        for reading in () if layer.module is None else layer.module.clip_readings:
            assert layer.module is not None
            values = found[layer.module, reading.name][clip].float().cpu().numpy()
            entry = (reading, layer.title, layer.name, values)
            by_name.setdefault(reading.name, []).append(entry)
    return tuple(_joined(entries) for entries in by_name.values())


def _joined(entries: Sequence[tuple[ClipReading, str, str, np.ndarray]]) -> ClipReadings:
    readings, titles, names, values = zip(*entries, strict=True)
    return ClipReadings(readings[0], titles, names, values)
