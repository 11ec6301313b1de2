"""How the values of maps are shown: one decision for pages, films, strips and exports."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex

from gsm_model.figures.style import GATE_STOPS, gate_colors

# Even steps of lightness, told apart by the colour-blind; the first is the default.
PALETTES = ("viridis", "cividis", "inferno")
STOPS = 65  # colours of a palette that the browser is sent and blends between


@dataclass(frozen=True)
class MapScale:
    """How values are coloured: what the scale is of, its ends, palettes (name, evenly spaced hex
    colours) to choose among, and marks (value, text). ``opposed`` are the colours of a difference,
    neutral in the middle. With ``fade`` a map is smooth, and the more transparent the nearer to 0.
    ``opacity`` 0 … 1 is how strongly maps cover the frames unless a person chooses."""

    name: str
    low: float
    high: float
    palettes: tuple[tuple[str, tuple[str, ...]], ...]
    marks: tuple[tuple[float, str], ...]
    opposed: tuple[str, ...]
    fade: bool = False
    opacity: float = 0.6

    @property
    def colors(self) -> Colormap:
        """The first palette, from ``low`` to ``high``."""
        [(name, stops), *_] = self.palettes
        if stops == GATE_STOPS:
            return gate_colors()
        if name in colormaps:
            return colormaps[name]
        return LinearSegmentedColormap.from_list(name, stops)

    def within(self, values: np.ndarray) -> np.ndarray:
        """``values`` of any shape, what is beyond an end set to it."""
        return values.clip(self.low, self.high)

    def rgb(self, values: np.ndarray) -> np.ndarray:
        """(…) → (…, 3) float64, 0 … 255: the colour of each value."""
        share = (self.within(values) - self.low) / (self.high - self.low)
        return self.colors(share)[..., :3] * 255

    def cover(self, values: np.ndarray, opacity: float) -> np.ndarray:
        """(…) → (…), 0 … ``opacity``: how much of the frame each value hides."""
        if not self.fade:
            return np.full(values.shape, opacity)
        return opacity * np.abs(self.within(values)) / self.high


@cache
def cam_scale(signed: bool) -> MapScale:
    """The scale of class activation maps that `scaled` made: 0 … 1 in colours even in lightness,
    or, with negative evidence, −1 … 1 in colours neutral at 0."""
    if signed:
        return MapScale(
            "evidence",
            -1,
            1,
            (("for and against", GATE_STOPS),),
            ((-1, "against"), (0, ""), (1, "for")),
            GATE_STOPS,
            fade=True,
            opacity=0.8,
        )
    steps = np.linspace(0, 1, STOPS)
    return MapScale(
        "evidence",
        0,
        1,
        tuple((name, tuple(to_hex(one) for one in colormaps[name](steps))) for name in PALETTES),
        ((0, "none"), (0.5, ""), (1, "most")),
        GATE_STOPS,
        fade=True,
        opacity=0.8,
    )
