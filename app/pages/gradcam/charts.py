"""Plotly figures of the Grad-CAM page, one function a figure: data in, figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.components.chart_style import (
    LEGEND_BELOW,
    RING_COLOR,
    frame_ticks,
    panel_titles,
    room_above,
    short,
)
from gsm_model.explain.cam.faithfulness import CENTRE, CHANGE, OURS, RANDOM, Curves, Trial
from gsm_model.explain.cam.report import CamReport

DASHES = {OURS: "solid", CENTRE: "dash", CHANGE: "dot", RANDOM: "dashdot"}


def evidence(
    reports: Sequence[CamReport], layers: Sequence[str], colors: Sequence[str]
) -> go.Figure:
    """Each frame's evidence at a model's layer (bars) beside its part in the target by its own
    scores (marks, which sum to the target's value; none of a model that answers once per clip), a
    panel a model; in logits.
    """
    titles = panel_titles([report.card.name for report in reports])
    figure = make_subplots(1, len(reports), subplot_titles=titles)
    for column, (report, layer, color) in enumerate(
        zip(reports, layers, colors, strict=True), start=1
    ):
        frames = [str(index) for index in report.prediction.frame_indices]
        places = list(range(len(frames)))
        hover = "frame %{customdata}: %{y:+.2f}<extra>"
        figure.add_bar(
            x=places,
            y=report.layer(layer).evidence,
            name="evidence",
            marker_color=color,
            customdata=frames,
            hovertemplate=hover + "evidence</extra>",
            showlegend=column == 1,
            row=1,
            col=column,
        )
        if report.prediction.scores_frames:
            figure.add_scatter(
                x=places,
                y=report.frame_values() / len(frames),
                name="by the frame's own scores",
                mode="markers",
                marker={
                    "symbol": "diamond-open",
                    "size": 10,
                    "color": RING_COLOR,
                    "line": {"width": 2},
                },
                customdata=frames,
                hovertemplate=hover + "own scores</extra>",
                showlegend=column == 1,
                row=1,
                col=column,
            )
        ticks = frame_ticks(frames, len(reports))
        figure.update_xaxes(**ticks, title="frame", row=1, col=column)
    figure.update_yaxes(title="logits", row=1, col=1)
    above = room_above(titles)
    return figure.update_layout(
        height=286 + above, margin={"l": 8, "r": 8, "t": above, "b": 8}, legend=LEGEND_BELOW
    )


def curves(trial: Trial, color: str) -> go.Figure:
    """The target's probability while places are taken away (left) or put back (right), most
    important first, for the map and blind ones.
    """
    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=("deletion", "insertion"))
    shown = [
        (OURS, trial.ours),
        (CENTRE, trial.centre),
        (CHANGE, trial.change),
        (RANDOM, _mean(trial.random)),
    ]
    for name, one in shown:
        style = {
            "color": color if name == OURS else RING_COLOR,
            "dash": DASHES[name],
            "width": 3 if name == OURS else 1.5,
        }
        for column, values in ((1, one.deletion), (2, one.insertion)):
            figure.add_scatter(
                x=one.shares,
                y=values,
                mode="lines",
                name=short(name),
                line=style,
                showlegend=column == 1,
                hovertemplate="%{x:.0%} of places: %{y:.1%}<extra>" + short(name) + "</extra>",
                row=1,
                col=column,
            )
    figure.update_xaxes(tickformat=".0%", title="of the clip's places", range=[0, 1])
    figure.update_yaxes(tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(title="probability", row=1, col=1)
    legend = {"orientation": "h", "y": -0.3, "x": 0}
    return figure.update_layout(height=340, margin={"l": 8, "r": 8, "t": 44, "b": 8}, legend=legend)


def _mean(several: Sequence[Curves]) -> Curves:
    deletion, insertion = (
        np.mean([getattr(one, name) for one in several], axis=0)
        for name in ("deletion", "insertion")
    )
    return Curves(RANDOM, several[0].shares, deletion, insertion, None)
