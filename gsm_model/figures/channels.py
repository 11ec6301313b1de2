"""What channels carry for print: the share of them that carries each factor, by layer, and the
share that changes when clips are reversed or frozen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.data.synthetic.factors import FACTORS
from gsm_model.explain.channels.contrast import Contrast
from gsm_model.explain.channels.features import Side, Summary
from gsm_model.explain.channels.report import ChannelReport
from gsm_model.figures.labels import in_print
from gsm_model.figures.presets import COLUMN, PAGE
from gsm_model.figures.style import COLORS

SIDE_NAMES: dict[Side, str] = {
    "before": "before the temporal operator",
    "after": "after the temporal operator",
    "output": "the block's output",
    "gate": "the gates",
}
SUMMARY_NAMES: dict[Summary, str] = {
    "mean": "averaged over time",
    "slope": "by their slope over time",
}
MARKS: dict[Summary, str] = {"mean": "o", "slope": "D"}


def channels_figure(
    report: ChannelReport | None, found: Contrast, side: Side = "output", width: float | None = None
) -> Figure:
    """A panel a factor, of the channels at ``side``, and one of the contrast; without a report the
    last alone.
    """
    panels = 1 if report is None else len(FACTORS) + 1
    layers = found.layers
    size = (width or (COLUMN if report is None else PAGE), 1.25 + 0.15 * len(layers))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    if report is not None:
        for axes, factor in zip(grid, FACTORS, strict=False):
            for number, (summary, name) in enumerate(SUMMARY_NAMES.items()):
                there = [at for at, layer in enumerate(layers) if side in report.sides(layer)]
                shares = [report.share(layers[at], side, summary, factor) for at in there]
                axes.plot(
                    *(shares, there, MARKS[summary]),
                    color=COLORS[number],
                    markersize=3,
                    label=name,
                )
            axes.set_title(factor, fontsize=7)
    _contrast(grid[-1], found)
    grid[0].set_yticks(np.arange(len(layers)), layers, fontsize=6)
    grid[0].set_ylim(len(layers) - 0.5, -0.5)
    for axes in grid:
        axes.set_xlim(-0.03, 1.03)
        axes.tick_params(axis="x", labelsize=6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel("share of channels", fontsize=6.5)
    _legend(figure, [grid[0], grid[-1]] if report is not None else [grid[-1]])
    n = found.n if report is None else report.n
    at = f", {SIDE_NAMES[side]}" if report is not None else ""
    figure.suptitle(in_print(f"{found.card.name}: {n:,} clips of {found.data}{at}"), fontsize=7.5)
    return figure


def _contrast(axes: Axes, found: Contrast) -> None:
    for place, name in enumerate(("reversed", "frozen")):
        values, low, high = np.array([found.shares[layer][:, place] for layer in found.layers]).T
        axes.errorbar(
            values,
            np.arange(len(values)) + 0.2 * (place - 0.5),
            xerr=np.maximum([values - low, high - values], 0),
            fmt="s" if place else "^",
            color=COLORS[2 + place],
            markersize=3,
            linewidth=0.8,
            label=f"changed when {name}",
        )
    axes.set_title("contrast", fontsize=7)


def _legend(figure: Figure, panels: Sequence[Axes]) -> None:
    entries = [
        entry for axes in panels for entry in zip(*axes.get_legend_handles_labels(), strict=True)
    ]
    figure.legend(
        *([handle for handle, _ in entries], [name for _, name in entries]),
        fontsize=6,
        frameon=False,
        ncols=len(entries),
        loc="outside lower center",
    )
