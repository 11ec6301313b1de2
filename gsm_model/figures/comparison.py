"""More figures of two models' answers for print: gains by class, the whole matrix with alike classes together, calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from gsm_model.confusion.answers import Answers
from gsm_model.confusion.calibration import Reliability
from gsm_model.confusion.clusters import cluster_order
from gsm_model.confusion.matrix import confusion
from gsm_model.confusion.pairs import mutual_confusion
from gsm_model.confusion.significance import Comparison
from gsm_model.figures.labels import shortened
from gsm_model.figures.presets import Preset
from gsm_model.figures.style import COLORS, MARKERS

MOST_GAINS = 40  # rows that fit a page; of more classes, the largest gains and the largest losses


def gains_figure(rows: Sequence[Comparison], preset: Preset) -> Figure:
    """The difference of accuracies B − A of every group but the first (*all*), sorted, with 95 % intervals; filled where the p
    corrected after Holm is below 5 %."""
    ordered = sorted(rows[1:], key=lambda row: -row.difference)
    if len(ordered) > MOST_GAINS:
        ordered = ordered[: MOST_GAINS // 2] + ordered[-MOST_GAINS // 2 :]
    font = preset.font
    figure = Figure(figsize=(preset.width, (1.5 * len(ordered) + 4) * font / 72), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(ordered):
        spread = [[max(row.difference - row.low, 0)], [max(row.high - row.difference, 0)]]
        fill = COLORS[0] if row.p_holm < 0.05 else "white"
        axes.errorbar(
            row.difference, place, xerr=spread, fmt="o", color=COLORS[0], markerfacecolor=fill, markersize=0.5 * font, linewidth=0.8
        )
    axes.axvline(0, color="#7B8794", linewidth=0.7)
    axes.set_yticks(range(len(ordered)), shortened([row.name for row in ordered], max(16, int(5.5 * preset.width))), fontsize=font - 1)
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    axes.set_xlabel(f"accuracy, B − A ({rows[0].n:,} clips)", fontsize=font)
    axes.tick_params(axis="x", labelsize=font - 1)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def matrix_figure(models: Sequence[Answers], preset: Preset) -> Figure:
    """Shares of every true class (rows) by answer (columns), a panel a model, classes that are taken for each other side by side; names
    where they fit."""
    order = cluster_order(sum(mutual_confusion(model) for model in models))
    font, k = preset.font, len(order)
    names_fit = 1.25 * font * k / 72 <= preset.width
    side = preset.width / len(models)
    figure = Figure(figsize=(preset.width, min(side + 6 * font / 72, 9)), layout="constrained")
    grid = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
    for axes, model in zip(grid, models, strict=True):
        image = axes.imshow(confusion(model, "true")[np.ix_(order, order)], cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(f"{model.model} ({len(model.ids):,} clips)", fontsize=font)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_xlabel("answer, in the same order", fontsize=font)
    if names_fit:
        names = shortened([models[0].labels[index] for index in order], 18)
        grid[0].set_yticks(range(k), names, fontsize=min(font - 1, 72 * side / k / 1.15))
    else:
        grid[0].set_ylabel("true class", fontsize=font)
    bar = figure.colorbar(image, ax=list(grid), shrink=0.6, aspect=25)
    bar.ax.tick_params(labelsize=font - 1)
    return figure


def calibration_figure(models: Sequence[Reliability], preset: Preset) -> Figure:
    """Accuracy against confidence for each model with 95 % intervals; the expected calibration error is in the key."""
    font = preset.font
    side = min(preset.width, 3.25)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#7B8794", linewidth=0.7, linestyle=":")
    for number, one in enumerate(models):
        values = np.array([[share.value, share.low, share.high] for share in one.accuracy])
        spread = np.maximum([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]], 0)
        n = sum(share.n for share in one.accuracy)
        label = f"{one.model}: error {100 * one.error:.1f} % ({n:,} clips)"
        style = {"fmt": MARKERS[number] + "-", "color": COLORS[number], "markersize": 0.5 * font, "linewidth": 0.9, "capsize": 1.5}
        axes.errorbar(one.confidence, values[:, 0], yerr=spread, label=label, **style)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence", fontsize=font)
    axes.set_ylabel("accuracy", fontsize=font)
    axes.tick_params(labelsize=font - 1)
    axes.legend(fontsize=font - 1, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
