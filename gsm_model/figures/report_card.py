"""A temporal report card as one printable page, a model beside others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.explain.report_card.card import LEVEL, TemporalCard
from gsm_model.figures.labels import in_print, shortened
from gsm_model.figures.style import series_style
from gsm_model.models.card import Measure

A4 = (8.27, 11.69)
TOP, BOTTOM = 0.975, 0.05  # of the heading and of the panels, as shares of the page's height
LINE = 0.0135  # of the heading, and of the legend below it
MOST_CLASSES, MOST_PAIRS = 30, 20
METRICS = {
    "forward": "frames as they are",
    "reversed": "frames reversed",
    "shuffled": "shuffled, mean of {}",
    "best shuffle": "shuffled, best of {}",
    "frozen": "middle frame frozen",
    "best single frame": "best single frame",
    "within pair": "the class within its pair",
    "reversed to reversed class": "reversed: answers the reversal",
    "errors to reversed class": "errors that are the reversal",
}


def card_figure(cards: Sequence[TemporalCard], footer: str = "") -> Figure:
    """The ``cards`` of one data set on an A4 page; ``footer`` says how it is made again."""
    figure = Figure(figsize=A4)
    heading = _heading(cards)
    below = TOP - LINE * len(heading.splitlines())
    height = below - LINE * math.ceil(len(cards) / 2 + 0.5) - BOTTOM
    figure.set_layout_engine("constrained", rect=(0.02, BOTTOM, 0.95, height))
    panels = figure.subplots(2, 2, height_ratios=(1, 1.5))
    for axes, draw in zip(panels.ravel(), (_accuracies, _cut, _pairs, _classes), strict=True):
        draw(axes, cards)
    handles, names = panels[0, 0].get_legend_handles_labels()
    _legend(figure, handles, names, below)
    _say(figure, heading, TOP, "top", 7.5)
    _say(figure, footer, 0.02, "bottom", 5.5)
    return figure


def _say(figure: Figure, text: str, y: float, at: str, size: float) -> None:
    figure.text(0.03, y, in_print(text), fontsize=size, va=at, ha="left", linespacing=1.4)


def _legend(figure: Figure, handles: Sequence, names: Sequence[str], top: float) -> None:
    """One for all panels, above them, so that it covers no value."""
    figure.legend(
        handles,
        names,
        loc="upper left",
        bbox_to_anchor=(0.03, top),
        borderaxespad=0,
        fontsize=7,
        frameon=False,
        ncols=2,
    )


def _heading(cards: Sequence[TemporalCard]) -> str:
    first = cards[0]
    failed = f", {first.failed:,} could not be read" if first.failed else ""
    lines = [f"Temporal report card: {first.n:,} clips of {first.origin.data}{failed}"]
    for card in cards:
        need, no_need = len(card.need_time), len(card.no_need_shown)
        lines.append(
            f"{card.origin.model} ({card.origin.checkpoint[:12]}): {need} of {need + no_need}"
            f" classes need the order (exact tests, corrected after Holm, p < {LEVEL:g}); of the"
            f" other {no_need} no need was shown"
        )
    return "\n".join([*lines, "Bars are 95 % intervals"])


def _points(
    axes: Axes, number: int, count: int, measures: Sequence[tuple[int, Measure]], label: str
) -> None:
    look = series_style(number)
    offset = (number - (count - 1) / 2) * min(0.22, 0.7 / count)
    values = [one.value for _, one in measures]
    spread = [
        [max(one.value - one.low, 0) for _, one in measures],
        [max(one.high - one.value, 0) for _, one in measures],
    ]
    axes.errorbar(
        values,
        [place + offset for place, _ in measures],
        xerr=np.nan_to_num(spread),
        fmt=look.marker,
        color=look.color,
        markersize=3.5,
        linewidth=1,
        capsize=1.5,
        label=label,
    )


def _accuracies(axes: Axes, cards: Sequence[TemporalCard]) -> None:
    metrics = [name for name in METRICS if any(card.measure(name) for card in cards)]
    for number, card in enumerate(cards):
        known = [(place, card.measure(name)) for place, name in enumerate(metrics)]
        _points(
            axes,
            number,
            len(cards),
            [(place, one) for place, one in known if one is not None],
            in_print(card.origin.model),
        )
    names = [METRICS[name].format(cards[0].shuffles) for name in metrics]
    _rows(axes, names, "share of the clips")
    axes.set_title("Right, in these orders of the frames", fontsize=8)


def _cut(axes: Axes, cards: Sequence[TemporalCard]) -> None:
    axes.set_title("All temporal exchange cut from a layer on", fontsize=8)
    layers = list(dict.fromkeys(layer for card in cards for layer, _, _ in card.cut))
    if not layers:
        axes.text(0.5, 0.5, "No temporal module to cut", ha="center", fontsize=7)
        axes.set_axis_off()
        return
    within = any(one is not None for card in cards for _, _, one in card.cut)
    for number, card in enumerate(cards):
        known = [
            (layers.index(layer), pair if within and pair is not None else top1)
            for layer, top1, pair in card.cut
        ]
        if known:
            _points(axes, number, len(cards), known, in_print(card.origin.model))
    _rows(axes, layers, "within-pair accuracy" if within else "top-1 accuracy")
    if within:
        axes.axvline(0.5, color="#7B8794", linewidth=0.7, linestyle=":")


def _pairs(axes: Axes, cards: Sequence[TemporalCard]) -> None:
    groups = [pair.group for pair in cards[0].pairs][: MOST_PAIRS + 1]
    axes.set_title("Right within the pair, forward and reversed both", fontsize=8)
    if not groups:
        axes.text(0.5, 0.5, "No class has its time reversal\namong the classes", ha="center")
        axes.set_axis_off()
        return
    for number, card in enumerate(cards):
        known = [
            (groups.index(pair.group), pair.both) for pair in card.pairs if pair.group in groups
        ]
        _points(axes, number, len(cards), known, in_print(card.origin.model))
    names = [
        "\n".join(in_print(name) for name in shortened(group.split(" / "), 30)) for group in groups
    ]
    _rows(axes, names, "share of the clips", 5.5)


def _classes(axes: Axes, cards: Sequence[TemporalCard]) -> None:
    ranked = sorted(cards[0].classes, key=lambda one: -one.difference)
    if len(ranked) > MOST_CLASSES:
        ranked = [*ranked[: MOST_CLASSES // 2], *ranked[-(MOST_CLASSES // 2) :]]
    names = [one.name for one in ranked]
    for number, card in enumerate(cards):
        look = series_style(number)
        offset = (number - (len(cards) - 1) / 2) * min(0.22, 0.7 / len(cards))
        for one in card.classes:
            if one.name not in names:
                continue
            place = names.index(one.name) + offset
            needs = one.name in card.need_time
            axes.plot([one.low, one.high], [place, place], color=look.color, linewidth=1)
            axes.plot(
                one.difference,
                place,
                look.marker,
                color=look.color,
                markersize=3.5,
                markerfacecolor=look.color if needs else "white",
            )
    axes.axvline(0, color="#7B8794", linewidth=0.7)
    _rows(axes, [in_print(name) for name in shortened(names, 34)], "", 5.5)
    axes.set_xlim(-0.5, 1.03)
    axes.set_xlabel("accuracy in order less shuffled; filled: needs the order", fontsize=7)
    shown = "" if len(names) == len(cards[0].classes) else f", {len(names)} of them"
    axes.set_title(f"Which classes need the order{shown}", fontsize=8)


def _rows(axes: Axes, names: Sequence[str], title: str, size: float = 6.5) -> None:
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(title, fontsize=7)
    axes.tick_params(axis="x", labelsize=6.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", linewidth=0.3)
