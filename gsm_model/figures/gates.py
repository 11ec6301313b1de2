"""The gates of one clip for print: the overview of all layers, the shift diagram, and one layer's
maps over the frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import FancyArrowPatch

from gsm_model.explain.gates.layers import DIRECTIONS, LayerExchange, LayerGates
from gsm_model.explain.gates.report import GateReport
from gsm_model.figures.labels import in_print
from gsm_model.figures.overlay import blended, colored
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import caution_below, gate_colors, share_colors
from gsm_model.models.caution import in_short

LARGEST_PICTURE = 1.2  # inches a side
FAINTEST_SHARE = 0.002  # of a layer's energy: arrows below it are left out


@dataclass(frozen=True)
class MapScale:
    """How the maps of layers are coloured: the ends of the scale and what stands at its marks."""

    colors: Colormap
    low: float
    high: float
    marks: tuple[tuple[float, str], ...]
    title: str

    def norm(self) -> Normalize:
        """Values → 0 … 1."""
        return Normalize(self.low, self.high)


GATE_SCALE = MapScale(
    gate_colors(),
    -1,
    1,
    ((-1, "−1 difference"), (0, "0 leaves"), (0.5, "½"), (1, "+1 swaps")),
    "gate: −1 difference, 0 leaves, +1 swaps",
)
SHARE_SCALE = MapScale(
    share_colors(),
    0,
    1,
    ((0, "0 its own frame's"), (0.5, "½"), (1, "1 all from there")),
    "share of the place's energy that comes from there, 0 to 1",
)


def scale_of(report: GateReport) -> MapScale:
    """The scale of a report's maps: of gates, or of shares where a layer has none."""
    return GATE_SCALE if report.is_gated else SHARE_SCALE


def gates_figure(report: GateReport, frames: np.ndarray, width: float = PAGE) -> Figure:
    """The frames as the model sees them (T, S, S, 3) uint8; the mean of the maps (gates, or shares
    of energy) of every layer, frame and direction; the shift diagram.

    ``width`` in inches. Below 5 inches the diagram stands under the overview.
    """
    layers, narrow, scale = report.layers, width < 5, scale_of(report)
    t, rows = len(report.prediction.frame_indices), 0.2 * len(layers) + 0.35
    pictures = min(width / (t + 1), LARGEST_PICTURE)
    heights = [pictures, rows, rows] if narrow else [pictures, rows]
    figure = Figure(figsize=(width, sum(heights) + (1.1 if narrow else 0.75)), layout="constrained")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    _show_frames(parts[0].subplots(1, t, squeeze=False)[0], report, frames)
    figure.suptitle(f"{report.card.name}, frames {report.prediction.order}", fontsize=8)
    if narrow:
        left, right = parts[1].subplots(1, 2, sharey=True)
        diagram = parts[2].subplots()
    else:
        left, right, diagram = parts[1].subplots(1, 3, sharey=True, width_ratios=(1, 1, 1.15))
    for way, axes in enumerate((left, right)):
        means = np.stack([layer.maps[:, way].mean((1, 2)) for layer in layers])
        axes.imshow(
            means, cmap=scale.colors, norm=scale.norm(), aspect="auto", interpolation="nearest"
        )
        axes.set_title(DIRECTIONS[way], fontsize=7)
        _label_axes(axes, report)
    right.tick_params(labelleft=False)
    _show_scale(parts[1], [left, right], scale)
    shift_diagram(diagram, report)
    caution_below(figure, in_print(in_short([report.prediction.caution])))
    return figure


def _show_frames(axes: np.ndarray, report: GateReport, frames: np.ndarray) -> None:
    for one, frame, index in zip(axes, frames, report.prediction.frame_indices, strict=True):
        one.imshow(frame)
        one.set_title(str(index), fontsize=6, pad=2)
        one.set_axis_off()


