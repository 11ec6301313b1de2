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
from gsm_model.explain.gates.layers import REGIMES
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
    level, and energy that arrives with its 95 % interval; for a model without gates the last alone.
    """
    single = [row for row in rows if row["layer"] != ALL_LAYERS]
    gated = rows[0]["gate_mean"] is not None
    share = width if gated else width / 2
    figure = Figure(figsize=(share, 1.15 + 0.15 * len(single)), layout="constrained")
    panels = list(figure.subplots(1, 3 if gated else 1, sharey=True, squeeze=False)[0])
    if gated:
        _show_gates(panels[0], panels[1], single)
    _show_arrivals(panels[-1], single)
    panels[0].set_yticks(
        np.arange(len(single)),
        [f"{row['title']} {ARROWS[number % 2]}" for number, row in enumerate(single)],
        fontsize=6,
    )
    panels[0].set_ylim(len(single) - 0.5, -0.5)
    for axes in panels:
        axes.tick_params(axis="x", labelsize=6)
        axes.spines[["top", "right"]].set_visible(False)
    first = rows[0]
    of = f"{first['model']}: {first['n']:,} clips of {first['data']}"
    arrows = "(← from the next frame, → from the previous)"
    figure.suptitle(f"{of}{' ' if gated else chr(10)}{arrows}", fontsize=7.5 if gated else 6.5)
    return figure


def _show_gates(left: Axes, middle: Axes, single: Sequence[dict]) -> None:
    """Regimes, and the variance of the gates by what it is between."""
    colors = [gate_colors()(value) for value in (0.08, 0.5, 0.72, 0.95)]
    _stack(left, [[row[name] for name in REGIMES] for row in single], colors, REGIMES)
    left.set_xlabel("share of gate values", fontsize=7)
    levels = [[row[f"variance_{level}"] for level in ADAPTIVE] for row in single]
    _stack(middle, levels, LEVEL_COLORS, [LEVEL_NAMES[level] for level in ADAPTIVE])
    middle.set_xlabel("variance of the gate, by what it is between", fontsize=7)


def _show_arrivals(axes: Axes, single: Sequence[dict]) -> None:
    """The energy that arrives, with its interval."""
    arrives = np.array([row["arrives"] for row in single])
    ends = np.array([[row["arrives_low"], row["arrives_high"]] for row in single])
    axes.errorbar(
        arrives,
        np.arange(len(single)),
        xerr=np.nan_to_num(np.abs(ends.T - arrives)),
        fmt="o",
        color="#0072B2",
        markersize=3,
        linewidth=1,
        capsize=2,
    )
    axes.set_xlim(0, None)
    axes.set_xlabel("share of the layer's energy that arrives", fontsize=7)


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
