"""All that can be taken away of one clip's gates, as files: arrays, tables, figures, film,
recipe.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.gates.layers import DIRECTIONS, REGIME_EDGES, REGIMES, LayerExchange
from gsm_model.explain.gates.report import GateReport
from gsm_model.explain.gates.tables import gate_arrays, gate_rows, layer_figures
from gsm_model.exports.provenance import Recipe, cautions_in
from gsm_model.figures.gates import gates_figure, scale_of, strip_figure
from gsm_model.figures.overlay import blended, cautioned, colored, scale_bar, side_by_side, titled
from gsm_model.figures.presets import WIDTHS, Width
from gsm_model.figures.style import FORMATS, figure_bytes
from gsm_model.io.tables import csv_text
from gsm_model.models.caution import in_short
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.encode import to_gif, to_mp4
from gsm_model.video.transforms import InputSpec, frames_as_seen

FILM_PIXELS = 256


@dataclass(frozen=True)
class GateFileOptions:
    """``layer``: whose maps the strip and the film show, ``None`` for the most adaptive; ``width``:
    *column* or *page*; ``opacity`` 0 … 1.
    """

    layer: str | None = None
    width: Width = "page"
    opacity: float = 0.6


def gate_files(
    report: GateReport,
    clip: str,
    seen: np.ndarray,
    seconds: float,
    options: GateFileOptions,
    recipe: Recipe,
) -> dict[str, bytes]:
    """File name → content. ``seen`` (T, S, S, 3) uint8 are the frames in the order and the crop
    that the model sees, ``seconds`` how long the clip lasts; ``recipe`` how the files are made.

    Raises:
        ValueError: for an unknown layer or width.
    """
    layer = chosen_layer(report, options.layer)
    width = WIDTHS[options.width]
    rows = gate_rows(clip, report)
    table = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), table, compression="zstd")
    film, fps = gate_film(report, layer, seen, options.opacity), film_speed(len(seen), seconds)
    figures = {
        "gates": gates_figure(report, seen, width),
        "strip": strip_figure(report, layer, seen, options.opacity, width),
    }
    about = {
        "model": report.card.name,
        "order": report.prediction.order,
        "frames": report.prediction.frame_indices.tolist(),
        "layer": layer.name,
        **_meanings(report),
        "film": {"frames a second": fps},
        **cautions_in([report.prediction]),
    }
    return {
        "gates.npz": gate_arrays(report),
        "gates.csv": csv_text(rows).encode(),
        "gates.parquet": table.getvalue(),
        **{
            f"{name}.{kind}": figure_bytes(figure, kind)
            for name, figure in figures.items()
            for kind in FORMATS
        },
        "gates.mp4": to_mp4(film, fps),
        "gates.gif": to_gif(film, fps),
        "recipe.json": recipe.json(about),
    }


def _meanings(report: GateReport) -> dict[str, dict]:
    """What the numbers in the arrays and in the table are."""
    shares = "of the layer's energy, 0 … 1"
    if not report.is_gated:
        arrays = {
            "arrays": "share of energy that arrives, by place, (T, 2, h, w) float32",
            "unit": "none, 0 … 1",
            "second axis": list(DIRECTIONS),
            "meaning": "0 all is the frame's own, 1 all comes from that side",
        }
        return {"gates.npz": arrays, "gates.csv": {"shares": shares}}
    arrays = {
        "arrays": "gate of one layer, (T, 2, h, w) float32",
        "unit": "none, −1 … 1",
        "second axis": list(DIRECTIONS),
        "meaning": (
            "0 leaves, +1 swaps in the neighbour's feature, +½ averages, −1 takes a difference"
        ),
    }
    regimes = dict(zip(REGIMES, _spans(), strict=True))
    return {"gates.npz": arrays, "gates.csv": {"regimes": regimes, "shares": shares}}


def _spans() -> list[str]:
    low, middle, high = REGIME_EDGES
    return [
        f"below {low:g}",
        f"{low:g} to {middle:g}",
        f"{middle:g} to {high:g}",
        f"{high:g} and above",
    ]


def chosen_layer(report: GateReport, name: str | None) -> LayerExchange:
    """The layer called ``name`` (its module's name or its title), or the most adaptive one, without
    gates the one that moves most.

    Raises:
        ValueError: if there is none of that name.
    """
    if name is None:
        return max(report.layers, key=interest)
    for layer in report.layers:
        if name in (layer.name, layer.title):
            return layer
    raise ValueError(
        f"{report.card.name} has no layer {name!r}; it has"
        f" {', '.join(layer.title for layer in report.layers)}"
    )


def interest(layer: LayerExchange) -> float:
    """What makes a layer the first to look at: how adaptive its gates are, or how much it moves."""
    adaptivity = layer_figures(layer)["adaptivity"]
    return layer.shares().moves if adaptivity is None else adaptivity


def gate_film(
    report: GateReport, layer: LayerExchange, seen: np.ndarray, opacity: float
) -> np.ndarray:
    """The frames one after the other, and beside them the layer's two maps laid over: (T, H,
    W, 3) uint8, every column titled.
    """
    t, scale = len(seen), scale_of(report)
    pixels = seen.shape[1]
    columns = [titled(seen, [f"frame {index}" for index in report.prediction.frame_indices])]
    for way, direction in enumerate(DIRECTIONS):
        over = colored(layer.maps[:, way], scale.colors, scale.low, scale.high, pixels)
        columns.append(titled(blended(seen, over, opacity), [direction] * t))
    film = side_by_side(columns)
    heading = titled(
        film, [f"{report.card.name}, {layer.title}, frames {report.prediction.order}"] * t
    )
    bar = scale_bar(scale.colors, scale.low, scale.high, film.shape[2], t, scale.title)
    return cautioned(np.concatenate([heading, bar], axis=1), in_short([report.prediction.caution]))


def film_speed(num_frames: int, seconds: float) -> float:
    """Frames a second at which the sampled frames last as long as the clip, between 1 and 8."""
    return float(np.clip(num_frames / max(seconds, 0.1), 1, 8))


def seen_frames(
    report: GateReport | CamReport, video: DecodedVideo, spec: InputSpec, pixels: int = FILM_PIXELS
) -> np.ndarray:
    """The frames of ``video`` that ``report`` is of, in the order and the crop that its model (of
    ``spec``) saw: (T, pixels, pixels, 3) uint8.
    """
    frames = video.frames_at(report.prediction.frame_indices)
    return frames_as_seen(frames, spec, pixels)
