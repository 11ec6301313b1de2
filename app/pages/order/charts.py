"""Plotly figures of the Order page, one function a figure: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.components.chart_style import LEGEND_BELOW, RING_COLOR, panel_titles, room_above, short
from gsm_model.explain.order.flow import Flow
from gsm_model.explain.order.report import OrderReport

SCALE = "Cividis"  # one colour scale that the colour-blind read as well


def orders(reports: Sequence[OrderReport], colors: Sequence[str]) -> go.Figure:
    """The probability of the forward answer (filled) and of its time reversal (open) in every
    order, a panel a model; a dot a shuffle.
    """
    titles = panel_titles([r.card.name for r in reports])
    figure = make_subplots(1, len(reports), shared_yaxes=True, subplot_titles=titles)
    for column, (report, color) in enumerate(zip(reports, colors, strict=True), start=1):
        for index, open_, where in (
            (report.answer, "", -0.12),
            (report.reversed_class, "-open", 0.12),
        ):
            if index is None:
                continue
            label = report.card.label(index)
            fixed = [report.forward[index], report.reversed[index], report.frozen[index]]
            spread = 0.09 * np.sin(2.4 * np.arange(len(report.shuffled)))
            marker = {"symbol": ("diamond" if open_ else "circle") + open_, "color": color}
            hover = "%{y:.1%}<extra>" + short(label) + "</extra>"
            style = {"mode": "markers", "showlegend": False, "hovertemplate": hover}
            figure.add_scatter(
                x=[k + where for k in range(3)],
                y=fixed,
                marker={**marker, "size": 13},
                row=1,
                col=column,
                **style,
            )
            figure.add_scatter(
                x=3 + where + spread,
                y=report.shuffled[:, index],
                marker={**marker, "size": 7, "opacity": 0.75},
                row=1,
                col=column,
                **style,
            )
        figure.update_xaxes(
            tickvals=[0, 1, 2, 3],
            ticktext=["forward", "reversed", "frozen", "shuffled"],
            range=[-0.5, 3.5],
            row=1,
            col=column,
        )
    for symbol, name in (("circle", "the answer"), ("diamond-open", "its time reversal")):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=name,
            marker={"symbol": symbol, "color": RING_COLOR, "size": 11},
        )
    figure.update_yaxes(range=[-0.04, 1.04], tickformat=".0%")
    figure.update_yaxes(title="probability", row=1, col=1)
    figure.update_layout(
        height=328 + room_above(titles),
        margin={"l": 8, "r": 8, "t": room_above(titles), "b": 90},
        legend=LEGEND_BELOW,
    )
    return figure


def swaps(report: OrderReport) -> go.Figure:
    """The answer's probability with two frames in each other's place (a cell for every two), and
    without a frame (the diagonal).
    """
    p = report.swapped[:, :, report.answer].copy()
    np.fill_diagonal(
        p,
        report.left_out[:, report.answer]
        if len(report.left_out)
        else report.forward[report.answer],
    )
    hover = "frames %{y} and %{x}: %{z:.1%}"
    return _frames_by_frames(
        report.card.name, p, report.frame_indices, ("frame", "frame"), "probability", hover
    )


def flow(found: Flow, kind: str) -> go.Figure:
    """How much input frame (row) moves the answer's score at output frame (column), as shares of
    the largest cell.

    ``kind`` is ``replacement`` or ``gradient``.
    """
    matrix = getattr(found, kind)
    shares = matrix / max(float(matrix.max()), 1e-12)
    hover = "input %{y} → score of %{x}: %{z:.1%}"
    return _frames_by_frames(
        found.card.name,
        shares,
        found.frame_indices,
        ("score of frame", "input frame"),
        "of the largest",
        hover,
    )


def reach(found: Flow, largest: float) -> go.Figure:
    """Per layer (row, the first on top) how much a frame's features change with the input frame so
    many frames away (column).

    ``largest`` is the scale's end, shared by the models that stand side by side.
    """
    values = found.reach_by_distance()
    distances = [str(d) for d in range(values.shape[1])]
    hover = "%{y}, %{x} frames away: %{z:.2%}"
    figure = _heatmap(
        found.card.name, values, distances, list(found.layers), largest, "change", hover
    )
    figure.update_xaxes(title="frames away")
    return figure.update_layout(height=150 + 18 * len(found.layers))


def _frames_by_frames(
    name: str, values: np.ndarray, frames: np.ndarray, titles: tuple[str, str], bar: str, hover: str
) -> go.Figure:
    # The place comes first: a short video shows the same frame at several places.
    names = [f"{place}: {frame}" for place, frame in enumerate(frames, start=1)]
    figure = _heatmap(name, values, names, names, 1.0, bar, hover)
    ticks = {"tickvals": names, "ticktext": [str(frame) for frame in frames]}
    figure.update_xaxes(title=titles[0], **ticks)
    figure.update_yaxes(title=titles[1], **ticks)
    return figure.update_layout(height=380)


def _heatmap(
    name: str, values: np.ndarray, x: list[str], y: list[str], largest: float, bar: str, hover: str
) -> go.Figure:
    scale = {
        "colorscale": SCALE,
        "zmin": 0,
        "zmax": largest,
        "colorbar": {"title": bar, "tickformat": ".0%", "thickness": 14},
    }
    figure = go.Figure(
        go.Heatmap(z=values, x=x, y=y, hovertemplate=hover + "<extra></extra>", **scale)
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category", autorange="reversed")
    return figure.update_layout(
        title={"text": short(name), "font": {"size": 14}}, margin={"l": 8, "r": 8, "t": 40, "b": 50}
    )