def _label_axes(axes: Axes, report: GateReport) -> None:
    indices, titles = report.prediction.frame_indices, [layer.title for layer in report.layers]
    every = max(1, len(indices) // 8)
    axes.set_xticks(
        range(0, len(indices), every), [str(index) for index in indices[::every]], fontsize=6
    )
    axes.set_yticks(range(len(titles)), titles, fontsize=6)
    axes.set_xlabel("frame, as seen", fontsize=7)
    axes.tick_params(length=2, pad=2)


def _show_scale(figure: FigureBase, axes: Sequence[Axes], scale: MapScale) -> None:
    bar = figure.colorbar(
        ScalarMappable(scale.norm(), scale.colors),
        ax=axes,
        location="bottom",
        aspect=30,
        shrink=0.8,
        pad=0.02,
    )
    values, texts = zip(*scale.marks, strict=True)
    bar.set_ticks(list(values), labels=list(texts), fontsize=6)
    bar.ax.tick_params(length=2, pad=1)


def shift_diagram(axes: Axes, report: GateReport) -> None:
    """Frames as columns, layers as rows; an arrow to each frame from each side, as wide as the
    share of the layer's energy that arrives by it, coloured by the sign of the gate (its mean by
    energy), where there is one. Where there is no arrow nothing moves."""
    t = len(report.prediction.frame_indices)
    thin = min(1.0, 9 / t)  # many frames leave little room between them
    for row, layer in enumerate(report.layers):
        axes.plot(range(t), [row] * t, ".", color="#7B8794", markersize=2)
        for way, frame, share, gate in arrows_of(layer):
            source = frame + (1 if way == 0 else -1)
            y = row + (-0.17 if way == 0 else 0.17)
            color = (
                share_colors()(0.75)
                if gate is None
                else gate_colors()(0.5 + 0.5 * np.sign(gate) * max(abs(gate), 0.45))
            )
            axes.add_patch(
                FancyArrowPatch(
                    (source, y),
                    (frame, y),
                    arrowstyle="-|>,head_length=2.2,head_width=1.3",
                    shrinkA=1,
                    shrinkB=1,
                    mutation_scale=1,
                    linewidth=thin * min(0.3 + 4 * share * t, 3.5),
                    color=color,
                )
            )
    axes.set_title("energy that moves", fontsize=7)
    _label_axes(axes, report)
    axes.set_xlim(-0.6, t - 0.4)
    axes.set_ylim(len(report.layers) - 0.5, -0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)


def arrows_of(layer: LayerExchange) -> list[tuple[int, int, float, float | None]]:
    """The arrows of a layer that are not too faint to draw: (direction, receiving frame, share of
    the layer's energy, mean gate by energy or ``None`` without gates).
    """
    shares = layer.arrows()
    gates = layer.weighted_gate() if isinstance(layer, LayerGates) else None
    t = len(shares)
    return [
        (
            way,
            frame,
            float(shares[frame, way]),
            None if gates is None else float(gates[frame + step, way]),
        )
        for way, step in ((0, 1), (1, -1))
        for frame in range(t)
        if 0 <= frame + step < t and shares[frame, way] >= FAINTEST_SHARE
    ]


def strip_figure(
    report: GateReport,
    layer: LayerExchange,
    frames: np.ndarray,
    opacity: float = 0.6,
    width: float = PAGE,
) -> Figure:
    """One layer's maps (`LayerExchange.maps`) over the frames that the model sees (T, S, S, 3)
    uint8: a row a direction, ``opacity`` 0 … 1.
    """
    t, scale = len(frames), scale_of(report)
    cell = min(width / (t + 0.6), LARGEST_PICTURE)
    figure = Figure(figsize=(width, 3 * cell + 0.85), layout="constrained")
    rows = figure.subplots(3, t, squeeze=False)
    _show_frames(rows[0], report, frames)
    for way in range(2):
        over = colored(layer.maps[:, way], scale.colors, scale.low, scale.high, frames.shape[1])
        for axes, picture in zip(rows[way + 1], blended(frames, over, opacity), strict=True):
            axes.imshow(picture)
            axes.set_xticks([])
            axes.set_yticks([])
        rows[way + 1][0].set_ylabel(
            DIRECTIONS[way].replace("from the ", "from\n").replace(" frame", ""), fontsize=6
        )
    rows[0][0].set_ylabel("frame", fontsize=6)
    figure.suptitle(
        f"{report.card.name}, {layer.title}, frames {report.prediction.order}", fontsize=8
    )
    _show_scale(figure, list(rows.ravel()), scale)
    caution_below(figure, in_print(in_short([report.prediction.caution])))
    return figure
