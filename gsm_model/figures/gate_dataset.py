"""The gates of a data set for print: what they do, how much they vary and with what, and where the
energy goes, a row a layer and direction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.explain.gates.adaptivity import ADAPTIVE
from gsm_model.explain.gates.dataset import ALL_LAYERS
from gsm_model.explain.gates.report import REGIMES
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import gate_colors

ARROWS = (
    "←",
    "→",
)  # which way features move: from the next frame to the left in time, from the previous one to the right  # noqa: E501
LEVEL_COLORS = ("#D55E00", "#E69F00", "#56B4E9", "#0072B2")
LEVEL_NAMES = {"class": "classes", "clip": "clips", "frame": "frames", "place": "places"}


def data_gates_figure(rows: Sequence[dict], width: float = PAGE) -> Figure:
    """``rows`` of `data_gates_table`: regimes, deviations within a layer and direction split by
    level, and energy that arrives with its 95 % interval.
    """
    single = [row for row in rows if row["layer"] != ALL_LAYERS]
    figure = Figure(figsize=(width, 1.15 + 0.15 * len(single)), layout="constrained")
    left, middle, right = figure.subplots(1, 3, sharey=True)
    colors = [gate_colors()(value) for value in (0.08, 0.5, 0.72, 0.95)]
    _stack(left, [[row[name] for name in REGIMES] for row in single], colors, REGIMES)
    left.set_xlabel("share of gate values", fontsize=7)
    levels = [[row[f"variance_{level}"] for level in ADAPTIVE] for row in single]
    _stack(middle, levels, LEVEL_COLORS, [LEVEL_NAMES[level] for level in ADAPTIVE])
    middle.set_xlabel("variance of the gate, by what it is between", fontsize=7)
    y = np.arange(len(single))
    arrives = np.array([row["arrives"] for row in single])
    spread = np.abs(
        np.array([[row["arrives_low"], row["arrives_high"]] for row in single]).T - arrives
    )
    right.errorbar(
        arrives,
        y,
        xerr=np.nan_to_num(spread),
        fmt="o",
        color="#0072B2",
        markersize=3,
        linewidth=1,
        capsize=2,
    )
    right.set_xlim(0, None)
    right.set_xlabel("share of the layer's energy that arrives", fontsize=7)
    left.set_yticks(
        y, [f"{row['title']} {ARROWS[number % 2]}" for number, row in enumerate(single)], fontsize=6
    )
    left.set_ylim(len(single) - 0.5, -0.5)
    for axes in (left, middle, right):
        axes.tick_params(axis="x", labelsize=6)
        axes.spines[["top", "right"]].set_visible(False)
    first = rows[0]
    figure.suptitle(
        f"{first['model']}: {first['n']:,} clips of {first['data']} (← from the next frame, → from"
        " the previous)",
        fontsize=7.5,
    )
    return figure


def _stack(
    axes: Axes,
    values: Sequence[Sequence[float]],
    colors: Sequence[str | tuple[float, float, float, float]],
    names: Sequence[str],
) -> None:
    """Bars of parts, one a row, with the names of the parts above."""
    table = np.array(values)
    ends = np.cumsum(table, axis=1)
    for part, (color, name) in enumerate(zip(colors, names, strict=True)):
        axes.barh(
            range(len(table)),
            table[:, part],
            left=ends[:, part] - table[:, part],
            color=color,
            label=name,
            edgecolor="#7B8794",
            lw=0.3,
        )
    axes.legend(
        fontsize=5.5,
        frameon=False,
        ncols=2,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        handlelength=1,
        columnspacing=0.8,
        borderpad=0,
    )
