"""What systems, and networks that are given motion, can tell of time, for print: right answers to
the temporal probes as a matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gsm_model.evaluation.system_probes import columns_of, share_of
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import INK, gate_colors

Row = Mapping[str, Any]


def system_probes_figure(rows: Sequence[Row]) -> Figure:
    """``rows`` (of `probed`, at least one) down, the probes across, *which first* also by how many
    frames lie between the two flashes; in per cent, white at chance.
    """
    columns = columns_of(rows)
    shares = np.array([[share_of(row, *column)["value"] for column in columns] for row in rows])
    figure = Figure(figsize=(PAGE, 0.155 * len(rows) + 1.0), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap=gate_colors(), vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share < 0.15 else INK
        text = f"{100 * share:.0f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=6, color=color)
    axes.set_yticks(range(len(rows)), [row["title"] for row in rows], fontsize=6)
    names = [probe if apart is None else f"{apart} apart" for probe, apart in columns]
    axes.set_xticks(range(len(columns)), names, fontsize=6, rotation=30, ha="right")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure
