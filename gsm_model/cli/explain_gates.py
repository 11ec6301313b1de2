"""``explain gates``: what the gates of a model do, for clips and for data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import (
    Checkpoints,
    Device,
    Labels,
    OrderName,
    SkipBad,
    Target,
    arguments_of,
    caution_line,
    fail,
    load_models,
    model_files,
    or_fail,
    progress,
    say,
    write_all,
)
from gsm_model.cli.explain_common import (
    Count,
    Data,
    Segments,
    Split,
    Videos,
    Workers,
    data_set,
    folders_of,
    opened,
    said_beside,
    write_beside,
)
from gsm_model.figures.presets import WIDTHS, Width

if TYPE_CHECKING:
    from gsm_model.evaluation.dataset import ClipSet
    from gsm_model.explain.gates.report import GateReport
    from gsm_model.models.recognizer import Recognizer


def gates(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="For clips: a folder. For a data set: the .parquet file to write.")
    ],
    clips: Annotated[
        list[Path] | None,
        typer.Argument(help="Video files, pictures, or folders of numbered frames."),
    ] = None,
    checkpoint: Checkpoints = None,
    order: Annotated[
        OrderName, typer.Option(help="The order in which the models see the frames.")
    ] = "forward",
    seed: Annotated[int, typer.Option(help="Which shuffle, for --order shuffled.")] = 0,
    segments: Segments = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Whose maps the strip and the film show; without it, the most adaptive."),
    ] = None,
    width: Annotated[
        Width, typer.Option(help="Width of the figures: one column or a page.")
    ] = "page",
    opacity: Annotated[
        float, typer.Option(min=0, max=1, help="How strongly maps cover the frames.")
    ] = 0.6,
    data: Data = None,
    videos: Videos = None,
    labels: Labels = None,
    target: Target = "verb",
    skip_bad: SkipBad = False,
    workers: Workers = 1,
    split: Split = "test",
    count: Count = 2000,
    device: Device = None,
) -> None:
    """Where, when, which way and how strongly each layer moves features.

    For clips: gates.npz (an array a layer), tables (csv, parquet), figures (pdf, svg, png), a film
    (mp4, gif) and recipe.json; with several clips or models, in a folder for each. Of a system
    without gates the shares of what comes from other frames take their place, and readings.csv
    holds what its weights say. For a data set: a table a layer and direction (parquet and csv), its
    figure and recipe.
    """
    if clips:
        options = {"layer": layer, "width": width, "opacity": opacity}
        _gates_of_clips(
            clips,
            model_files(checkpoint),
            labels,
            device,
            out,
            order,
            seed,
            segments,
            options,
        )
        return
    model, found = data_set(
        checkpoint,
        device,
        out,
        data,
        videos,
        labels,
        target,
        skip_bad,
        workers,
        split,
        count,
    )
    _gates_of_data(model, found, out, width, arguments_of(context))


def _gates_of_clips(
    clips: list[Path],
    paths: list[Path],
    labels: Path | None,
    device: str | None,
    out: Path,
    order: OrderName,
    seed: int,
    segments: int | None,
    options: dict,
) -> None:
    from gsm_model.explain.gates.readings import reading_rows
    from gsm_model.explain.gates.report import report_gates
    from gsm_model.exports.gates import GateFileOptions, gate_files, seen_frames
    from gsm_model.exports.provenance import Input, explain_recipe
    from gsm_model.io.tables import csv_text

    models = load_models(paths, labels, device, "float32")
    folders = dict(zip(clips, folders_of(out, clips), strict=True))
    for clip, counts, video in opened(clips, models, segments):
        for path, model, count, folder in zip(
            paths, models, counts, folders_of(folders[clip], paths), strict=True
        ):
            report = report_gates(model, video, order, count, seed)
            recipe = explain_recipe(
                "gates",
                Input.of(clip),
                [Input.of(path, model.card.sha256)],
                order,
                seed,
                segments,
                options,
                "gates",
                said_beside(labels),
            )
            seen = seen_frames(report, video, model.input)
            chosen = GateFileOptions(**options)
            try:
                files = gate_files(report, clip.name, seen, video.info.seconds, chosen, recipe)
            except ValueError as error:
                fail(str(error))
            if readings := reading_rows(model):
                files["readings.csv"] = csv_text(readings).encode()
            write_all(folder, files)
            _print_layers(clip, report)
            typer.echo(f"  {folder}: {', '.join(files)}")


def _gates_of_data(
    model: Recognizer, clip_set: ClipSet, out: Path, width: Width, typed: Sequence[str]
) -> None:
    from gsm_model.explain.gates.dataset import data_gates_table, gates_of_clips, write_data_gates
    from gsm_model.figures.gate_dataset import data_gates_figure

    found = or_fail(lambda: gates_of_clips(model, clip_set, progress("clip")))
    rows = data_gates_table(found)
    or_fail(lambda: write_data_gates(found, out))
    flat = [
        {key: value for key, value in row.items() if key not in ("histogram", "frame_means")}
        for row in rows
    ]
    figure = data_gates_figure(rows, WIDTHS[width])
    write_beside(out, typed, flat, figure, clip_set.origin, len(clip_set.ids))
    for row in rows:
        gates = (
            ""
            if row["gate_mean"] is None
            else f"mean {row['gate_mean']:+.2f}  adaptivity {row['adaptivity']:.2f}  "
        )
        typer.echo(
            f"{row['title']:<14} {row['direction']:<24} {gates}arrives {row['arrives']:.1%}"
            f" ({row['arrives_low']:.1%} to {row['arrives_high']:.1%})"
        )
    if found.undecodable:
        say(f"{found.undecodable} clips could not be read and are left out")


def _print_layers(clip: Path, report: GateReport) -> None:
    from gsm_model.explain.gates.tables import layer_figures

    typer.echo(f"{clip}  {report.card.name}, frames {report.prediction.order}")
    caution_line(report.prediction.caution)
    for layer in report.layers:
        f = layer_figures(layer)
        adaptivity = "" if f["adaptivity"] is None else f"  adaptivity {f['adaptivity']:.2f}"
        typer.echo(
            f"  {layer.title:<14} stays {f['stays']:6.1%}  from next {f['from_next']:6.1%}  from"
            f" previous {f['from_previous']:6.1%}  lost {f['lost']:5.1%}{adaptivity}"
            f"  reach −{f['reach_back']} +{f['reach_ahead']}"
        )
