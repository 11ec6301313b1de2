"""Plotly figures, one function a figure: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gsm_model.figures.model_colors import MODEL_COLORS, model_color
from gsm_model.figures.style import GATE_STOPS
from gsm_model.predict import Prediction

__all__ = ["MODEL_COLORS", "model_color"]  # beside what is defined here
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
CLASS_COLORS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00")
CLASS_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
RING_COLOR = "#7B8794"
BESIDE_RING = 4 * "\u00a0"  # as wide as a ring's half, whatever the width of the chart
# A scale of Plotly's about zero: blue below, orange above.
DIVERGING = [[index / (len(GATE_STOPS) - 1), color] for index, color in enumerate(GATE_STOPS)]
MAX_LABEL = 34
BUTTONS, TITLE_LINE = 32, 20  # pixels
# From the figure's end and not from the plot's: where the frames' numbers are turned, as they are
# on a phone, the axis takes more room.
LEGEND_BELOW = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}


def panel_titles(names: Sequence[str]) -> list[str]:
    """Titles for panels side by side, broken into lines and without what files are called where
    that leaves them different, so that they do not run into each other on a phone.
    """
    plain = [name.rpartition(" (")[0] or name if len(name) > MAX_LABEL else name for name in names]
    if len(set(plain)) < len(set(names)):
        plain = list(names)
    space = " " if len(names) > 2 else " ("
    return [
        short(name).replace(", ", ",<br>").replace(space, "<br>" + space.lstrip()) for name in plain
    ]


def room_above(titles: Sequence[str]) -> int:
    """Pixels for `panel_titles` above the panels, and above them for a chart's buttons, which would
    lie on their first line.
    """
    return BUTTONS + TITLE_LINE * max(title.count("<br>") + 1 for title in titles)


def frame_ticks(frames: Sequence[object] | np.ndarray, panels: int) -> dict[str, object]:
    """An axis over the frames seen, one after the other, with the numbers ``frames``: of few panels
    side by side all of them, of more so many that they do not run into each other on a phone.
    """
    step = max(1, round(len(frames) * panels / 12))
    places = list(range(0, len(frames), step))
    return {"tickvals": places, "ticktext": [str(frames[place]) for place in places]}


def short(label: str, length: int = MAX_LABEL) -> str:
    """``label`` cut to ``length`` characters in the middle, with plotly's own markup made plain."""
    if len(label) > length:
        label = label[: length - 13] + "…" + label[-12:]
    return label.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def leading_classes(predictions: Sequence[Prediction], k: int) -> list[str]:
    """The labels that any model has among its ``k`` likeliest, likeliest first."""
    best: dict[str, float] = {}
    for prediction in predictions:
        for _, label, probability in prediction.top(k):
            best[label] = max(best.get(label, 0.0), probability)
    return sorted(best, key=lambda label: -best[label])


def class_indices(prediction: Prediction) -> dict[str, int]:
    """Label → class index of one model."""
    return {prediction.card.label(index): index for index in range(len(prediction.logits))}


def probabilities(
    now: Sequence[Prediction], forward: Sequence[Prediction] | None, colors: Sequence[str], k: int
) -> go.Figure:
    """Bars of each model's probabilities for the leading classes; with ``forward``, a ring marks
    where each bar was.
    """
    labels = leading_classes([*now, *(forward or ())], k)
    figure = go.Figure()
    for row, prediction in enumerate(now):
        values = _per_label(prediction, labels)
        before = _per_label(forward[row], labels) if forward is not None else values
        name, group = short(prediction.card.name), str(row)
        figure.add_bar(
            y=labels,
            x=values,
            orientation="h",
            name=name,
            marker_color=colors[row],
            offsetgroup=group,
            hovertemplate="%{y}: %{x:.1%}",
        )
        if forward is not None:
            figure.add_scatter(
                y=labels,
                x=before,
                orientation="h",
                mode="markers",
                name="forward",
                legendgroup="forward",
                showlegend=row == 0,
                offsetgroup=group,
                marker={
                    "symbol": "circle-open",
                    "size": 11,
                    "line": {"width": 2.5},
                    "color": RING_COLOR,
                },
                hovertemplate="forward: %{x:.1%}",
                cliponaxis=False,
            )
        figure.add_scatter(
            y=labels,
            x=[_text_place(*pair) for pair in zip(values, before, strict=True)],
            orientation="h",
            mode="text",
            text=[BESIDE_RING + _percent(value) for value in values],
            textposition="middle right",
            offsetgroup=group,
            showlegend=False,
            hoverinfo="skip",
            cliponaxis=False,
        )
    told = 19 * (len(now) - (forward is None))  # below one another on a phone
    figure.update_layout(
        barmode="group",
        scattermode="group",
        height=90 + told + len(labels) * (14 + 22 * len(now)),
        margin={"l": 8, "r": 48, "t": 30 + told, "b": 36},
        # In the whole figure both ways: beside the plot one way, and its width would be kept free.
        legend={
            "orientation": "h",
            **{"xref": "container", "x": 0, "yref": "container", "y": 1, "yanchor": "top"},
        },
        bargap=0.25,
        scattergap=0.25,
    )
    figure.update_yaxes(
        autorange="reversed", tickvals=labels, ticktext=[_wrapped(label) for label in labels]
    )
    figure.update_xaxes(
        range=[-0.012, 1.1], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1], title="probability"
    )
    return figure


