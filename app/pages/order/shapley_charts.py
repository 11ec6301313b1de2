"""Plotly figures of what each frame is worth, one function a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from app.components.chart_style import CLASS_COLORS, DIVERGING, LEGEND_BELOW, RING_COLOR, short
from gsm_model.explain.shapley.frames import FrameShapley

FOR, AGAINST = CLASS_COLORS[1], CLASS_COLORS[0]


def steps(found: FrameShapley) -> go.Figure:
    """From no frame to the clip: each frame's value as a step, so that they can be seen to add up;
    intervals where they are sampled, and Grad-CAM's evidence as diamonds on the same steps.
    """
    game = found.game
    names = [f"{place}: {frame}" for place, frame in enumerate(found.frame_indices, start=1)]
    ends = game.empty + np.concatenate([[0], np.cumsum(game.values)])
    figure = go.Figure(
        go.Waterfall(
            x=["no frame", *names, "the clip"],
            y=[game.empty, *game.values, game.full],
            measure=["absolute", *["relative"] * len(names), "total"],
            increasing={"marker": {"color": FOR}},
            decreasing={"marker": {"color": AGAINST}},
            totals={"marker": {"color": RING_COLOR}},
            connector={"line": {"width": 1, "color": RING_COLOR}},
            hovertemplate="%{x}: %{delta:+.3f}<extra></extra>",
            name="Shapley value",
            showlegend=False,
        )
    )
    if not game.is_exact:
        figure.add_scatter(
            x=names,
            y=ends[1:],
            mode="markers",
            marker={"size": 1, "color": RING_COLOR},
            error_y={
                "type": "data",
                "array": game.high - game.values,
                "arrayminus": game.values - game.low,
                "color": RING_COLOR,
            },
            hoverinfo="skip",
            name="95 % interval",
        )
    figure.add_scatter(
        x=names,
        y=ends[:-1] + found.evidence,
        mode="markers",
        marker={"symbol": "diamond-open", "size": 9, "color": RING_COLOR},
        customdata=found.evidence,
        hovertemplate="Grad-CAM %{x}: %{customdata:+.3f}<extra></extra>",
        name="the same step by Grad-CAM",
    )
    ticks = ["no frame", *(str(frame) for frame in found.frame_indices), "the clip"]
    figure.update_xaxes(
        type="category", tickvals=["no frame", *names, "the clip"], ticktext=ticks, title="frame"
    )
    figure.update_yaxes(title="logit", zeroline=True)
    return figure.update_layout(
        title={"text": short(found.card.name), "font": {"size": 14}},
        height=380,
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
        legend=LEGEND_BELOW,
    )


def matrix(found: FrameShapley, values: np.ndarray, titles: Sequence[str], hover: str) -> go.Figure:
    """``values`` (T, T) of every two frames, in logits, blue below 0 and orange above; blank where
    they are rounding.
    """
    values = found.shown(values)
    names = [f"{place}: {frame}" for place, frame in enumerate(found.frame_indices, start=1)]
    limit = float(np.abs(values).max()) or 1.0
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=names,
            y=names,
            colorscale=DIVERGING,
            zmin=-limit,
            zmax=limit,
            colorbar={"title": "logits", "thickness": 14},
            hovertemplate=hover + "<extra></extra>",
        )
    )
    ticks = {"tickvals": names, "ticktext": [str(frame) for frame in found.frame_indices]}
    figure.update_xaxes(type="category", title=titles[0], **ticks)
    figure.update_yaxes(type="category", title=titles[1], autorange="reversed", **ticks)
    return figure.update_layout(
        title={"text": short(found.card.name), "font": {"size": 14}},
        height=380,
        margin={"l": 8, "r": 8, "t": 40, "b": 50},
    )
