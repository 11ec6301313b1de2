"""The shadow a thing throws on what is under it."""

from __future__ import annotations

import numpy as np

from gsm_model.data.synthetic.materials import Material
from gsm_model.data.synthetic.raster import Shape

BLACK = Material(np.zeros((2, 3)))


def shadow(points: np.ndarray, height: float = 0.0) -> Shape:
    """The shadow of the outline ``points`` (n, 2), held ``height`` (0 … 1) above the floor."""
    return Shape(
        points + np.array([0.05, 0.07]) * (0.5 + height), BLACK, "shadow", radius=0.02, opacity=0.28
    )
