"""How maps lie on what is known to move in drawn clips, for print: by method and by layer."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import series_style

MEASURES = {"hit": "largest place on what moves", "energy": "share of the map on what moves"}
GREY = "#7B8794"


def cam_scores_figure(rows: Sequence[dict], width: float = PAGE) -> Figure:
    """``rows`` of `cam_scores`, of which those for the true class are shown: for each layer and
    method the share of clips whose largest place is on what moves, and the mean share of the map
    that is, with 95 % intervals; dotted, what a map without knowledge, a blob in the centre and the
    change between frames reach."""
    shown = [row for row in rows if row["target"] == "class"]
    layers, methods = (
        list(dict.fromkeys(row[key] for row in shown)) for key in ("layer", "method")
    )
    figure = Figure(figsize=(width, 2.9), layout="constrained")
    grid = figure.subplots(1, 2)
    for axes, (key, name) in zip(grid, MEASURES.items(), strict=True):
        for number, method in enumerate(methods):
            _line(axes, [row for row in shown if row["method"] == method], layers, key, number)
        first = shown[0]
        for value, text, style in (
            (first["area"], "no knowledge", ":"),
            (first[f"centre_{key}"], "centre", (0, (5, 1))),
            (first[f"change_{key}"], "change", (0, (1, 3))),
        ):
            axes.axhline(value, color=GREY, linewidth=0.9, linestyle=style, label=text)
        axes.set_xticks(
            range(len(layers)),
            [layer.replace(":", "\n") for layer in layers],
            fontsize=6,
            rotation=90,
        )
        axes.set_ylim(0, None)
        axes.set_ylabel(name, fontsize=7)
        axes.tick_params(axis="y", labelsize=6)
        axes.spines[["top", "right"]].set_visible(False)
    handles, names = grid[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", fontsize=6, frameon=False)
    figure.suptitle(
        f"{first['model']}: {first['n']:,} clips of {first['data']}, true class, 95 % intervals",
        fontsize=7.5,
    )
    return figure


def _line(axes: Axes, rows: Sequence[dict], layers: Sequence[str], key: str, number: int) -> None:
    by_layer = {row["layer"]: row for row in rows if row[key] is not None}
    places = [place for place, layer in enumerate(layers) if layer in by_layer]
    found = [by_layer[layers[place]] for place in places]
    values = [row[key] for row in found]
    spread = [
        [row[key] - row[f"{key}_low"] for row in found],
        [row[f"{key}_high"] - row[key] for row in found],
    ]
    beside = [
        place + 0.09 * (number - 2.5) for place in places
    ]  # so that intervals do not cover each other
    look = series_style(number)
    axes.errorbar(
        beside,
        values,
        yerr=spread,
        markersize=2.5,
        linewidth=0.8,
        elinewidth=0.6,
        label=rows[0]["method"],
        color=look.color,
        marker=look.marker,
        linestyle=look.dash,
    )
