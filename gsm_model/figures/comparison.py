"""More figures of two models' answers for print: gains by class, the whole matrix with alike
classes together, calibration, the clips' scores as points. Each has a function that draws on given
axes, and one that makes the figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from gsm_model.confusion.calibration import Reliability
from gsm_model.confusion.clusters import cluster_order
from gsm_model.confusion.embedding import Embedding, Marked
from gsm_model.confusion.matrix import confusion
from gsm_model.confusion.pairs import mutual_confusion
from gsm_model.confusion.significance import Comparison
from gsm_model.figures.labels import in_print, shortened
from gsm_model.figures.presets import Preset
from gsm_model.figures.style import series_style
from gsm_model.predictions.table import Predictions

MOST_GAINS = 40  # rows that fit a page; of more classes, the largest gains and the largest losses
MOST_CELLS = 60  # classes whose matrix is drawn cell by cell; a larger one is a picture, which LaTeX can still hold  # noqa: E501
GREY = "#7B8794"


def gains_figure(
    rows: Sequence[Comparison], preset: Preset, colors: Sequence[str] | None = None
) -> Figure:
    """`draw_gains` as a figure of its own."""
    figure = Figure(
        figsize=(preset.width, (1.5 * min(len(rows) - 1, MOST_GAINS) + 4) * preset.font / 72),
        layout="constrained",
    )
    draw_gains(figure.subplots(), rows, preset, colors)
    return figure


def draw_gains(
    axes: Axes, rows: Sequence[Comparison], preset: Preset, colors: Sequence[str] | None = None
) -> None:
    """The difference of accuracies B − A of every group but the first (*all*), sorted, with 95 %
    intervals; filled where the p corrected after Holm is below 5 %. ``colors`` are A's and B's:
    each group has that of the model that is better at it."""
    of_a, of_b = colors or (series_style(0).color, series_style(1).color)
    ordered = sorted(rows[1:], key=lambda row: -row.difference)
    if len(ordered) > MOST_GAINS:
        ordered = ordered[: MOST_GAINS // 2] + ordered[-MOST_GAINS // 2 :]
    font = preset.font
    for place, row in enumerate(ordered):
        spread = [[max(row.difference - row.low, 0)], [max(row.high - row.difference, 0)]]
        color = of_b if row.difference > 0 else of_a if row.difference < 0 else GREY
        axes.errorbar(
            row.difference,
            place,
            xerr=spread,
            fmt="o",
            linewidth=0.8,
            color=color,
            markerfacecolor=color if row.p_holm < 0.05 else "white",
            markersize=0.5 * font,
        )
    axes.axvline(0, color=GREY, linewidth=0.7)
    names = shortened([row.name for row in ordered], max(24, int(8 * preset.width)))
    axes.set_yticks(
        range(len(ordered)),
        [in_print(name, preset.italics) for name in names],
        fontsize=preset.small,
    )
    axes.set_ylim(len(ordered) - 0.4, -0.6)
    axes.set_xlabel(f"accuracy, B − A ({rows[0].n:,} clips)", fontsize=font)
    axes.tick_params(axis="x", labelsize=preset.small)
    axes.spines[["top", "right"]].set_visible(False)


def matrix_figure(models: Sequence[Predictions], preset: Preset) -> Figure:
    """Shares of every true class (rows) by answer (columns), a panel a model, classes that are
    taken for each other side by side; names where they fit. In a column the panels stand one above
    the other."""
    order = cluster_order(np.sum([mutual_confusion(model) for model in models], axis=0))
    k, narrow = len(order), preset.width < 5
    side = (0.62 if narrow else 0.8 / len(models)) * preset.width
    rows, columns = (len(models), 1) if narrow else (1, len(models))
    figure = Figure(
        figsize=(preset.width, min(rows * (side + 4 * preset.font / 72) + 0.4, 9)),
        layout="constrained",
    )
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, model in zip(grid.ravel(), models, strict=True):
        shades = draw_matrix(axes, model, order, preset.font)
    names = [
        in_print(name, preset.italics)
        for name in shortened([models[0].labels[index] for index in order], 24)
    ]
    for axes in grid[:, 0]:
        if 1.15 * preset.small * k <= 72 * side:
            axes.set_yticks(range(k), names, fontsize=preset.small)
        else:
            axes.set_ylabel("true class", fontsize=preset.font)
    for axes in grid[-1]:
        axes.set_xlabel("answer, in the same order", fontsize=preset.font)
    bar = figure.colorbar(shades, ax=list(grid.ravel()), location="bottom", shrink=0.6, aspect=30)
    bar.ax.tick_params(labelsize=preset.small)
    return figure


def draw_matrix(axes: Axes, model: Predictions, order: np.ndarray, font: float) -> ScalarMappable:
    """One model's shares of the true class in ``order``; returns what a colour bar is made of."""
    shares, k = confusion(model, "true")[np.ix_(order, order)], len(order)
    shades: ScalarMappable
    if k <= MOST_CELLS:
        shades = axes.pcolormesh(
            shares,
            shading="nearest",
            edgecolors="face",
            linewidth=0.1,
            cmap="Greys",
            vmin=0,
            vmax=1,
        )
        axes.set_xlim(-0.5, k - 0.5)
        axes.set_ylim(k - 0.5, -0.5)
    else:
        shades = axes.imshow(
            shares, interpolation="nearest", aspect="auto", cmap="Greys", vmin=0, vmax=1
        )
    axes.set_title(in_print(f"{model.model} ({len(model.ids):,} clips)"), fontsize=font)
    axes.set_xticks([])
    axes.set_yticks([])
    return shades


