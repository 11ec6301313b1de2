"""The Plotly figure of accuracies on slices: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from app.components.chart_style import SYMBOLS, short
from gsm_model.confusion.slices import SliceResult
from gsm_model.figures.labels import shortened


def slices(
    results: Sequence[SliceResult], names: Sequence[str], colors: Sequence[str]
) -> go.Figure:
    """The accuracy of every model on every slice with its 95 % interval, under the name of the
    slice's property; filled where the models differ by more than chance (5 %, after Holm), or where
    there is one model.
    """
    places, ticks, labels = _lines(results)
    figure = go.Figure()
    sure = [one.comparison is None or one.comparison.p_holm < 0.05 for one in results]
    for number, (name, color) in enumerate(zip(names, colors, strict=True)):
        shares = [one.accuracy[number] for one in results]
        symbol = SYMBOLS[number % len(SYMBOLS)]
        figure.add_scatter(
            x=[share.value for share in shares],
            y=[place + 0.22 * (number - (len(names) - 1) / 2) for place in places],
            mode="markers",
            name=short(name),
            marker={
                "size": 9,
                "symbol": [symbol if one else f"{symbol}-open" for one in sure],
                "color": color,
                "line": {"width": 2, "color": color},
            },
            error_x={
                "array": [max(share.high - share.value, 0) for share in shares],
                "arrayminus": [max(share.value - share.low, 0) for share in shares],
                "thickness": 1.5,
                "color": color,
            },
            customdata=[
                [short(f"{one.by}: {one.name}", 120), share.n, share.low, share.high, _tested(one)]
                for one, share in zip(results, shares, strict=True)
            ],
            hovertemplate=(
                "%{customdata[0]}<br>%{x:.1%} (%{customdata[2]:.1%} to %{customdata[3]:.1%}) of"
                " %{customdata[1]:,} clips%{customdata[4]}<extra></extra>"
            ),
        )
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%", title="accuracy")
    figure.update_yaxes(
        range=[places[-1] + 0.7, -0.7],
        tickvals=ticks,
        ticktext=labels,
        tickfont_size=11,
        showgrid=False,
        zeroline=False,
    )
    return figure.update_layout(
        height=150 + 24 * len(ticks),
        margin={"l": 8, "r": 16, "t": 62, "b": 48},  # room for the tools above the key
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )


def _lines(results: Sequence[SliceResult]) -> tuple[list[float], list[float], list[str]]:
    """Where each slice's line is, and where every line's label, those of properties too."""
    places, ticks, labels, place, before = [], [], [], -1.0, ""
    texts = shortened([one.name for one in results], 28)
    for one, text in zip(results, texts, strict=True):
        if one.by != before:
            place += 1
            ticks.append(place)
            labels.append(f"<b>{short(one.by)}</b>")
            before = one.by
        place += 1
        places.append(place)
        ticks.append(place)
        labels.append(short(text))
    return places, ticks, labels


def _tested(one: SliceResult) -> str:
    return "" if one.comparison is None else f", p after Holm {one.comparison.p_holm:.3f}"
