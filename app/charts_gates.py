"""Plotly figures of the Gates page, one function a figure: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import RING_COLOR, panel_titles, short
from gsm_model.explain.gate_tables import layer_figures
from gsm_model.explain.gates import DIRECTIONS, REGIMES, LayerGates, regime_shares
from gsm_model.figures.style import GATE_STOPS

BINS = 40
REGIME_COLORS = (GATE_STOPS[0], "#9AA5B1", GATE_STOPS[3], GATE_STOPS[4])
LEVEL_COLORS = {"frame": "#56B4E9", "place": "#0072B2"}
LEVEL_NAMES = {"frame": "between frames", "place": "between places of a frame"}


def regimes(names: Sequence[str], layers: Sequence[LayerGates], edges: tuple[float, float, float]) -> go.Figure:
    """How many of a layer's gate values lie where, a column a panel and a row a direction, coloured by regime; its share is above."""
    figure = make_subplots(
        2,
        len(names),
        shared_xaxes=True,
        shared_yaxes=True,
        subplot_titles=panel_titles(names),
        vertical_spacing=0.16,
        row_titles=DIRECTIONS,
    )
    bounds = np.linspace(-1, 1, BINS + 1)
    middles = (bounds[1:] + bounds[:-1]) / 2
    for column, layer in enumerate(layers, start=1):
        for way in range(2):
            gate = layer.gate[:, way]
            counts = np.histogram(gate, bounds)[0] / gate.size
            regime = np.searchsorted(np.asarray(edges), middles, side="right")
            shares = regime_shares(gate, edges)
            for number, name in enumerate(REGIMES):
                here = regime == number
                figure.add_bar(
                    x=middles[here],
                    y=counts[here],
                    width=2 / BINS,
                    marker_color=REGIME_COLORS[number],
                    name=name,
                    legendgroup=name,
                    showlegend=column == 1 and way == 0,
                    hovertemplate=f"{name}, {shares[number]:.0%} of all<br>gate %{{x:.2f}}: %{{y:.1%}}<extra></extra>",
                    row=way + 1,
                    col=column,
                )
            text = " · ".join(f"{name} {share:.0%}" for name, share in zip(REGIMES, shares, strict=True) if share >= 0.005)
            figure.add_annotation(
                text=text, x=0, y=0.97, yref="y domain", yanchor="top", showarrow=False, font_size=11, row=way + 1, col=column
            )
    for edge in edges:
        figure.add_vline(x=edge, line_dash="dot", line_color=RING_COLOR, line_width=1)
    figure.update_xaxes(range=[-1.03, 1.03])
    figure.update_xaxes(title="gate", row=2)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.03])
    figure.update_annotations(font_size=11)
    return figure.update_layout(
        barmode="stack", bargap=0, height=430, margin={"l": 8, "r": 30, "t": 62, "b": 90}, legend={"orientation": "h", "y": -0.2, "x": 0}
    )


def adaptivity(names: Sequence[str], panels: Sequence[Sequence[LayerGates]], titles: Sequence[str]) -> go.Figure:
    """The variance of every layer's gates within this clip, split into what lies between frames and between places, a panel a model."""
    figure = make_subplots(1, len(names), shared_yaxes=True, subplot_titles=panel_titles(names))
    for column, layers in enumerate(panels, start=1):
        figures = [layer_figures(layer) for layer in layers]
        for level, color in LEVEL_COLORS.items():
            figure.add_bar(
                y=list(titles),
                x=[values[f"variance_{level}"] for values in figures],
                orientation="h",
                marker_color=color,
                name=LEVEL_NAMES[level],
                legendgroup=level,
                showlegend=column == 1,
                hovertemplate="%{y}: %{x:.3f} " + LEVEL_NAMES[level] + "<extra></extra>",
                row=1,
                col=column,
            )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(range=[0, 1], title="variance of the gate")
    return figure.update_layout(
        barmode="stack",
        height=120 + 24 * len(titles),
        margin={"l": 8, "r": 8, "t": 44, "b": 80},
        legend={"orientation": "h", "y": -0.3, "x": 0},
    )


def experiments(rows: Sequence[dict], color: str) -> go.Figure:
    """The probability of the answer (filled) and of its time reversal (open) under every experiment of one model."""
    names = [str(row["intervention"]) for row in rows]
    figure = go.Figure()
    figure.add_scatter(
        x=[row["probability"] for row in rows],
        y=names,
        mode="markers",
        name=short(f"{rows[0]['answer']}: the answer"),
        marker={"color": color, "size": 10},
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    if rows[0]["reversal"] is not None:
        figure.add_scatter(
            x=[row["reversal_probability"] for row in rows],
            y=names,
            mode="markers",
            name=short(f"{rows[0]['reversal']}: its time reversal"),
            marker={"color": color, "size": 10, "symbol": "diamond-open", "line": {"width": 2}},
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    figure.update_yaxes(autorange="reversed", type="category", tickfont_size=11)
    figure.update_xaxes(range=[-0.03, 1.03], tickformat=".0%", title="probability")
    return figure.update_layout(
        title={"text": short(str(rows[0]["model"])), "font": {"size": 14}},
        height=150 + 19 * len(rows),
        margin={"l": 8, "r": 8, "t": 70, "b": 44},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
