"""From reports on gates to what the viewer and the files of the Gates page show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.components.chart_style import short
from app.components.panels import PanelView, captions, layer_titles, same_pictures
from app.components.viewer import MapPanel, MapScale, Notes, viewer_data
from gsm_model.explain.gates.layers import DIRECTIONS
from gsm_model.explain.gates.readings import ClipReadings
from gsm_model.explain.gates.report import GateReport
from gsm_model.exports.gates import film_speed
from gsm_model.figures.gates import arrows_of
from gsm_model.figures.style import GATE_STOPS, SHARE_STOPS

MARKS = ((-1, "takes a difference"), (0, "leaves"), (0.5, "averages"), (1, "swaps"))
SCALE = MapScale("gate", -1, 1, (("gates", GATE_STOPS),), MARKS, GATE_STOPS)
SHARE_MARKS = ((0, "all its own frame's"), (0.5, "half"), (1, "all from there"))
SHARE_SCALE = MapScale("share", 0, 1, (("shares", SHARE_STOPS),), SHARE_MARKS, GATE_STOPS)
NOTES = Notes(
    overview="The mean gate of each layer (row) and frame (column). Click a cell to choose it.",
    arrows=(
        "An arrow is as wide as the share of the layer's energy that comes to a frame from that"
        " side; its colour is the gate's sign. No arrow: nothing moves."
    ),
    curves="Click in a picture to choose another place.",
    difference="The first less the second, at the same picture and place.",
    nothing="nothing moves",
    same="a fixed shift",
    mean="mean gate",
)


SHARE_NOTES = replace(
    NOTES,
    overview=(
        "The mean share of energy that comes from there, for each layer (row) and frame (column)."
        " Click a cell to choose it."
    ),
    arrows=(
        "An arrow is as wide as the share of the layer's energy that comes to a frame from that"
        " side. No arrow: nothing crosses."
    ),
    nothing="nothing crosses",
    same="the same everywhere",
    mean="mean share",
)


READING_MARKS = ((0, "none"), (0.5, ""), (1, "the layer's largest"))
SIGNED_MARKS = ((-1, ""), (0, "none"), (1, "the layer's largest"))
READING_NOTES = replace(
    NOTES,
    overview=(
        "The mean over places for each layer (row) and frame (column), its largest value as 1."
        " Click a cell to choose it."
    ),
    arrows="",
    nothing="zero everywhere",
    same="the same everywhere",
    mean="mean",
)


def gates_data(seen: Sequence[PanelView], start: str, seconds: float) -> dict:
    """The viewer's data: a panel for each of ``seen``, all of them of clips of one number of
    frames, and all with gates or all without.
    """
    titles, gated = layer_titles(seen), seen[0].report.is_gated
    panels = []
    for one in seen:
        layers = [one.layer(title, titles) for title in titles]
        arrows = [(row, *arrow) for row, layer in enumerate(layers) for arrow in arrows_of(layer)]
        panels.append(
            MapPanel(
                short(one.name, 60),
                one.color,
                one.frames,
                captions(one),
                tuple(layer.maps for layer in layers),
                np.stack([layer.maps.mean((2, 3)).T for layer in layers]),
                tuple(arrows),
            )
        )
    columns = same_pictures(*seen) if len(seen) == 2 else []
    return viewer_data(
        panels,
        titles,
        DIRECTIONS,
        SCALE if gated else SHARE_SCALE,
        NOTES if gated else SHARE_NOTES,
        start,
        film_speed(len(seen[0].frames), seconds),
        columns,
    )


def reading_groups(
    seen: Sequence[PanelView[GateReport]],
) -> list[list[tuple[PanelView[GateReport], ClipReadings]]]:
    """The maps that reports on clips of one length show beside gates, those of one name and of the
    same layers together.
    """
    groups: dict[tuple, list[tuple[PanelView[GateReport], ClipReadings]]] = {}
    for one in seen:
        for found in one.report.readings:
            if found.reading.is_map:
                groups.setdefault((found.reading, found.layers), []).append((one, found))
    return list(groups.values())


def reading_data(
    group: Sequence[tuple[PanelView[GateReport], ClipReadings]], start: str, seconds: float
) -> dict:
    """The viewer's data of maps of one reading: of each layer the share of its largest value in all
    panels.
    """
    seen, readings = zip(*group, strict=True)
    what, titles = readings[0].reading, readings[0].layers
    largest = [
        max(float(np.abs(found.values[layer]).max()) for found in readings) or 1.0
        for layer in range(len(titles))
    ]
    panels = []
    for one, found in group:
        maps = tuple(values / top for values, top in zip(found.values, largest, strict=True))
        means = np.stack([values.mean((2, 3)).T for values in maps])
        panels.append(
            MapPanel(
                short(one.name, 60),
                one.color,
                one.frames,
                captions(one),
                maps,
                means / max(float(np.abs(means).max()), np.finfo(float).tiny),
                None,
            )
        )
    scale = MapScale(
        "share of the layer's largest",
        -1 if what.is_signed else 0,
        1,
        (("signed", GATE_STOPS) if what.is_signed else ("sizes", SHARE_STOPS),),
        SIGNED_MARKS if what.is_signed else READING_MARKS,
        GATE_STOPS,
    )
    columns = same_pictures(*seen) if len(seen) == 2 else []
    fps = film_speed(len(seen[0].frames), seconds)
    first = start if start in titles else titles[0]
    return viewer_data(panels, titles, what.labels, scale, READING_NOTES, first, fps, columns)
