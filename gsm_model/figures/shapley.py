"""What each frame is worth, for print: from no frame to the clip, interactions, and relations of
order.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.explain.shapley.frames import FrameShapley
from gsm_model.figures.labels import in_print
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import COLORS, INK, gate_colors


def shapley_figure(found: FrameShapley, width: float = PAGE) -> Figure:
    """The values as steps from ``empty`` to ``full``, with their intervals where they are sampled;
    the interactions, and the values of the order relations, of every two frames.
    """
    panels = 2 if found.relations is None else 3
    figure = Figure(figsize=(width, 2.5), layout="constrained")
    axes = figure.subplots(1, panels, width_ratios=(1.5, *[1] * (panels - 1)))
    _steps(axes[0], found)
    _matrix(axes[1], found.shown(found.game.interactions), "interaction of two frames")
    if found.relations is not None:
        _matrix(axes[2], found.shown(found.relations.values), "row before column")
    how = "exact" if found.game.is_exact else "sampled, 95 % intervals"
    missing = "missing frames left out" if found.filling == "left out" else "nearest frame repeated"
    figure.suptitle(
        in_print(f"{found.card.name}: {found.target_name}, in logits ({missing}; {how})"),
        fontsize=7.5,
    )
    return figure


def _steps(axes: Axes, found: FrameShapley) -> None:
    game, t = found.game, len(found.frame_indices)
    ends = game.empty + np.concatenate([[0], np.cumsum(game.values)])
    colors = [COLORS[0] if value >= 0 else COLORS[4] for value in game.values]
    axes.bar(0, game.empty, color="#7B8794", width=0.7)
    axes.bar(np.arange(t) + 1, game.values, bottom=ends[:-1], color=colors, width=0.7)
    if not game.is_exact:
        spread = [game.values - game.low, game.high - game.values]
        axes.errorbar(np.arange(t) + 1, ends[1:], yerr=spread, fmt="none", color=INK, linewidth=0.8)
    axes.bar(t + 1, game.full, color=INK, width=0.7)
    axes.hlines(ends, np.arange(t + 1), np.arange(t + 1) + 1, color="#7B8794", linewidth=0.5)
    names = ["none", *(str(frame) for frame in found.frame_indices), "clip"]
    axes.set_xticks(range(t + 2), names, fontsize=6)
    axes.axhline(0, color=INK, linewidth=0.5)
    axes.set_xlabel("frame", fontsize=7)
    axes.set_ylabel("logit", fontsize=7)
    axes.tick_params(axis="y", labelsize=6)
    axes.spines[["top", "right"]].set_visible(False)


def _matrix(axes: Axes, values: np.ndarray, title: str) -> None:
    limit = float(np.abs(values).max()) or 1.0
    shades = axes.pcolormesh(values, cmap=gate_colors(), vmin=-limit, vmax=limit)
    t = len(values)
    axes.set_xticks(np.arange(t) + 0.5, [str(place + 1) for place in range(t)], fontsize=6)
    axes.set_yticks(np.arange(t) + 0.5, [str(place + 1) for place in range(t)], fontsize=6)
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.set_title(title, fontsize=7)
    figure = axes.figure
    figure.colorbar(shades, ax=axes, shrink=0.75).ax.tick_params(labelsize=6)
