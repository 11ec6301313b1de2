"""From maps of where models look to what the viewer of the Grad-CAM page shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.components.chart_style import short
from app.components.panels import PanelView, captions, layer_titles, same_pictures
from app.components.viewer import MapPanel, Notes, viewer_data
from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.cam.scale import Normalise, scaled
from gsm_model.exports.gates import film_speed
from gsm_model.figures.map_scale import cam_scale

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


def cams_data(
    seen: Sequence[PanelView[CamReport]],
    normalise: Normalise,
    signed: bool,
    start: str,
    seconds: float,
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
                np.stack([of_layer[number].sums for of_layer in scales])[:, None],
                None,
                tuple(
                    tuple(f"evidence {value:+.2f}".replace("-", "−") for value in row)
                    for row in values
                ),
            )
        )
    columns = same_pictures(*seen) if len(seen) == 2 else []
    fps = film_speed(len(seen[0].frames), seconds)
    return viewer_data(panels, titles, ("map",), cam_scale(signed), NOTES, start, fps, columns)
