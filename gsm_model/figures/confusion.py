"""Pairs of classes that are taken for each other, for print: what becomes of their clips under each
model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.confusion.pairs import Pair, PairView, view_pair
from gsm_model.figures.labels import in_print, shortened, wrapped
from gsm_model.figures.presets import PRESETS, Preset
from gsm_model.predictions.table import Predictions

LIGHT_INK, DARK_INK = "#FFFFFF", "#16212E"


def pairs_figure(
    models: Sequence[Predictions], pairs: Sequence[Pair], preset: Preset = PRESETS["cvpr-page"]
) -> Figure:
    """A row a pair, a column a model: of the clips of each class of the pair (rows of a cell), the
    shares that are taken for the first class, the second, or any other. The figure says how many
    clips and of what data.

    Raises:
        ValueError: if there is no pair or no model.
    """
    if not pairs or not models:
        raise ValueError(f"a figure needs pairs and models, got {len(pairs)} and {len(models)}")
    font = preset.font
    row = 5.6 * font / 72
    figure = Figure(figsize=(preset.width, row * len(pairs) + 5 * font / 72), layout="constrained")
    grid = figure.subplots(len(pairs), len(models), squeeze=False)
    line = int(
        0.3 * preset.width * 72 / (0.56 * preset.small)
    )  # characters of a class name beside its row, which has two lines
    for axes_row, pair in zip(grid, pairs, strict=True):
        names = shortened([models[0].labels[index] for index in pair], 2 * line - 6)
        for column, (axes, model) in enumerate(zip(axes_row, models, strict=True)):
            draw_pair(axes, view_pair(model, pair), font)
            if column == 0:
                axes.set_yticks(
                    (0, 1),
                    [in_print(wrapped(name, line), preset.italics) for name in names],
                    fontsize=preset.small,
                    linespacing=0.9,
                )
    for axes, model in zip(grid[0], models, strict=True):
        axes.set_title(in_print(model.model), fontsize=font)
    for axes in grid[-1]:
        axes.set_xticks(range(3), ["upper", "lower", "other"], fontsize=preset.small)
        axes.set_xlabel("taken for", fontsize=font)
    n = int(np.isin(models[0].truth, [index for pair in pairs for index in pair]).sum())
    figure.supxlabel(
        in_print(f"{n:,} clips of {models[0].data}; per cent of the true class"),
        fontsize=preset.small,
    )
    return figure


def draw_pair(axes: Axes, view: PairView, font: float) -> None:
    """One pair's 2 × 3 shares in ``axes``: per cent in every cell, dark on light and light on
    dark.
    """
    clips = view.counts.sum(1, keepdims=True)
    shares = view.counts / np.maximum(clips, 1)
    axes.pcolormesh(
        shares, cmap="Greys", vmin=0, vmax=1, edgecolors="face", linewidth=0.2, shading="nearest"
    )
    for row in range(2):
        for column in range(3):
            ink = LIGHT_INK if shares[row, column] > 0.5 else DARK_INK
            text = f"{100 * shares[row, column]:.0f}" if clips[row, 0] else "–"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=font)
    axes.set_xlim(-0.5, 2.5)
    axes.set_ylim(1.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.axvline(1.5, color="#7B8794", linewidth=0.8)
