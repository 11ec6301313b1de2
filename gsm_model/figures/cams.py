"""Maps of where models look, laid over the frames they saw: pictures, the strip for print, the
film.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.cam.scale import Scaled, upsampled
from gsm_model.figures.labels import in_print
from gsm_model.figures.map_scale import cam_scale
from gsm_model.figures.overlay import cautioned, scale_bar, side_by_side, titled
from gsm_model.figures.presets import PAGE
from gsm_model.figures.style import caution_below
from gsm_model.models.caution import in_short

LARGEST_PICTURE = 1.2  # inches a side


@dataclass(frozen=True)
class CamRow:
    """One model's row: its report, the frames it saw (T, S, S, 3) uint8, and its maps of one layer
    on the scale that is shown.
    """

    report: CamReport
    frames: np.ndarray
    scaled: Scaled


def overlaid(frames: np.ndarray, scaled: Scaled, opacity: float) -> np.ndarray:
    """``scaled.maps`` (T, h, w) over ``frames`` (T, S, S, 3) uint8, bilinear: the nearer to 0, the
    more of the frame is seen; at ±1 a share ``opacity`` is the map's colour."""
    scale = cam_scale(scaled.signed)
    grown = upsampled(scaled.maps, frames.shape[1])
    cover = scale.cover(grown, opacity)[..., None]
    return (frames * (1 - cover) + scale.rgb(grown) * cover).round().astype(np.uint8)


def strip_figure(
    rows: Sequence[CamRow],
    layer: str,
    opacity: float = 0.8,
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
        pictures = overlaid(row.frames, row.scaled, opacity)
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
    scale = cam_scale(first.scaled.signed)
    bar = figure.colorbar(
        ScalarMappable(Normalize(scale.low, scale.high), scale.colors),
        ax=list(grid.ravel()),
        location="bottom",
        aspect=50,
        shrink=0.6,
        pad=0.02,
    )
    bar.ax.tick_params(length=2, pad=1, labelsize=6)
    bar.set_label(in_print(one_stands_for(rows)), fontsize=6)
    caution_below(figure, in_print(_cautions(rows)))
    return figure


def _cautions(rows: Sequence[CamRow]) -> str:
    return in_short(row.report.prediction.caution for row in rows)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def one_stands_for(rows: Sequence[CamRow]) -> str:
    """What 1 on the scale is, for each model: the scale is never hidden."""
    parts = [f"{row.report.card.name} {row.scaled.stands_for}" for row in rows]
    return "1 stands for: " + ", ".join(parts)


def cam_film(rows: Sequence[CamRow], layer: str, opacity: float) -> np.ndarray:
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
        columns.append(titled(overlaid(row.frames, row.scaled, opacity), names))
    film = side_by_side(columns)
    heading = titled(
        film,
        [
            f"{first.report.method} at {layer}: {first.report.target_name}, frames"
            f" {first.report.prediction.order}"
        ]
        * t,
    )
    scale = cam_scale(first.scaled.signed)
    bar = scale_bar(scale.colors, scale.low, scale.high, film.shape[2], t, one_stands_for(rows))
    return cautioned(np.concatenate([heading, bar], axis=1), _cautions(rows))


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
