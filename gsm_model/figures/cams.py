"""Maps of where models look, laid over the frames they saw: pictures, the strip for print, the
film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.cam.scale import Scaled, upsampled
from gsm_model.figures.labels import in_print
from gsm_model.figures.overlay import scale_bar, side_by_side, titled
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import gate_colors

PALETTES = (
    "viridis",
    "cividis",
    "inferno",
)  # even steps of lightness, told apart by the colour-blind; the first is the default
LARGEST_PICTURE = 1.2  # inches a side


@dataclass(frozen=True)
class CamRow:
    """One model's row: its report, the frames it saw (T, S, S, 3) uint8, and its maps of one layer
    on the scale that is shown.
    """

    report: CamReport
    frames: np.ndarray
    scaled: Scaled


def cam_colors(signed: bool, palette: str = PALETTES[0]) -> Colormap:
    """The colours of maps: even in lightness from 0 to 1, or, for signed ones, neutral at 0."""
    return gate_colors() if signed else colormaps[palette]


def overlaid(
    frames: np.ndarray, maps: np.ndarray, opacity: float, signed: bool, palette: str = PALETTES[0]
) -> np.ndarray:
    """``maps`` (T, h, w), −1 … 1 or 0 … 1, over ``frames`` (T, S, S, 3) uint8, bilinear: the nearer
    to 0, the more of the frame is seen; at ±1 a share ``opacity`` is the map's colour."""
    grown = upsampled(maps, frames.shape[1]).clip(-1 if signed else 0, 1)
    colors = cam_colors(signed, palette)(0.5 + 0.5 * grown if signed else grown)[..., :3] * 255
    cover = opacity * np.abs(grown)[..., None]
    return (frames * (1 - cover) + colors * cover).round().astype(np.uint8)


def strip_figure(
    rows: Sequence[CamRow],
    layer: str,
    opacity: float = 0.8,
    signed: bool = False,
    width: float = PAGE,
) -> Figure:
    """The frames, and a row a model with its maps over them; under each picture the frame's
    evidence. All rows have one number of frames.

    Raises:
        ValueError: if there is no row, or numbers of frames differ.
    """
    t = same_length(rows)
    cell = min(width / (t + 0.9), LARGEST_PICTURE)
    figure = Figure(figsize=(width, (cell + 0.17) * (len(rows) + 1) + 0.75), layout="constrained")
    grid = figure.subplots(len(rows) + 1, t, squeeze=False)
    first = rows[0]
    for axes, frame, index in zip(
        grid[0], first.frames, first.report.prediction.frame_indices, strict=True
    ):
        axes.imshow(frame)
        axes.set_title(str(index), fontsize=6, pad=2)
    grid[0][0].set_ylabel("frame", fontsize=6)
    for row, line in zip(rows, grid[1:], strict=True):
        pictures = overlaid(row.frames, row.scaled.maps, opacity, signed)
        for axes, picture, evidence in zip(
            line, pictures, row.report.layer(layer).evidence, strict=True
        ):
            axes.imshow(picture)
            axes.set_xlabel(_signed(evidence), fontsize=6, labelpad=1)
        line[0].set_ylabel(in_print("\n".join(row.report.card.name.split(" ", 1))), fontsize=6)
    for axes in grid.ravel():
        axes.set_xticks([])
        axes.set_yticks([])
    report = first.report
    title = (
        f"{report.method} at {layer}: {report.target_name}; frames {report.prediction.order};"
        " below: evidence in logits"
    )
    figure.suptitle(in_print(title), fontsize=7, wrap=True)
    scale = Normalize(-1 if signed else 0, 1)
    bar = figure.colorbar(
        ScalarMappable(scale, cam_colors(signed)),
        ax=list(grid.ravel()),
        location="bottom",
        aspect=50,
        shrink=0.6,
        pad=0.02,
    )
    bar.ax.tick_params(length=2, pad=1, labelsize=6)
    bar.set_label(in_print(one_stands_for(rows)), fontsize=6)
    return figure


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def one_stands_for(rows: Sequence[CamRow]) -> str:
    """What 1 on the scale is, for each model: the scale is never hidden."""
    parts = []
    for row in rows:
        low, high = row.scaled.one.min(), row.scaled.one.max()
        span = f"{high:.3g}" if low == high else f"{low:.3g} to {high:.3g} by frame"
        parts.append(f"{row.report.card.name} {span}")
    return "1 stands for: " + ", ".join(parts)


def cam_film(rows: Sequence[CamRow], layer: str, opacity: float, signed: bool) -> np.ndarray:
    """The frames one after the other, and beside them each model's maps over them: (T, H, W, 3)
    uint8, every column titled.

    Raises:
        ValueError: as `strip_figure`.
    """
    t, first = same_length(rows), rows[0]
    columns = [
        titled(first.frames, [f"frame {index}" for index in first.report.prediction.frame_indices])
    ]
    for row in rows:
        evidence = row.report.layer(layer).evidence
        names = [f"{row.report.card.name} {_signed(value)}" for value in evidence]
        columns.append(titled(overlaid(row.frames, row.scaled.maps, opacity, signed), names))
    film = side_by_side(columns)
    heading = titled(
        film,
        [
            f"{first.report.method} at {layer}: {first.report.target_name}, frames"
            f" {first.report.prediction.order}"
        ]
        * t,
    )
    bar = scale_bar(
        cam_colors(signed), -1 if signed else 0, 1, film.shape[2], t, one_stands_for(rows)
    )
    return np.concatenate([heading, bar], axis=1)


def same_length(rows: Sequence[CamRow]) -> int:
    """How many frames all ``rows`` have.

    Raises:
        ValueError: if there is no row, or they differ.
    """
    lengths = {len(row.frames) for row in rows}
    if len(lengths) != 1:
        raise ValueError(
            "one picture needs models that are given one number of frames, got"
            f" {', '.join(map(str, sorted(lengths))) or 'none'}"
        )
    return lengths.pop()
