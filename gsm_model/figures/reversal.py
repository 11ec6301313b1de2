"""The paper's claim as a figure: which share of answers goes to the time reversal when the frames
are reversed.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from gsm_model.evaluation.reversal import Flips
from gsm_model.figures.style import series_style


def flips_figure(models: Sequence[tuple[str, Sequence[Flips]]]) -> Figure:
    """For each (model's name, its groups): the share to the reversed class with its 95 % interval,
    a row for each group of any model.
    """
    groups = list(dict.fromkeys(flips.group for _, rows in models for flips in rows))
    figure = Figure(figsize=(6.875, 0.9 + 0.32 * len(groups)), layout="constrained")
    axes = figure.subplots()
    step = min(0.22, 0.8 / len(models))  # so that the rows of one group stay apart from the next's
    for number, (name, rows) in enumerate(models):
        look = series_style(number)
        offset = (number - (len(models) - 1) / 2) * step
        places = [groups.index(flips.group) + offset for flips in rows]
        shares = [flips.to_reversed_class for flips in rows]
        spread = [
            [max(s.value - s.low, 0) for s in shares],
            [max(s.high - s.value, 0) for s in shares],
        ]
        axes.errorbar(
            [s.value for s in shares],
            places,
            xerr=spread,
            fmt=look.marker,
            color=look.color,
            markersize=4,
            linewidth=1,
            capsize=2,
            label=name,
        )
    axes.set_yticks(
        range(len(groups)), [group.replace(" / ", "\n") for group in groups], fontsize=6
    )
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)
    n, data = models[0][1][0].to_reversed_class.n, models[0][1][0].to_reversed_class.data
    axes.set_xlabel(
        f"share of answers that become their time reversal on reversed frames\n{n:,} clips, {data},"
        " 95 % intervals",
        fontsize=7,
    )
    axes.tick_params(axis="x", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", linewidth=0.3)
    figure.legend(fontsize=7, frameon=False, loc="outside upper right", ncols=min(len(models), 4))
    return figure
