"""Effects of patching for print: layers by frames, and all frames of each layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.explain.patching.clips import Patching
from gsm_model.explain.patching.dataset import MeanEffects, PatchOrigin
from gsm_model.explain.patching.features import Side
from gsm_model.figures.labels import in_print
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import COLORS, gate_colors

SIDE_NAMES: dict[Side, str] = {
    "before": "before the temporal operator",
    "after": "after the temporal operator",
    "output": "the block's output",
    "gate": "the gates",
    "moved": "what comes from other frames",
    "kept": "what stays in its frame",
}


def patching_figure(found: Patching, side: Side = "after", width: float = PAGE) -> Figure:
    """One clip: the estimates, the exact effects where they are known, and whole layers."""
    panels = [("estimate", found.attribution[side])]
    if side in found.exact:
        panels.append(("exact", found.exact[side]))
    names = [str(index) for index in found.frame_indices]
    whole = found.whole.get(side)
    title = f"{found.card.name}: {found.target.name(found.card)}, {SIDE_NAMES[side]}"
    return _figure(panels, found.layers, names, whole, None, title, width)


def mean_figure(origin: PatchOrigin, found: MeanEffects, width: float = PAGE) -> Figure:
    """A data set: mean effects, and those of whole layers with their intervals."""
    names = [str(place + 1) for place in range(origin.frames)]
    kind = "exact" if found.is_exact else "estimate"
    spread = np.stack([found.whole - found.whole_low, found.whole_high - found.whole])
    title = (
        f"{origin.data.model}: {found.n:,} clips of {origin.data.data} and their reversals,"
        f" {SIDE_NAMES[origin.side]}"
    )
    panels = [(kind, found.values)]
    return _figure(panels, origin.layers, names, found.whole, np.maximum(spread, 0), title, width)


def _figure(
    panels: Sequence[tuple[str, np.ndarray]],
    layers: Sequence[str],
    frames: Sequence[str],
    whole: np.ndarray | None,
    spread: np.ndarray | None,
    title: str,
    width: float,
) -> Figure:
    columns = len(panels) + (whole is not None)
    figure = Figure(figsize=(width, 1.1 + 0.17 * len(layers)), layout="constrained")
    grid = figure.subplots(1, columns, squeeze=False, sharey=True)[0]
    values = np.concatenate([panel.ravel() for _, panel in panels])
    limit = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    for axes, (name, panel) in zip(grid, panels, strict=False):
        shades = axes.pcolormesh(panel, cmap=gate_colors(), vmin=-limit, vmax=limit)
        axes.set_xticks(np.arange(len(frames)) + 0.5, frames, fontsize=6)
        axes.set_xlabel("frame", fontsize=7)
        axes.set_title(name, fontsize=7)
    bar = figure.colorbar(shades, ax=grid[len(panels) - 1])
    bar.ax.tick_params(labelsize=6)
    bar.set_label("effect", fontsize=6)
    if whole is not None:
        _whole(grid[-1], whole, spread)
    grid[0].set_yticks(np.arange(len(layers)) + 0.5, layers, fontsize=6)
    grid[0].set_ylim(len(layers), 0)
    figure.suptitle(in_print(title), fontsize=7.5)
    return figure


def _whole(axes: Axes, whole: np.ndarray, spread: np.ndarray | None) -> None:
    places = np.arange(len(whole)) + 0.5
    axes.barh(places, whole, color=COLORS[0], height=0.7)
    if spread is not None:
        axes.errorbar(whole, places, xerr=spread, fmt="none", color="#16212E", linewidth=0.8)
    axes.axvline(1, color="#7B8794", linewidth=0.7, linestyle=":")
    axes.set_title("all frames", fontsize=7)
    axes.set_xlabel("effect", fontsize=7)
    axes.tick_params(axis="x", labelsize=6)
    axes.spines[["top", "right"]].set_visible(False)
