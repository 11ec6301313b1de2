"""Systems trained alike, for print: what each can tell against what it costs, and which pairs of
actions it tells apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.evaluation.systems import trainings
from gsm_model.figures.labels import shortened
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import INK, gate_colors, series_style

Row = Mapping[str, Any]
PAIR_CHARACTERS = 32


def systems_figure(rows: Sequence[Row], split: str) -> Figure:
    """``rows`` (of `measured`, at least one): *within pair* against multiply-adds with intervals
    above, further trainings as small marks, and below a matrix of systems and pairs of actions, in
    the rows' order.
    """
    pairs = pairs_of(rows, split)
    height = 0.155 * len(rows) + 1.3 if pairs else 0.0
    figure = Figure(figsize=(PAGE, 2.9 + height), layout="constrained")
    if not pairs:
        _against_cost(figure.subplots(), rows, split)
        return figure
    [[top], [bottom]] = figure.subfigures(2, 1, squeeze=False, height_ratios=(2.9, height))
    _against_cost(top.subplots(), rows, split)
    _pair_by_pair(bottom.subplots(), rows, pairs, split)
    return figure


def pairs_of(rows: Sequence[Row], split: str) -> list[str]:
    """The pairs of actions that any of ``rows`` was measured on."""
    found = [pair for row in rows for pair in ((row.get("pairs") or {}).get(split) or {})]
    return list(dict.fromkeys(found))


def pair_shares(rows: Sequence[Row], pairs: Sequence[str], split: str) -> np.ndarray:
    """*Within pair* of each row's clips of each pair, (rows, pairs); NaN where it was not
    measured.
    """
    shares = [
        [((row.get("pairs") or {}).get(split) or {}).get(pair, {}).get("value") for pair in pairs]
        for row in rows
    ]
    return np.array(shares, dtype=np.float64).reshape(len(rows), len(pairs))


def _against_cost(axes: Axes, rows: Sequence[Row], split: str) -> None:
    for number, row in enumerate(rows):
        look, share = series_style(number), row[split]["within_pair"]
        axes.errorbar(
            [row["gmacs"]],
            [share["value"]],
            yerr=[
                [max(share["value"] - share["low"], 0)],
                [max(share["high"] - share["value"], 0)],
            ],
            fmt=look.marker,
            color=look.color,
            markersize=4,
            linewidth=0.8,
            capsize=1.5,
            label=row["title"],
        )
        further = trainings(row, split)[1:]
        axes.plot(
            [row["gmacs"]] * len(further),
            further,
            linestyle="none",
            marker=look.marker,
            markersize=2,
            color=look.color,
        )
    axes.axhline(0.5, color=INK, linewidth=0.6, linestyle=":")
    axes.set_xscale("log")
    ticks = [tick for tick in (2, 3, 5, 10, 15, 20, 30, 50) if _within(tick, rows)]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("GMAC a clip (ResNet-18, 174 classes, 8 frames of 224 × 224)", fontsize=7)
    axes.set_ylabel("within pair", fontsize=7)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        fontsize=6,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.03),
        ncols=2,
        handletextpad=0.2,
        columnspacing=0.8,
    )


def _within(tick: float, rows: Sequence[Row]) -> bool:
    costs = [row["gmacs"] for row in rows]
    return min(costs) / 1.3 <= tick <= max(costs) * 1.3


def _pair_by_pair(axes: Axes, rows: Sequence[Row], pairs: Sequence[str], split: str) -> None:
    shares = pair_shares(rows, pairs, split)
    axes.imshow(shares, cmap=gate_colors(), vmin=0, vmax=1, aspect="auto")
    for (row, pair), share in np.ndenumerate(shares):
        if np.isfinite(share):
            color = "white" if share < 0.15 else INK
            text = f"{100 * share:.0f}"
            axes.text(pair, row, text, ha="center", va="center", fontsize=6, color=color)
    axes.set_yticks(range(len(rows)), [row["title"] for row in rows], fontsize=6)
    names = shortened([pair.split(" / ")[0] for pair in pairs], PAIR_CHARACTERS)
    axes.set_xticks(range(len(pairs)), names, fontsize=6, rotation=30, ha="right")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(
        "within pair in %, by pair (named by its first action); white: chance", fontsize=7
    )