def _per_label(prediction: Prediction, labels: Sequence[str]) -> list[float | None]:
    indices, p = class_indices(prediction), prediction.probabilities
    return [float(p[indices[label]]) if label in indices else None for label in labels]


def _text_place(value: float | None, before: float | None) -> float | None:
    """Where a bar's label begins: behind the bar, and behind the ring if that is where the label
    would stand.
    """
    if value is None:
        return None
    ring = before if before is not None and value - 0.02 <= before <= value + 0.09 else 0.0
    return max(value, ring)


def _percent(value: float | None) -> str:
    """A bar's label: one decimal near 0 and 1, and never 0 % or 100 % of what is neither."""
    if value is None:
        return ""
    if value < 0.0005:
        return "<0.1%"
    if value > 0.9995:
        return ">99.9%"
    return f"{value:.0%}" if 0.1 <= value <= 0.99 else f"{value:.1%}"


def _wrapped(label: str, width: int = 26) -> str:
    lines, line = [], ""
    for word in short(label, 64).split():
        if line and len(line) + len(word) + 1 > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "<br>".join([*lines, line])


def frame_scores(predictions: Sequence[Prediction], k: int) -> go.Figure:
    """Each frame's own scores (logits) for the leading classes, a panel a model; a triangle marks
    their mean, the answer's score.
    """
    labels = leading_classes(predictions, k)[: len(CLASS_COLORS)]
    titles = panel_titles([p.card.name for p in predictions])
    figure = make_subplots(1, len(predictions), shared_yaxes=True, subplot_titles=titles)
    for column, prediction in enumerate(predictions, start=1):
        indices = class_indices(prediction)
        for row, label in enumerate(labels):
            if label in indices:
                scores = prediction.frame_logits[:, indices[label]]
                _add_scores(
                    figure,
                    column,
                    row,
                    label,
                    scores,
                    prediction.frame_indices,
                    show_legend=column == 1,
                )
        figure.update_xaxes(
            **frame_ticks(prediction.frame_indices, len(predictions)),
            title="frame, as seen",
            row=1,
            col=column,
        )
    figure.update_yaxes(title="score (logit)", row=1, col=1)
    figure.update_layout(
        height=330 + room_above(titles),
        margin={"l": 8, "r": 8, "t": room_above(titles), "b": 8},
        legend=LEGEND_BELOW,
    )
    return figure


def _add_scores(
    figure: go.Figure,
    column: int,
    row: int,
    label: str,
    scores: np.ndarray,
    frames: np.ndarray,
    show_legend: bool,
) -> None:
    color = CLASS_COLORS[row]
    figure.add_trace(
        go.Scatter(
            x=list(range(len(scores))),
            y=scores,
            mode="lines+markers",
            name=short(label, 48),
            legendgroup=label,
            showlegend=show_legend,
            line={"color": color, "dash": CLASS_DASHES[row]},
            customdata=frames,
            hovertemplate="frame %{customdata}: %{y:.2f}<extra>" + short(label) + "</extra>",
        ),
        row=1,
        col=column,
    )
    figure.add_trace(
        go.Scatter(
            x=[len(scores) - 0.4],
            y=[scores.mean()],
            mode="markers",
            legendgroup=label,
            showlegend=False,
            marker={"symbol": "triangle-left", "size": 12, "color": color},
            hovertemplate="mean, the answer's score: %{y:.2f}<extra>" + short(label) + "</extra>",
        ),
        row=1,
        col=column,
    )
