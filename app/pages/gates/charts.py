"""Plotly figures of the Gates page, one function a figure: data in, figure out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.components.chart_style import DIVERGING, RING_COLOR, panel_titles, room_above, short
from gsm_model.data.synthetic.factors import FACTORS
from gsm_model.explain.channels.contrast import Contrast
from gsm_model.explain.channels.features import SUMMARIES
from gsm_model.explain.channels.features import Side as ChannelSide
from gsm_model.explain.channels.report import ChannelReport
from gsm_model.explain.gates.layers import DIRECTIONS, REGIMES, LayerGates, regime_shares
from gsm_model.explain.gates.readings import ClipReadings, LayerReadings
from gsm_model.explain.gates.tables import layer_figures
from gsm_model.explain.patching.clips import Patching
from gsm_model.explain.patching.features import Side
from gsm_model.figures.style import GATE_STOPS, SHARE_STOPS
from gsm_model.models.temporal import ClipReading

BINS = 40
TEXT_WIDTH = 0.42  # of a share in per cent, in units of the gate, on the narrowest panel
REGIME_COLORS = (GATE_STOPS[0], "#9AA5B1", GATE_STOPS[3], GATE_STOPS[4])
EDGE_LINE = {"dash": "dot", "color": RING_COLOR, "width": 1}
LEVEL_COLORS = {"frame": "#56B4E9", "place": "#0072B2"}
LEVEL_NAMES = {"frame": "between frames", "place": "between places of a frame"}


def regimes(
    names: Sequence[str], layers: Sequence[LayerGates], edges: tuple[float, float, float]
) -> go.Figure:
    """How many of a layer's gate values lie where, a column a panel and a row a direction, coloured
    by regime; its share is above.
    """
    titles = panel_titles(names)
    figure = make_subplots(
        2,
        len(names),
        shared_xaxes=True,
        shared_yaxes=True,
        subplot_titles=titles,
        vertical_spacing=0.16,
        row_titles=DIRECTIONS,
    )
    bounds = np.linspace(-1, 1, BINS + 1)
    middles = (bounds[1:] + bounds[:-1]) / 2
    regime = np.searchsorted(np.asarray(edges), middles, side="right")
    places = [
        (way + 1, column, layer.gate[:, way])
        for way in range(2)
        for column, layer in enumerate(layers, start=1)
    ]
    shares = [regime_shares(gate, edges) for *_, gate in places]
    bars = [
        _histogram(gate, bounds, middles, regime, share)
        for (*_, gate), share in zip(places, shares, strict=True)
    ]
    figure.add_traces(
        bars, rows=[row for row, *_ in places], cols=[column for _, column, _ in places]
    )
    key = [
        go.Bar(x=[None], y=[None], name=name, marker_color=color)
        for name, color in zip(REGIMES, REGIME_COLORS, strict=True)
    ]
    figure.add_traces(key, rows=[1] * len(key), cols=[1] * len(key))
    lines, texts = [], []
    for number, share in enumerate(shares, start=1):
        axes = {
            "xref": f"x{number if number > 1 else ''}",
            "yref": f"y{number if number > 1 else ''} domain",
        }
        lines += [
            {**axes, "type": "line", "x0": edge, "x1": edge, "y0": 0, "y1": 1, "line": EDGE_LINE}
            for edge in edges
        ]
        texts += [
            {**axes, **text, "y": 1, "yanchor": "top", "showarrow": False}
            for text in _share_texts(share, edges)
        ]
    figure.update_layout(shapes=lines, annotations=[*figure.layout.annotations, *texts])
    figure.update_xaxes(range=[-1.03, 1.03])
    figure.update_xaxes(title="gate", row=2)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.25], tickvals=[0, 0.5, 1])
    figure.update_annotations(font_size=11)
    return figure.update_layout(
        barmode="overlay",
        bargap=0,
        height=368 + room_above(titles),
        margin={"l": 8, "r": 30, "t": room_above(titles), "b": 90},
        legend={"orientation": "h", "y": -0.2, "x": 0},
    )


def _share_texts(shares: Sequence[float] | np.ndarray, edges: Sequence[float]) -> list[dict]:
    """The share of each regime over its middle, of those that have one; moved to the left where two
    would meet.
    """
    ends, texts = (-1, *edges, 1), []
    free = 1.0 + TEXT_WIDTH
    for number in reversed(range(len(shares))):
        if shares[number] >= 0.005:
            free = min((ends[number] + ends[number + 1]) / 2, free - TEXT_WIDTH)
            texts.append({"text": f"{shares[number]:.0%}", "x": free, "hovertext": REGIMES[number]})
    return texts


def _histogram(
    gate: np.ndarray,
    bounds: np.ndarray,
    middles: np.ndarray,
    regime: np.ndarray,
    shares: np.ndarray,
) -> go.Bar:
    names = [f"{REGIMES[number]}, {shares[number]:.0%} of all" for number in regime]
    return go.Bar(
        x=middles,
        y=np.histogram(gate, bounds)[0] / gate.size,
        width=2 / BINS,
        marker_color=[REGIME_COLORS[number] for number in regime],
        customdata=names,
        showlegend=False,
        hovertemplate="%{customdata}<br>gate %{x:.2f}: %{y:.1%}<extra></extra>",
    )


def adaptivity(
    names: Sequence[str], panels: Sequence[Sequence[LayerGates]], titles: Sequence[str]
) -> go.Figure:
    """The variance of every layer's gates within this clip, split into what lies between frames and
    between places, a panel a model.
    """
    above = panel_titles(names)
    figure = make_subplots(1, len(names), shared_yaxes=True, subplot_titles=above)
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
        if not any(values["adaptivity"] for values in figures):
            figure.add_annotation(
                text="0: a fixed shift",
                x=0.5,
                y=titles[len(titles) // 2],
                showarrow=False,
                row=1,
                col=column,
            )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(range=[0, 1], title="variance of the gate")
    return figure.update_layout(
        barmode="stack",
        height=76 + room_above(above) + 24 * len(titles),
        margin={"l": 8, "r": 8, "t": room_above(above), "b": 80},
        legend={"orientation": "h", "y": -0.3, "x": 0},
    )


def reading(found: LayerReadings, color: str) -> go.Figure:
    """One reading of all layers: a bar a layer, or the layers' shares by place of the last axis."""
    layers = list(found.layers)
    figure = go.Figure()
    if found.values.ndim == 1:
        figure.add_bar(
            y=layers,
            x=found.values,
            orientation="h",
            marker_color=color,
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    else:
        labels = list(found.labels) or [str(place + 1) for place in range(found.values.shape[1])]
        figure.add_heatmap(
            y=layers,
            x=labels,
            z=found.values,
            zmin=0,
            colorscale=[[step / 4, stop] for step, stop in enumerate(SHARE_STOPS)],
            colorbar={"thickness": 10, "title": found.unit},
            hovertemplate="%{y}, %{x}: %{z:.3f}<extra></extra>",
        )
        figure.update_xaxes(type="category", title=", ".join(found.axes[-1:]))
    figure.update_yaxes(autorange="reversed", type="category")
    title = "<br>".join(textwrap.wrap(found.title, 42))
    return figure.update_layout(
        title={"text": title, "font": {"size": 13}},
        height=130 + 22 * len(layers),
        margin={"l": 8, "r": 8, "t": 64, "b": 40},
    )


def clip_weights(name: str, found: ClipReadings, color: str) -> go.Figure:
    """A reading of the whole clip, for each layer (row) and kind (column)."""
    what = found.reading
    layers = LayerReadings(
        what.name, name, found.layers, np.stack(found.values), what.labels, what.unit, what.axes
    )
    return reading(layers, color).update_xaxes(title=None)


def by_channel(name: str, what: ClipReading, values: np.ndarray) -> go.Figure:
    """A reading (frame, kind, channel) of one layer in 0 … 1: a panel a kind, a row a frame, a
    column a channel; of one (channel), which is of the whole clip, a single row.
    """
    by_frame = "frame" in what.axes
    values = values if by_frame else values[None, None]
    kinds = len(what.labels) or 1
    figure = make_subplots(
        1, kinds, shared_yaxes=True, subplot_titles=what.labels, horizontal_spacing=0.03
    )
    frames = [str(frame + 1) for frame in range(len(values))] if by_frame else ["clip"]
    for kind in range(kinds):
        figure.add_heatmap(
            y=frames,
            z=values[:, kind],
            coloraxis="coloraxis",
            hovertemplate=("frame " if by_frame else "")
            + "%{y}, channel %{x}: %{z:.2f}<extra></extra>",
            row=1,
            col=kind + 1,
        )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_yaxes(title="frame seen" if by_frame else None, col=1)
    figure.update_xaxes(title="channel")
    title = "<br>".join(textwrap.wrap(f"{short(name)}: {what.title}", 90))
    return figure.update_layout(
        title={"text": title, "font": {"size": 13}},
        coloraxis={
            "cmin": 0,
            "cmax": 1,
            "colorscale": DIVERGING,
            "colorbar": {"thickness": 10},
        },
        height=190 + 16 * len(frames),
        margin={"l": 8, "r": 8, "t": 84, "b": 40},
    )


def experiments(rows: Sequence[dict], color: str) -> go.Figure:
    """The probability of the answer (filled) and of its time reversal (open) under every experiment
    of one model.
    """
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


def patching(found: Patching, side: Side) -> go.Figure:
    """Effects of copying a layer (row) at a frame (column), exact where they are known, blue below
    0 and orange above; cells can be clicked.
    """
    effects = found.effect(side)
    layers, t = list(found.layers), len(found.frame_indices)
    frames = [f"{place}: {frame}" for place, frame in enumerate(found.frame_indices, start=1)]
    limit = float(np.abs(effects).max()) or 1.0
    rows, columns = (index.ravel() for index in np.indices(effects.shape))
    figure = go.Figure(
        go.Heatmap(
            z=effects,
            x=frames,
            y=layers,
            colorscale=DIVERGING,
            zmin=-limit,
            zmax=limit,
            colorbar={"title": "effect", "thickness": 14},
            hoverinfo="skip",
        )
    )
    # Heat maps cannot be clicked in streamlit; markers that cannot be seen can.
    figure.add_scatter(
        x=[frames[column] for column in columns],
        y=[layers[row] for row in rows],
        mode="markers",
        marker={"symbol": "square", "size": 22, "opacity": 0},
        customdata=np.column_stack([rows, columns]).tolist(),
        hovertemplate="%{y}, frame %{x}: %{text}<extra></extra>",
        text=[f"{value:+.3f}" for value in effects.ravel()],
        showlegend=False,
    )
    ticks = {"tickvals": frames, "ticktext": [str(frame) for frame in found.frame_indices]}
    figure.update_xaxes(type="category", title="frame", range=[-0.5, t - 0.5], **ticks)
    figure.update_yaxes(type="category", range=[len(layers) - 0.5, -0.5])
    return figure.update_layout(
        title={"text": short(found.card.name), "font": {"size": 14}},
        height=150 + 24 * len(layers),
        margin={"l": 8, "r": 8, "t": 40, "b": 50},
        clickmode="event+select",
    )


def channels(report: ChannelReport, contrast: Contrast, side: ChannelSide) -> go.Figure:
    """The share of the channels at ``side`` that carry each factor, by layer: by their mean and by
    their slope over time; and the share that changes when clips are reversed or frozen.
    """
    layers = [layer for layer in report.layers if side in report.sides(layer)]
    columns = [f"{factor}, {summary}" for summary in SUMMARIES for factor in FACTORS]
    shares = [
        [report.share(layer, side, summary, factor) for summary in SUMMARIES for factor in FACTORS]
        for layer in layers
    ]
    if side == "output":
        columns += ["changed when reversed", "changed when frozen"]
        shares = [
            [*row, *contrast.shares[layer][0]] for row, layer in zip(shares, layers, strict=True)
        ]
    values = np.array(shares)
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=columns,
            y=layers,
            colorscale=[
                [index / (len(SHARE_STOPS) - 1), color] for index, color in enumerate(SHARE_STOPS)
            ],
            zmin=0,
            zmax=1,
            text=[[f"{100 * value:.0f}" for value in row] for row in values],
            texttemplate="%{text}",
            textfont={"size": 10},
            showscale=False,
            hovertemplate="%{y}, %{x}: %{z:.0%} of the channels<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", tickangle=-60)
    figure.update_yaxes(type="category", range=[len(layers) - 0.5, -0.5])
    return figure.update_layout(
        title={"text": f"{short(report.card.name)}, % of channels", "font": {"size": 14}},
        height=260 + 24 * len(layers),
        margin={"l": 8, "r": 8, "t": 40, "b": 150},
    )
