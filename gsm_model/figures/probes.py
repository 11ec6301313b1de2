"""The profiles of models over the temporal probes: what each can tell of time, and how far its
memory reaches.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_model.evaluation.probes import ProbeResult
from gsm_model.figures.style import INK, series_style


def profile_figure(models: Sequence[tuple[str, Sequence[ProbeResult]]]) -> Figure:
    """For each (model's name, its profile): the share of right answers to each probe, and to
    *which first* by how many frames the two events are apart, with 95 % intervals.
    """
    figure = Figure(figsize=(6.875, 2.9), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.45, 1))
    probes = [result for result in models[0][1] if result.distance is None]
    apart = [result for result in models[0][1] if result.distance is not None]
    step = min(0.18, 0.8 / len(models))
    for number, (name, profile) in enumerate(models):
        offset = (number - (len(models) - 1) / 2) * step
        whole = [result for result in profile if result.distance is None]
        _points(left, number, [place + offset for place in range(len(whole))], whole, name)
        far = [result for result in profile if result.distance is not None]
        _points(right, number, [result.distance or 0 for result in far], far, None)
    left.set_xticks(
        range(len(probes)),
        [f"{r.probe}\n(control)" if r.static else r.probe for r in probes],
        fontsize=6.5,
        rotation=35,
        ha="right",
    )
    right.set_xticks([result.distance or 0 for result in apart])
    right.set_xlabel("frames between the two events", fontsize=7)
    right.set_title("which first", fontsize=8)
    left.set_ylabel("right answers", fontsize=8)
    for axes in (left, right):
        axes.axhline(0.5, color=INK, linewidth=0.6, linestyle=":")
        axes.set_ylim(0.3, 1.03)
        axes.tick_params(axis="y", labelsize=7)
        axes.tick_params(axis="x", labelsize=6.5)
        axes.spines[["top", "right"]].set_visible(False)
    scenes = sum(result.right.n for result in probes)
    figure.supxlabel(
        f"{scenes:,} scenes in both orders, {probes[0].right.data}; 95 % intervals; dotted: chance",
        fontsize=6.5,
    )
    figure.legend(fontsize=7, frameon=False, loc="outside upper center", ncols=min(len(models), 4))
    return figure


def _points(
    axes: Axes,
    number: int,
    places: Sequence[float],
    results: Sequence[ProbeResult],
    name: str | None,
) -> None:
    """The shares of ``results`` at ``places`` with their intervals; joined where ``name`` is not
    given.
    """
    look, shares = series_style(number), [result.right for result in results]
    axes.errorbar(
        places,
        [share.value for share in shares],
        yerr=[
            [max(share.value - share.low, 0) for share in shares],
            [max(share.high - share.value, 0) for share in shares],
        ],
        fmt=look.marker,
        linestyle="none" if name else look.dash,
        color=look.color,
        markersize=4,
        linewidth=1,
        capsize=2,
        label=name,
    )
