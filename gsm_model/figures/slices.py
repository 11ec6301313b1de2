"""Accuracy on slices of a data set for print."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.confusion.slices import SliceResult
from gsm_model.figures.labels import in_print, shortened
from gsm_model.figures.presets import Preset
from gsm_model.figures.style import series_style

GREY = "#7B8794"


def slices_figure(
    results: Sequence[SliceResult],
    names: Sequence[str],
    preset: Preset,
    colors: Sequence[str] | None = None,
) -> Figure:
    """`draw_slices` as a figure of its own."""
    properties = len({one.by for one in results})
    lines = 1.5 * (len(results) + properties) + 6
    figure = Figure(figsize=(preset.width, lines * preset.font / 72), layout="constrained")
    draw_slices(figure.subplots(), results, names, preset, colors)
    figure.legend(
        loc="outside lower center", ncols=2, fontsize=preset.small, frameon=False, handletextpad=0.2
    )
    return figure


def draw_slices(
    axes: Axes,
    results: Sequence[SliceResult],
    names: Sequence[str],
    preset: Preset,
    colors: Sequence[str] | None = None,
) -> None:
    """The accuracy of each model, called ``names``, on every slice with its 95 % interval, a line a
    slice under the name of its property; filled where the models differ by more than chance (5 %,
    after Holm), or where there is one model.
    """
    font = preset.font
    ticks, labels, place, before = [], [], -1.0, ""
    texts = shortened([one.name for one in results], max(24, int(8 * preset.width)))
    for one, text in zip(results, texts, strict=True):
        place += 1 if one.by == before else 2
        if one.by != before:
            ticks.append(place - 1)
            labels.append(in_print(one.by))
        before = one.by
        ticks.append(place)
        labels.append(in_print(f"{text} ({one.accuracy[0].n:,})"))
        sure = one.comparison is None or one.comparison.p_holm < 0.05
        for number, share in enumerate(one.accuracy):
            look = series_style(number)
            color = colors[number] if colors else look.color
            axes.errorbar(
                share.value,
                place + 0.22 * (number - (len(one.accuracy) - 1) / 2),
                xerr=[[max(share.value - share.low, 0)], [max(share.high - share.value, 0)]],
                fmt=look.marker,
                label=in_print(names[number]) if one is results[0] else None,
                color=color,
                markerfacecolor=color if sure else "white",
                markersize=0.45 * font,
                linewidth=0.8,
            )
    heads = {one.by for one in results}
    axes.set_yticks(ticks, labels, fontsize=preset.small)
    for tick in axes.get_yticklabels():
        if tick.get_text() in heads:
            tick.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=preset.small)
    axes.set_ylim(place + 0.6, -0.6)
    axes.set_xlim(-0.01, 1.01)
    axes.set_xlabel("accuracy", fontsize=font)
    axes.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.5)
    axes.spines[["top", "right"]].set_visible(False)
