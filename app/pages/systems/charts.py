"""Plotly figures of the Systems page, one function a figure: data in, figure out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from app.components.chart_style import CLASS_COLORS, DIVERGING, RING_COLOR, short
from app.pages.systems.names import Place, place_names
from gsm_model.evaluation.system_probes import columns_of, share_of
from gsm_model.evaluation.systems import trainings
from gsm_model.figures.labels import shortened
from gsm_model.figures.systems import pair_shares, pairs_of

Row = Mapping[str, Any]
CHOSEN, KNOWN = CLASS_COLORS[0], CLASS_COLORS[1]
LANDMARKS = ("none", "gsm")  # what all others are seen beside
COSTS = {
    "gmacs": "GMAC a clip",
    "parameters": "parameters (M)",
    "latency": "time of a forward pass, TSN's = 1",
}
PAIR_CHARACTERS = 24
# Beside a matrix it would take a fifth of a phone's width from the columns and their names.
SCALE_ABOVE = {
    "orientation": "h",
    "tickformat": ".0%",
    "thickness": 12,
    "y": 1,
    "yanchor": "bottom",
    "ypad": 4,
    "ticklabelposition": "outside top",
}


def cost_of(row: Row, cost: str) -> float | None:
    """What a system costs, in the unit of `COSTS`."""
    if cost == "latency":
        return None if row["latency_ratio"] is None else row["latency_ratio"]["ratio"]
    if row[cost] is None:
        return None
    return row[cost] / 1e6 if cost == "parameters" else row[cost]


def color_of(row: Row, chosen: str) -> str:
    """The chosen system stands out, and the landmarks do."""
    if row["name"] == chosen:
        return CHOSEN
    return KNOWN if row["name"] in LANDMARKS else RING_COLOR


def against_cost(rows: Sequence[Row], split: str, cost: str, chosen: str) -> go.Figure:
    """*Within pair* of each measured row against what it costs, with intervals; named are the
    chosen one, TSN, GSM, and those that none cheaper is as good as, which a dotted line joins, as
    far as there is room for their names.
    """
    placed = [row for row in rows if cost_of(row, cost) is not None]
    best = frontier(placed, split, cost)
    figure = go.Figure(
        go.Scatter(
            x=[cost_of(row, cost) for row in best],
            y=[row[split]["within_pair"]["value"] for row in best],
            mode="lines",
            line={"dash": "dot", "width": 1.5, "color": RING_COLOR},
            hoverinfo="skip",
        )
    )
    across, up = _ranges(placed, split, cost)
    named = _names(placed, best, split, cost, chosen)
    for row in placed:
        share, color = row[split]["within_pair"], color_of(row, chosen)
        figure.add_scatter(
            x=[cost_of(row, cost)],
            y=[share["value"]],
            error_y={
                "array": [share["high"] - share["value"]],
                "arrayminus": [share["value"] - share["low"]],
                "thickness": 1.5,
                "width": 3,
                "color": color,
            },
            mode="markers+text" if row["title"] in named else "markers",
            text=[f" {short(row['title'])} "],
            textposition=named.get(row["title"]),
            marker={
                "color": color,
                "size": 13 if row["name"] == chosen else 9,
                "symbol": "diamond" if row["name"] == chosen else "circle",
            },
            hovertemplate=(
                f"%{{y:.1%}} ({share['low']:.1%} to {share['high']:.1%}), %{{x:.3g}}"
                f"<extra>{short(row['title'])}</extra>"
            ),
            cliponaxis=False,
        )
        if further := trainings(row, split)[1:]:
            figure.add_scatter(
                x=[cost_of(row, cost)] * len(further),
                y=further,
                mode="markers",
                marker={"color": color, "size": 5, "symbol": "circle-open"},
                hovertemplate=f"%{{y:.1%}}<extra>{short(row['title'])}, another training</extra>",
                cliponaxis=False,
            )
    _chance(figure)
    ticks = _ticks([cost_of(row, cost) or 1 for row in placed])
    figure.update_xaxes(
        type="log",
        title=COSTS[cost],
        tickvals=ticks,
        ticktext=list(map(str, ticks)),
        range=across,
    )
    figure.update_yaxes(title="within pair", tickformat=".0%", range=up)
    return figure.update_layout(
        showlegend=False, height=430, margin={"l": 8, "r": 24, "t": 30, "b": 40}
    )


def _names(
    rows: Sequence[Row], best: Sequence[Row], split: str, cost: str, chosen: str
) -> dict[str, str]:
    """The titles that `against_cost` shows, with where they stand: the chosen system's, GSM's and
    TSN's first, then the best's.
    """
    (left, right), (bottom, top) = _ranges(rows, split, cost)

    def place(row: Row, value: float) -> Place:
        x = math.log10(cost_of(row, cost) or 1)
        return (x - left) / (right - left), (value - bottom) / (top - bottom)

    first = [row for name in (chosen, *reversed(LANDMARKS)) for row in rows if row["name"] == name]
    points = {row["title"]: place(row, row[split]["within_pair"]["value"]) for row in rows}
    joined = [points[row["title"]] for row in best]
    guess = (0.5 - bottom) / (top - bottom)
    return place_names(
        {row["title"]: points[row["title"]] for row in [*first, *reversed(best)]},
        [row["title"] for row in first],
        [*pairwise(joined), ((0, guess), (1, guess))],
        [place(row, value) for row in rows for value in _shown(row, split)],
    )


def _shown(row: Row, split: str) -> list[float]:
    """The values that are marked of a row, with the ends of its interval."""
    share = row[split]["within_pair"]
    return [share["value"], share["low"], share["high"], *trainings(row, split)[1:]]


def _ranges(rows: Sequence[Row], split: str, cost: str) -> tuple[list[float], list[float]]:
    """Both axes of `against_cost`, the lower one in powers of ten."""
    costs = [math.log10(cost_of(row, cost) or 1) for row in rows]
    values = [0.5, *(value for row in rows for value in _shown(row, split))]
    return _padded(costs), _padded(values)


def _padded(values: Sequence[float]) -> list[float]:
    """The ends of ``values`` and a little more, so that marks at the ends are seen whole."""
    low, high = min(values, default=0), max(values, default=0)
    more = 0.05 * (high - low) or 0.1
    return [low - more, high + more]


def frontier(rows: Sequence[Row], split: str, cost: str) -> list[Row]:
    """Those of ``rows`` that none that costs as little or less is better than, cheapest first."""
    best: list[Row] = []
    for row in sorted(
        rows, key=lambda one: (cost_of(one, cost) or 0, -one[split]["within_pair"]["value"])
    ):
        value = row[split]["within_pair"]["value"]
        if not best or value > best[-1][split]["within_pair"]["value"]:
            best.append(row)
    return best


def _ticks(costs: Sequence[float]) -> list[float]:
    """Round numbers for a logarithmic axis over ``costs``."""
    steps = (0.5, 0.7, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70)
    low, high = min(costs, default=1) / 1.1, max(costs, default=1) * 1.1
    return [step for step in steps if low <= step <= high]


def _chance(figure: go.Figure) -> None:
    figure.add_hline(y=0.5, line={"dash": "dot", "width": 1, "color": RING_COLOR})


def curves(rows: Sequence[Row], chosen: str) -> go.Figure:
    """Over the steps of each row's training the share of its clips whose class scores above its
    time reversal or, where that was not logged of all, of right answers; the chosen system, GSM and
    TSN stand out. On the dotted line is who guesses the direction (and knows the pair).
    """
    figure = go.Figure()
    logged = all("within_pair" in point for row in rows for point in row["curve"])
    told_of = "within_pair" if logged else "accuracy"
    last = sorted(rows, key=lambda row: (row["name"] == chosen, row["name"] in LANDMARKS))
    for row in last:
        told = row["name"] in (chosen, *LANDMARKS)
        figure.add_scatter(
            x=[point["step"] for point in row["curve"]],
            y=[point[told_of] for point in row["curve"]],
            mode="lines",
            name=short(row["title"]),
            showlegend=told,
            opacity=1 if told else 0.45,
            line={
                "color": color_of(row, chosen),
                "width": 3 if row["name"] == chosen else 2 if told else 1,
                "dash": "dash" if row["name"] == "none" and row["name"] != chosen else "solid",
            },
            hovertemplate="step %{x:,.0f}: %{y:.1%}",
        )
    _chance(figure)
    figure.update_xaxes(title="step of training")
    title = "within pair, training clips" if logged else "right answers to training clips"
    figure.update_yaxes(title=title, tickformat=".0%", range=[0, 1.02])
    return figure.update_layout(
        height=380,
        margin={"l": 8, "r": 8, "t": 30, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


def pairs(rows: Sequence[Row], split: str) -> go.Figure:
    """*Within pair* of each measured row (down) by pair of actions (across); white is chance."""
    names = pairs_of(rows, split)
    shares = pair_shares(rows, names, split)
    titles = [short(row["title"]) for row in rows]
    shown = shortened([name.split(" / ")[0] for name in names], PAIR_CHARACTERS)
    said = [[_hover(row["pairs"][split].get(name), name) for name in names] for row in rows]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(range(len(names))),
            y=titles,
            zmin=0,
            zmax=1,
            colorscale=DIVERGING,
            customdata=said,
            hovertemplate="%{y}, %{customdata}<extra></extra>",
            colorbar=SCALE_ABOVE,
            xgap=1,
            ygap=1,
        )
    )
    figure.update_yaxes(autorange="reversed", tickvals=titles)
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=[short(name) for name in shown], tickangle=-60
    )
    return figure.update_layout(
        height=220 + 19 * len(rows), margin={"l": 8, "r": 8, "t": 60, "b": 120}
    )


def probes(rows: Sequence[Row]) -> go.Figure:
    """Right answers of each row (down) to each temporal probe, to *which first* also by how many
    frames lie between (across); white is chance.
    """
    columns = columns_of(rows)
    shares = [[share_of(row, *column) for column in columns] for row in rows]
    titles = [short(row["title"]) for row in rows]
    names = [probe if apart is None else f"{apart} apart" for probe, apart in columns]
    figure = go.Figure(
        go.Heatmap(
            z=[[one["value"] for one in row] for row in shares],
            x=list(range(len(names))),
            y=titles,
            zmin=0,
            zmax=1,
            colorscale=DIVERGING,
            customdata=[
                [
                    f"{name}: {one['value']:.1%} ({one['low']:.1%} to {one['high']:.1%}),"
                    f" {one['n']:,} scenes in both orders"
                    for name, one in zip(names, row, strict=True)
                ]
                for row in shares
            ],
            hovertemplate="%{y}, %{customdata}<extra></extra>",
            colorbar=SCALE_ABOVE,
            xgap=1,
            ygap=1,
        )
    )
    figure.update_yaxes(autorange="reversed", tickvals=titles)
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, tickangle=-90)
    return figure.update_layout(
        height=200 + 19 * len(rows), margin={"l": 8, "r": 8, "t": 60, "b": 100}
    )


def _hover(share: Mapping[str, float] | None, name: str) -> str:
    if share is None:
        return f"{short(name, 160)}: not measured"
    ends = f"{share['low']:.1%} to {share['high']:.1%}"
    return f"{short(name, 160)}: {share['value']:.1%} ({ends}), {share['n']:,} clips"
