"""From maps of where models look to what the viewer of the Grad-CAM page shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from app.components.chart_style import short
from app.components.panels import Seen, captions, layer_titles, same_pictures
from app.components.viewer import MapPanel, MapScale, Notes, viewer_data
from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.cam.scale import Normalise, scaled
from gsm_model.exports.gates import film_speed
from gsm_model.figures.cams import PALETTES
from gsm_model.figures.style import GATE_STOPS

STOPS = 9
OPACITY = 0.8
NOTES = Notes(
    overview=(
        "How much of a layer's map (row) lies in each frame (column), the fullest frame as 1. Click"
        " a cell to choose it."
    ),
    arrows="",
    curves="Click in a picture to choose another place.",
    difference="The first less the second, at the same picture and place.",
    nothing="nothing speaks for it at any place",
    same="the same at every place",
    mean="share of the fullest frame",
)


def map_scale(signed: bool) -> MapScale:
    """The colours of maps: 0 … 1, or −1 … 1 with what speaks against."""
    if signed:
        return MapScale(
            "evidence",
            -1,
            1,
            (("for and against", GATE_STOPS),),
            ((-1, "against"), (0, ""), (1, "for")),
            GATE_STOPS,
            True,
            OPACITY,
        )
    palettes = tuple(
        (name, tuple(to_hex(color) for color in colormaps[name](np.linspace(0, 1, STOPS))))
        for name in PALETTES
    )
    return MapScale(
        "evidence", 0, 1, palettes, ((0, "none"), (0.5, ""), (1, "most")), GATE_STOPS, True, OPACITY
    )


def cams_data(
    seen: Sequence[Seen[CamReport]], normalise: Normalise, signed: bool, start: str, seconds: float
) -> dict:
    """The viewer's data: a panel for each of ``seen``, all of them of clips of one number of
    frames.
    """
    titles = layer_titles(seen)
    scales = [
        scaled([one.layer(title, titles).maps for one in seen], normalise, signed)
        for title in titles
    ]  # layer, panel
    panels = []
    for number, one in enumerate(seen):
        maps = tuple(of_layer[number].maps[:, None] for of_layer in scales)
        values = [one.layer(title, titles).evidence for title in titles]
        panels.append(
            MapPanel(
                short(one.name, 60),
                one.color,
                one.frames,
                captions(one),
                maps,
                np.stack([_by_frame(of_layer) for of_layer in maps])[:, None],
                None,
                tuple(
                    tuple(f"evidence {value:+.2f}".replace("-", "−") for value in row)
                    for row in values
                ),
            )
        )
    columns = same_pictures(*seen) if len(seen) == 2 else []
    fps = film_speed(len(seen[0].frames), seconds)
    return viewer_data(panels, titles, ("map",), map_scale(signed), NOTES, start, fps, columns)


def _by_frame(maps: np.ndarray) -> np.ndarray:
    """(T, 1, h, w) → (T,): the sum of each frame's map, the largest as 1."""
    sums = maps.sum((1, 2, 3))
    return sums / max(float(np.abs(sums).max()), np.finfo(np.float32).tiny)
