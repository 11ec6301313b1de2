"""From maps of where models look to what the viewer of the Grad-CAM page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from app.charts import short
from app.gates_view import same_pictures
from app.viewer import MapPanel, MapScale, Notes, viewer_data
from gsm_model.explain.gradcam import CamReport, Normalise, scaled
from gsm_model.figures.cams import PALETTES
from gsm_model.figures.gate_files import film_speed
from gsm_model.figures.style import GATE_STOPS

STOPS = 9
OPACITY = 0.8
NOTES = Notes(
    overview="How much of a layer's map (row) lies in each frame (column), the fullest frame as 1. Click a cell to choose it.",
    arrows="",
    curves="Click in a picture to choose another place.",
    difference="The first less the second, at the same picture and place.",
    nothing="nothing speaks for it at any place",
    same="the same at every place",
    mean="share of the fullest frame",
)


@dataclass(frozen=True)
class SeenMaps:
    """One model's maps for one order of the frames, the frames as it saw them (T, S, S, 3) uint8, and its colour."""

    report: CamReport
    frames: np.ndarray
    color: str

    @property
    def name(self) -> str:
        """What the panel is called: the model, and the order if it is not the frames' own."""
        order = self.report.prediction.order
        return self.report.card.name + ("" if order == "forward" else f", {order}")

    def layer_name(self, name: str, names: Sequence[str]) -> str:
        """The layer called ``name``; in a network that has none of that name, the one as deep among ``names``."""
        own = [layer.layer for layer in self.report.layers]
        if name in own:
            return name
        return own[round(list(names).index(name) / max(1, len(names) - 1) * (len(own) - 1))]


def layer_names(seen: Sequence[SeenMaps]) -> list[str]:
    """The layers to choose among: those of the first model."""
    return [layer.layer for layer in seen[0].report.layers]


def map_scale(signed: bool) -> MapScale:
    """The colours of maps: 0 … 1, or −1 … 1 with what speaks against."""
    if signed:
        return MapScale(
            "evidence", -1, 1, (("for and against", GATE_STOPS),), ((-1, "against"), (0, ""), (1, "for")), GATE_STOPS, True, OPACITY
        )
    palettes = tuple((name, tuple(to_hex(color) for color in colormaps[name](np.linspace(0, 1, STOPS)))) for name in PALETTES)
    return MapScale("evidence", 0, 1, palettes, ((0, "none"), (0.5, ""), (1, "most")), GATE_STOPS, True, OPACITY)


def cams_data(seen: Sequence[SeenMaps], normalise: Normalise, signed: bool, start: str, seconds: float) -> dict:
    """The viewer's data: a panel for each of ``seen``, all of them of clips of one number of frames."""
    names = layer_names(seen)
    scales = [
        scaled([one.report.layer(one.layer_name(name, names)).maps for one in seen], normalise, signed) for name in names
    ]  # layer, panel
    panels = []
    for number, one in enumerate(seen):
        maps = tuple(of_layer[number].maps[:, None] for of_layer in scales)
        values = [one.report.layer(one.layer_name(name, names)).evidence for name in names]
        panels.append(
            MapPanel(
                short(one.name, 60),
                one.color,
                one.frames,
                tuple(f"frame {index}" for index in one.report.prediction.frame_indices),
                maps,
                np.stack([_by_frame(of_layer) for of_layer in maps])[:, None],
                None,
                tuple(tuple(f"evidence {value:+.2f}".replace("-", "−") for value in row) for row in values),
            )
        )
    columns = same_pictures(seen[0].report, seen[1].report) if len(seen) == 2 else []
    fps = film_speed(len(seen[0].frames), seconds)
    return viewer_data(panels, names, ("map",), map_scale(signed), NOTES, start, fps, columns)


def _by_frame(maps: np.ndarray) -> np.ndarray:
    """(T, 1, h, w) → (T,): the sum of each frame's map, the largest as 1."""
    sums = maps.sum((1, 2, 3))
    return sums / max(float(np.abs(sums).max()), np.finfo(np.float32).tiny)
