"""From reports on gates to what the viewer and the files of the Gates page show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.charts import short
from app.viewer import MapPanel, MapScale, Notes, viewer_data
from gsm_model.explain.gates import DIRECTIONS, GateReport, LayerGates
from gsm_model.explain.gradcam import CamReport
from gsm_model.figures.gate_files import film_speed
from gsm_model.figures.gates import arrows_of
from gsm_model.figures.style import GATE_STOPS

MARKS = ((-1, "takes a difference"), (0, "leaves"), (0.5, "averages"), (1, "swaps"))
SCALE = MapScale("gate", -1, 1, (("gates", GATE_STOPS),), MARKS, GATE_STOPS)
NOTES = Notes(
    overview="The mean gate of each layer (row) and frame (column). Click a cell to choose it.",
    arrows="An arrow is as wide as the share of the layer's energy that comes to a frame from that side; its colour is the gate's sign. "
    "No arrow: nothing moves.",
    curves="Click in a picture to choose another place.",
    difference="The first less the second, at the same picture and place.",
    nothing="nothing moves",
    same="a fixed shift",
    mean="mean gate",
)


@dataclass(frozen=True)
class Seen:
    """One model's report on one order of the frames, the frames as it saw them (T, S, S, 3) uint8, and its colour."""

    report: GateReport
    frames: np.ndarray
    color: str

    @property
    def name(self) -> str:
        """What the panel is called: the model, and the order if it is not the frames' own."""
        order = self.report.prediction.order
        return self.report.card.name + ("" if order == "forward" else f", {order}")

    def layer(self, title: str, titles: Sequence[str]) -> LayerGates:
        """The layer called ``title``; in a network that has none of that name, the one as deep among ``titles``."""
        by_title = {layer.title: layer for layer in self.report.layers}
        if title in by_title:
            return by_title[title]
        depth = titles.index(title) / max(1, len(titles) - 1)
        return self.report.layers[round(depth * (len(self.report.layers) - 1))]


def layer_titles(seen: Sequence[Seen]) -> list[str]:
    """The layers to choose among: those of the first model."""
    return [layer.title for layer in seen[0].report.layers]


def gates_data(seen: Sequence[Seen], start: str, seconds: float) -> dict:
    """The viewer's data: a panel for each of ``seen``, all of them of clips of one number of frames."""
    titles = layer_titles(seen)
    panels = []
    for one in seen:
        layers = [one.layer(title, titles) for title in titles]
        arrows = [(row, *arrow) for row, layer in enumerate(layers) for arrow in arrows_of(layer)]
        panels.append(
            MapPanel(
                short(one.name, 60),
                one.color,
                one.frames,
                tuple(f"frame {index}" for index in one.report.prediction.frame_indices),
                tuple(layer.gate for layer in layers),
                np.stack([layer.gate.mean((2, 3)).T for layer in layers]),
                tuple(arrows),
            )
        )
    columns = same_pictures(seen[0].report, seen[1].report) if len(seen) == 2 else []
    return viewer_data(panels, titles, DIRECTIONS, SCALE, NOTES, start, film_speed(len(seen[0].frames), seconds), columns)


def same_pictures(first: GateReport | CamReport, second: GateReport | CamReport) -> list[int]:
    """For every frame of ``first``, where ``second`` shows the same one; the same place where it does not, or shows it more than once."""
    there = second.prediction.frame_indices.tolist()
    indices = first.prediction.frame_indices.tolist()
    return [there.index(index) if there.count(index) == 1 else place for place, index in enumerate(indices)]


def lighter(color: str) -> str:
    """``color`` (hex) half way to grey, for the same model beside itself."""
    return "#" + "".join(f"{(int(color[start : start + 2], 16) + 150) // 2:02X}" for start in (1, 3, 5))
