"""What can be taken away of where models look in one clip, as files: arrays, a table, the strip,
the film, the recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model.explain.cam.report import CamReport, steps_in_words
from gsm_model.explain.cam.scale import Normalise, scaled
from gsm_model.explain.gates.tables import npz_bytes
from gsm_model.exports.gates import film_speed
from gsm_model.exports.provenance import Recipe, cautions_in
from gsm_model.figures.cams import CamRow, cam_film, strip_figure
from gsm_model.figures.presets import WIDTHS, Width
from gsm_model.figures.style import FORMATS, figure_bytes
from gsm_model.io.names import unique_names
from gsm_model.io.tables import csv_text
from gsm_model.video.encode import to_gif, to_mp4


@dataclass(frozen=True)
class CamFileOptions:
    """How maps are shown: ``normalise`` and ``signed`` as in `scaled`; ``width``: *column* or
    *page*; ``opacity`` 0 … 1.
    """

    normalise: Normalise = "clip"
    signed: bool = False
    width: Width = "page"
    opacity: float = 0.8


def cam_files(
    reports: Sequence[CamReport],
    clip: str,
    seen: Sequence[np.ndarray],
    seconds: float,
    options: CamFileOptions,
    recipe: Recipe,
    layer: str | None = None,
) -> dict[str, bytes]:
    """File name → content, for several models' reports on one clip. ``seen``: for each the frames
    (T, S, S, 3) uint8 it saw; ``seconds``: how long the clip lasts; ``recipe``: how the files
    are made; ``layer`` is by default the first of the reports.

    Raises:
        ValueError: if the models were given different numbers of frames.
    """
    layer = layer or reports[0].layers[0].layer
    rows = cam_rows(reports, seen, layer, options)
    film, fps = (
        cam_film(rows, layer, options.opacity),
        film_speed(len(seen[0]), seconds),
    )
    strip = strip_figure(rows, layer, options.opacity, WIDTHS[options.width])
    first = reports[0]
    about = {
        "models": [report.card.name for report in reports],
        "target": first.target_name,
        "order": first.prediction.order,
        "frames": first.prediction.frame_indices.tolist(),
        "layer": layer,
        "maps.npz": {
            "arrays": "one a model, (T, h, w) float32",
            "unit": f"as {first.method} gives them, signed, not rescaled",
        },
        "scale": {
            name: row.scaled.one.tolist()
            for name, row in zip(model_names(reports), rows, strict=True)
        },
        "frames.csv": {
            "evidence": "gradient × feature summed over places and channels, in logits",
            "value": "the target by the frame's own scores",
        },
        "film": {"frames a second": fps},
        **steps_said(reports, layer),
        **cautions_in(report.prediction for report in reports),
    }
    return {
        "maps.npz": npz_bytes(
            {
                name: report.layer(layer).maps
                for name, report in zip(distinct_names(reports), reports, strict=True)
            }
        ),
        "frames.csv": csv_text(
            [row for report in reports for row in frame_rows(clip, report, layer)]
        ).encode(),
        **{f"strip.{kind}": figure_bytes(strip, kind) for kind in FORMATS},
        "overlay.mp4": to_mp4(film, fps),
        "overlay.gif": to_gif(film, fps),
        "recipe.json": recipe.json(about),
    }


def steps_said(reports: Sequence[CamReport], layer: str) -> dict[str, str]:
    """For a recipe, how maps of fewer time steps than frames were made; empty where there are none
    such.
    """
    said = [one for one in (steps_in_words(report, layer) for report in reports) if one]
    return {"time steps": " ".join(said)} if said else {}


def cam_rows(
    reports: Sequence[CamReport], seen: Sequence[np.ndarray], layer: str, options: CamFileOptions
) -> list[CamRow]:
    """The rows of a picture: each report's maps of ``layer`` on the scale that ``options``
    names.
    """
    scales = scaled(
        [report.layer(layer).maps for report in reports], options.normalise, options.signed
    )
    return [
        CamRow(report, frames, one)
        for report, frames, one in zip(reports, seen, scales, strict=True)
    ]


def model_names(reports: Sequence[CamReport]) -> list[str]:
    """The models' names; with the hash's beginning where two have the same, and a number where
    those have the same too.
    """
    counts = Counter(report.card.name for report in reports)
    return unique_names(
        [
            report.card.name
            if counts[report.card.name] == 1
            else f"{report.card.name} {report.card.sha256[:8]}"
            for report in reports
        ]
    )


def distinct_names(reports: Sequence[CamReport]) -> list[str]:
    """`model_names` as names of arrays, which have no ``/`` in them."""
    return unique_names([name.replace("/", "-") for name in model_names(reports)])


def frame_rows(clip: str, report: CamReport, layer: str) -> list[dict]:
    """A row a frame: the evidence at ``layer``, its share of the sum of all frames' sizes, and the
    target by the frame's own scores, empty where the model answers once per clip.
    """
    found, prediction = report.layer(layer), report.prediction
    values = report.frame_values() if prediction.scores_frames else None
    caution = prediction.caution
    total = max(float(np.abs(found.evidence).sum()), np.finfo(float).tiny)
    return [
        {
            "clip": clip,
            "model": report.card.name,
            "sha256": report.card.sha256,
            "order": prediction.order,
            "method": report.method,
            "layer": layer,
            "target": report.target_name,
            "place": place + 1,
            "frame": int(frame),
            "evidence": float(evidence),
            "share": float(evidence) / total,
            "value": "" if values is None else float(values[place]),
            "caution": "" if caution is None else caution.text,
        }
        for place, (frame, evidence) in enumerate(
            zip(prediction.frame_indices, found.evidence, strict=True)
        )
    ]
