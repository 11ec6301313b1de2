"""Plotly figures of the Confusions page, one function a figure: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from statsmodels.stats.proportion import proportion_confint

from app.components.chart_style import DIVERGING, RING_COLOR, SYMBOLS, model_color, short
from app.pages.gates.charts import EDGE_LINE
from gsm_model.confusion.calibration import Reliability
from gsm_model.confusion.embedding import Embedding, Marked
from gsm_model.confusion.significance import Comparison
from gsm_model.figures.labels import shortened
from gsm_model.predictions.table import Predictions

REST_COLOR = "rgba(123, 135, 148, 0.45)"
MOST_MARKS = 4000  # cells that can be clicked; beyond, those with most clips


def gains(rows: Sequence[Comparison], colors: Sequence[str]) -> go.Figure:
    """The difference of accuracies B − A of every group with its interval, the largest first;
    filled where the corrected p is below 5 %. ``colors`` are A's and B's: each group has that of
    the model that is better at it.
    """
    ordered = sorted(rows[1:], key=lambda row: -row.difference)
    labels = shortened([row.name for row in ordered], 32)
    differences = np.array([row.difference for row in ordered])
    spread = np.array(
        [[row.high - row.difference, row.difference - row.low] for row in ordered]
    ).reshape(-1, 2)
    sure = [row.p_holm < 0.05 for row in ordered]
    figure = go.Figure(
        go.Scatter(
            x=differences,
            y=labels,
            mode="markers",
            error_x={
                "array": spread[:, 0],
                "arrayminus": spread[:, 1],
                "thickness": 1.5,
                "color": RING_COLOR,
            },
            marker={
                "size": 10,
                "symbol": ["circle" if one else "circle-open" for one in sure],
                "color": [
                    colors[1] if one > 0 else colors[0] if one < 0 else RING_COLOR
                    for one in differences
                ],
                "line": {"width": 2},
            },
            customdata=[
                [short(row.name, 160), row.n, row.low, row.high, row.p_holm] for row in ordered
            ],
            hovertemplate=(
                "%{customdata[0]}<br>%{x:+.1%} (%{customdata[2]:+.1%} to %{customdata[3]:+.1%}),"
                " %{customdata[1]} clips, p after Holm %{customdata[4]:.3f}<extra></extra>"
            ),
        )
    )
    figure.add_vline(x=0, line_color=RING_COLOR, line_width=1)
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(tickformat="+.0%", title="accuracy, B − A")
    return figure.update_layout(
        height=110 + 24 * len(ordered), margin={"l": 8, "r": 16, "t": 16, "b": 48}
    )


def calibration(models: Sequence[Reliability], colors: Sequence[str]) -> go.Figure:
    """Accuracy against confidence for every model, in its one of ``colors``, with 95 % intervals;
    on the dotted line the two are the same.
    """
    figure = go.Figure(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", line=EDGE_LINE, hoverinfo="skip", showlegend=False
        )
    )
    for number, one in enumerate(models):
        values = [share.value for share in one.accuracy]
        figure.add_scatter(
            x=one.confidence,
            y=values,
            mode="lines+markers",
            name=short(one.model),
            marker={
                "symbol": SYMBOLS[number % len(SYMBOLS)],
                "size": 9,
                "color": colors[number],
            },
            error_y={
                "array": [share.high - share.value for share in one.accuracy],
                "arrayminus": [share.value - share.low for share in one.accuracy],
                "thickness": 1,
            },
            customdata=[share.n for share in one.accuracy],
            hovertemplate=(
                "confidence %{x:.1%}: %{y:.1%} of %{customdata} clips are right<extra></extra>"
            ),
        )
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", title="confidence")
    figure.update_yaxes(range=[0, 1.04], tickformat=".0%", title="accuracy")
    return figure.update_layout(
        height=380,
        margin={"l": 8, "r": 8, "t": 16, "b": 48},
        legend={"orientation": "h", "y": -0.2, "x": 0},
    )


def scores(
    embedding: Embedding,
    marked: Marked,
    model: Predictions,
    colors: Sequence[str] | None = None,
) -> go.Figure:
    """A model's clips as points, each kind of ``marked`` in its one of ``colors`` and a shape; on
    hover the clip, its class and the answer.
    """
    figure = go.Figure()
    for kind, name in ((-1, "the others"), *enumerate(marked.names)):
        rows = np.flatnonzero(marked.kinds == kind)
        clips = embedding.rows[rows]
        told = [
            [model.ids[clip], model.labels[model.truth[clip]], model.labels[model.predicted[clip]]]
            for clip in clips
        ]
        look = (
            {"size": 4, "color": REST_COLOR}
            if kind < 0
            else {
                "size": 8,
                "color": colors[kind] if colors else model_color(kind),
                "symbol": SYMBOLS[kind % len(SYMBOLS)],
            }
        )
        figure.add_scattergl(
            x=embedding.points[rows, 0],
            y=embedding.points[rows, 1],
            mode="markers",
            name=short(f"{name} ({len(rows):,})", 60),
            marker=look,
            customdata=[[short(text, 60) for text in one] for one in told],
            hovertemplate=(
                "%{customdata[0]}<br>true: %{customdata[1]}<br>answer:"
                " %{customdata[2]}<extra></extra>"
            ),
        )
    figure.update_xaxes(showticklabels=False, title=embedding.about, zeroline=False)
    figure.update_yaxes(showticklabels=False, zeroline=False)
    title = {
        "text": short(f"{embedding.model}, {len(embedding.rows):,} clips", 80),
        "font": {"size": 14},
    }
    legend = {"orientation": "h", "y": -0.12, "x": 0}
    return figure.update_layout(
        title=title, height=460, margin={"l": 8, "r": 8, "t": 44, "b": 8}, legend=legend
    )


def matrix(
    values: np.ndarray,
    counts: np.ndarray,
    labels: Sequence[str],
    order: np.ndarray,
    title: str,
    share: bool,
    signed: bool = False,
) -> go.Figure:
    """True class by row, answer by column, for the classes of ``order``; every cell that has clips
    can be clicked. On hover the clips (``counts``, of all classes) and, unless ``signed``, their
    share of the true class with Wilson's 95 % interval. ``signed`` values are a difference, on a
    scale that is neutral at 0."""
    names = [labels[index] for index in order]
    shown = values[np.ix_(order, order)]
    clips = counts[np.ix_(order, order)]
    largest = float(np.abs(shown).max()) or 1.0
    text = ".1%" if share else ",d"
    scale = (
        {"colorscale": DIVERGING, "zmin": -largest, "zmax": largest}
        if signed
        else {"colorscale": "Cividis", "zmin": 0, "zmax": largest}
    )
    places = list(range(len(names)))
    bar = {"tickformat": text, "thickness": 12, "orientation": "h", "y": -0.08, "yanchor": "top"}
    figure = go.Figure(
        go.Heatmap(z=shown, x=places, y=places, hoverinfo="skip", colorbar=bar, **scale)
    )
    rows, columns = np.nonzero((clips > 0) | (np.abs(shown) > 0))
    most = np.argsort(-clips[rows, columns], kind="stable")[:MOST_MARKS]
    rows, columns = rows[most], columns[most]
    of_class = np.maximum(counts.sum(1), 1)[order[rows]]
    low, high = proportion_confint(clips[rows, columns], of_class, method="wilson")
    told = "%{customdata[4]} clips, %{customdata[5]:" + text + "}"
    if not signed:
        told += (
            "<br>%{customdata[6]:.1%} of the true class (%{customdata[7]:.1%} to"
            " %{customdata[8]:.1%})"
        )
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": max(4, min(26, 620 // len(names))), "opacity": 0},
        customdata=[
            [
                short(names[r], 80),
                short(names[c], 80),
                int(order[r]),
                int(order[c]),
                int(clips[r, c]),
                float(shown[r, c]),
                *shares,
            ]
            for r, c, *shares in zip(
                rows,
                columns,
                (clips[rows, columns] / of_class).tolist(),
                low.tolist(),
                high.tolist(),
                strict=True,
            )
        ],
        hovertemplate="true: %{customdata[0]}<br>answer: %{customdata[1]}<br>"
        + told
        + "<extra></extra>",
        showlegend=False,
    )
    # On an axis of categories plotly shows as many names as fit, more of them when zoomed in.
    axis = {"type": "category", "categoryorder": "array", "categoryarray": places}
    texts = {str(place): short(name) for place, name in enumerate(shortened(names, 24))}
    figure.update_xaxes(title="answer, in the same order", showticklabels=False, **axis)
    figure.update_yaxes(
        title="true class", autorange="reversed", tickfont_size=10, labelalias=texts, **axis
    )
    return figure.update_layout(
        title={"text": short(title, 80), "font": {"size": 14}},
        height=720,
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        clickmode="event+select",
    )