def calibration_figure(
    models: Sequence[Reliability], preset: Preset, colors: Sequence[str] | None = None
) -> Figure:
    """`draw_calibration` as a figure of its own."""
    side = min(preset.width, 3.25)
    figure = Figure(figsize=(side, side), layout="constrained")
    draw_calibration(figure.subplots(), models, preset, colors)
    return figure


def draw_calibration(
    axes: Axes,
    models: Sequence[Reliability],
    preset: Preset,
    colors: Sequence[str] | None = None,
) -> None:
    """Accuracy against confidence for each model, in its one of ``colors``, with 95 % intervals;
    the expected calibration error is in the key.
    """
    font = preset.font
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.7, linestyle=":")
    for number, one in enumerate(models):
        values = np.array([[share.value, share.low, share.high] for share in one.accuracy])
        spread = np.maximum([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]], 0)
        n = sum(share.n for share in one.accuracy)
        label = in_print(f"{one.model}: error {100 * one.error:.1f} % ({n:,} clips)")
        look = series_style(number)
        axes.errorbar(
            one.confidence,
            values[:, 0],
            yerr=spread,
            fmt=look.marker + "-",
            label=label,
            color=colors[number] if colors else look.color,
            markersize=0.5 * font,
            linewidth=0.9,
            capsize=1.5,
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence", fontsize=font)
    axes.set_ylabel("accuracy", fontsize=font)
    axes.tick_params(labelsize=preset.small)
    axes.legend(fontsize=preset.small, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def embedding_figure(
    embeddings: Sequence[Embedding],
    marks: Sequence[Marked],
    preset: Preset,
    colors: Sequence[str] | None = None,
) -> Figure:
    """A panel a model of its clips as points, marked as ``marks`` says of each, every kind in its
    one of ``colors``; one key for all."""
    side = preset.width / len(embeddings)
    figure = Figure(figsize=(preset.width, side + 5 * preset.font / 72), layout="constrained")
    grid = figure.subplots(1, len(embeddings), squeeze=False)[0]
    for axes, embedding, marked in zip(grid, embeddings, marks, strict=True):
        draw_embedding(axes, embedding, marked, preset, colors)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=2,
        fontsize=preset.small,
        frameon=False,
        markerscale=1.6,
    )
    return figure


def draw_embedding(
    axes: Axes,
    embedding: Embedding,
    marked: Marked,
    preset: Preset,
    colors: Sequence[str] | None = None,
) -> None:
    """The clips of one model as points, each kind of ``marked`` in a colour and a shape of its own,
    what is marked as nothing in grey.
    """
    font = preset.font
    names = [
        in_print(name, preset.italics)
        for name in shortened(marked.names, max(16, int(6 * preset.width)))
    ]
    for kind in (-1, *range(len(names))):
        points = embedding.points[marked.kinds == kind]
        rest = (
            {"c": "#C9D1D9", "marker": ".", "label": None}
            if kind < 0
            else {
                "c": colors[kind] if colors else series_style(kind).color,
                "marker": series_style(kind).marker,
            }
        )
        if kind >= 0:
            rest |= {"label": names[kind]}
        axes.scatter(
            points[:, 0],
            points[:, 1],
            s=0.25 * font**1.5 * (0.4 if kind < 0 else 1),
            linewidths=0,
            **rest,
        )
    axes.set_title(in_print(f"{embedding.model} ({len(embedding.rows):,} clips)"), fontsize=font)
    axes.set_xlabel(f"{embedding.of}, {embedding.about}", fontsize=preset.small)
    axes.set_xticks([])
    axes.set_yticks([])
