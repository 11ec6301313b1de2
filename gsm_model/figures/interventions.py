"""What experiments on gates do to accuracy, for print: every clamp, and which layer carries the
order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.explain.gates.clamps import CLAMPS
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import COLORS, INK, series_style

SERIES = {
    "{} alone closed": "this layer closed",
    "{} alone working": "this layer alone working",
    "closed up to {}": "closed up to this layer",
    "closed from {} on": "closed from this layer on",
}


def interventions_figure(
    rows: Sequence[dict], width: float = PAGE, figure_of: str | None = None
) -> Figure:
    """``rows`` of `effects_table`: accuracy under each clamp of all layers, and with layers closed
    one by one, with 95 % intervals.

    ``figure_of`` is ``within_pair`` (chance is one half) or ``top1``; without it the first where
    classes have pairs, else the second.
    """
    if figure_of is None:
        figure_of = "top1" if rows[0]["within_pair"] is None else "within_pair"
    by_name = {row["intervention"]: row for row in rows if row[figure_of] is not None}
    clamps = [name for name in ("none", *CLAMPS) if name in by_name]
    titles = [
        name.removesuffix(" alone closed") for name in by_name if name.endswith(" alone closed")
    ]
    figure = Figure(figsize=(width, 2.7), layout="constrained")
    if titles:
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
        _layers(right, by_name, titles, figure_of)
    else:
        left = figure.subplots()
    _clamps(left, by_name, clamps, figure_of)
    first = rows[0]
    n = first["n_within_pair"] if figure_of == "within_pair" else first["n"]
    figure.suptitle(
        f"{first['model']}: {n:,} clips of {first['data']}, 95 % intervals", fontsize=7.5
    )
    return figure


def _clamps(axes: Axes, by_name: dict[str, dict], clamps: Sequence[str], key: str) -> None:
    for place, name in enumerate(clamps):
        row = by_name[name]
        spread = [[max(row[key] - row[f"{key}_low"], 0)], [max(row[f"{key}_high"] - row[key], 0)]]
        color = INK if name == "none" else COLORS[0]
        axes.errorbar(
            row[key],
            place,
            xerr=spread,
            fmt="o",
            color=color,
            markersize=3.5,
            linewidth=1,
            capsize=2,
        )
    axes.set_yticks(
        range(len(clamps)),
        ["as it is" if name == "none" else name for name in clamps],
        fontsize=6.5,
    )
    axes.invert_yaxis()
    _share_axis(axes.set_xlabel, axes.set_xlim, key)
    _mark_chance(axes.axvline, key)
    axes.set_title("all gates held at …", fontsize=7)
    _finish(axes)


def _layers(axes: Axes, by_name: dict[str, dict], titles: Sequence[str], key: str) -> None:
    for number, (pattern, label) in enumerate(SERIES.items()):
        rows = [by_name[pattern.format(title)] for title in titles]
        spread = [
            [max(row[key] - row[f"{key}_low"], 0) for row in rows],
            [max(row[f"{key}_high"] - row[key], 0) for row in rows],
        ]
        look = series_style(number)
        axes.errorbar(
            range(len(titles)),
            [row[key] for row in rows],
            yerr=spread,
            fmt=look.marker + look.dash,
            label=label,
            color=look.color,
            markersize=3,
            linewidth=1,
            capsize=1.5,
        )
    axes.set_xticks(range(len(titles)), titles, fontsize=6, rotation=30, ha="right")
    _share_axis(axes.set_ylabel, axes.set_ylim, key)
    _mark_chance(axes.axhline, key)
    axes.legend(fontsize=5.5, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    _finish(axes)


def _share_axis(
    set_label: Callable[..., object], set_limits: Callable[..., object], key: str
) -> None:
    set_label("within-pair accuracy" if key == "within_pair" else "top-1 accuracy", fontsize=7)
    set_limits(-0.02, 1.03)


def _mark_chance(line: Callable[..., object], key: str) -> None:
    if key == "within_pair":
        line(0.5, color="#7B8794", linewidth=0.7, linestyle=":")


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=6.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(linewidth=0.3)
