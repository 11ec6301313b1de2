"""The viewer: frames with maps over them, in the browser. Playing, the place under the cursor and
opacity never ask the server.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from app.components.media import jpeg_uri
from app.components.viewer.modules import bundled
from gsm_model.figures.map_scale import MapScale

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class MapPanel:
    """One thing to look at beside others, such as a model with one order of the frames.

    ``frames`` (T, S, S, 3) uint8 in the order seen, a caption each. ``maps``: one array (T, W, h,
    w) a layer, in the scale's range −1 … 1. ``means`` (L, W, T): what the overview shows.
    ``arrows``: (layer, way, frame, share of energy, gate or ``None``), ``None`` where nothing moves
    between frames. ``below``: a line of text under each frame, for every layer (L, T).
    """

    title: str
    color: str
    frames: np.ndarray
    captions: tuple[str, ...]
    maps: tuple[np.ndarray, ...]
    means: np.ndarray
    arrows: tuple[tuple[int, int, int, float, float | None], ...] | None
    below: tuple[tuple[str, ...], ...] | None = None


@dataclass(frozen=True)
class Notes:
    """What stands beside each part's heading; what a map says that is 0, or another number, at
    every place; what a cell of the overview is.
    """

    overview: str
    arrows: str
    curves: str
    difference: str
    nothing: str
    same: str
    mean: str


def viewer_data(
    panels: Sequence[MapPanel],
    layers: Sequence[str],
    ways: Sequence[str],
    scale: MapScale,
    notes: Notes,
    start: str,
    fps: float,
    columns: Sequence[int] = (),
) -> dict:
    """All that the browser needs, as JSON: pictures once for panels that show the same, maps as
    packed 16-bit numbers.

    ``ways`` names the second axis of the maps, ``start`` the layer shown first. ``columns`` says
    for every frame of the first panel which frame of the second it is compared with.
    """
    pictures: dict[str, list[str]] = {}
    shown = []
    for panel in panels:
        key = hashlib.sha256(panel.frames.tobytes()).hexdigest()[:16]
        if key not in pictures:
            pictures[key] = [jpeg_uri(frame, panel.frames.shape[1]) for frame in panel.frames]
        shown.append(
            {
                "title": panel.title,
                "color": panel.color,
                "pictures": key,
                "captions": panel.captions,
                "maps": [
                    {"height": maps.shape[2], "width": maps.shape[3], "values": _packed(maps)}
                    for maps in panel.maps
                ],
                "overview": np.round(panel.means, 4).tolist(),
                "arrows": panel.arrows,
                "below": panel.below,
            }
        )
    data: dict[str, object] = {
        "panels": shown,
        "pictures": pictures,
        "layers": layers,
        "ways": ways,
        "scale": _scale_data(scale),
        "notes": asdict(notes),
    }
    data |= {"fps": fps, "columns": list(columns)}
    # Another start is no other data: the viewer keeps what a person chose in it.
    return data | {"id": hashlib.sha256(json.dumps(data).encode()).hexdigest(), "start": start}


def _scale_data(scale: MapScale) -> dict:
    palettes = [{"name": name, "stops": stops} for name, stops in scale.palettes]
    return {**asdict(scale), "palettes": palettes}


def _packed(maps: np.ndarray) -> str:
    """Values in −1 … 1 as little-endian int16, base64: 1 is 32767."""
    return base64.b64encode(np.round(np.clip(maps, -1, 1) * 32767).astype("<i2").tobytes()).decode()


@st.cache_resource
def _component() -> Callable:
    return st.components.v2.component(
        "gate_shift_lens_viewer",
        css=(_HERE / "viewer.css").read_text(encoding="utf-8"),
        js=bundled(_HERE / "viewer.js"),
    )


def show_viewer(data: dict, key: str) -> str:
    """Mount the viewer with `viewer_data`; returns the layer that is chosen in it. Only another
    layer makes the page run again.
    """
    result = _component()(data=data, key=key, on_layer_change=lambda: None)
    chosen = result.layer
    return chosen if chosen in data["layers"] else data["start"]
