"""``order``: what if time ran otherwise, for clips and for tables of predictions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import (
    Checkpoints,
    Device,
    caution_line,
    fail,
    load_models,
    open_clip,
    or_fail,
    say,
)
from gsm_model.errors import LensError
from gsm_model.io.atomic import write_whole

if TYPE_CHECKING:
    from gsm_model.evaluation.reversal import Flips
    from gsm_model.explain.order.report import OrderReport
    from gsm_model.models.recognizer import Recognizer


def order(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Clips; or tables of predictions (.parquet), a forward and a reversed one a model."
        ),
    ],
    checkpoint: Checkpoints = None,
    segments: Annotated[
        int | None,
        typer.Option(
            min=2, max=64, help="Frames a model sees; without it, as many as it was trained with."
        ),
    ] = None,
    shuffles: Annotated[
        int, typer.Option(min=1, max=200, help="How many shuffles of a clip.")
    ] = 20,
    seed: Annotated[int, typer.Option(help="Which shuffles.")] = 0,
    labels: Annotated[
        Path | None, typer.Option(help="A label file: one class name a line.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Also write all numbers to this .csv file.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(help="With tables: also write the figure to this .pdf file.")
    ] = None,
    device: Device = None,
) -> None:
    """What if time ran otherwise? A clip's answers in other orders; of tables, what becomes of the
    answers on reversed frames.
    """
    from gsm_model.explain.order.tables import clip_table, flips_table
    from gsm_model.io.tables import csv_text

    tables = [path for path in files if path.suffix == ".parquet"]
    if tables and len(tables) < len(files):
        fail("give either clips or tables of predictions (.parquet), not both")
    if pdf is not None and not tables:
        fail("--pdf: the figure is of tables of predictions; give .parquet files")
    failed = False
    if tables:
        rows = flips_table(or_fail(lambda: _flips(tables, pdf)))
        _print_rows(rows)
    else:
        rows, models = [], load_models(checkpoint, labels, device, "float32")
        for path in files:
            try:
                reports = _order_reports(path, models, segments, shuffles, seed)
            except LensError as error:
                say(str(error))
                failed = True
                continue
            for report in reports:
                _print_order(path, report)
                rows += clip_table(str(path), report)
    if csv is not None:
        or_fail(lambda: write_whole(csv, csv_text(rows)))
    if failed:
        raise typer.Exit(2)


def _flips(paths: list[Path], pdf: Path | None) -> list[tuple[str, tuple[Flips, ...]]]:
    from gsm_model.evaluation.reversal import flips_of_models
    from gsm_model.figures.fonts import give_fonts
    from gsm_model.figures.reversal import flips_figure
    from gsm_model.predictions.read import read_parquet

    models = flips_of_models([read_parquet(path) for path in paths])
    if pdf is not None:
        figure = flips_figure(models)
        give_fonts(figure)
        figure.savefig(pdf)
    return models


def _order_reports(
    path: Path, models: list[Recognizer], segments: int | None, shuffles: int, seed: int
) -> list[OrderReport]:
    from gsm_model.explain.order.report import report_order

    counts, video = open_clip(path, models, segments)
    return [
        report_order(model, video, count, shuffles, seed)
        for model, count in zip(models, counts, strict=True)
    ]


def _print_order(path: Path, report: OrderReport) -> None:
    answer, reverse = report.answer, report.reversed_class
    typer.echo(
        f"{path}  {report.card.name}: {report.card.label(answer)}, order sensitivity"
        f" {report.sensitivity:.3f}"
    )
    caution_line(report.caution)
    shown = (
        ("forward", report.forward),
        ("reversed", report.reversed),
        ("frozen", report.frozen),
        ("shuffled, mean", report.shuffled.mean(0)),
    )
    for name, p in shown:
        reversal = (
            f", {p[reverse]:6.1%} {report.card.label(reverse)}" if reverse is not None else ""
        )
        typer.echo(f"  {name:<15}{p[answer]:6.1%} {report.card.label(answer)}{reversal}")


def _print_rows(rows: list[dict]) -> None:
    for row in rows:
        shares = ", ".join(
            f"{name.replace('_', ' ')} {row[name]:.1%} ({row[name + '_low']:.1%} to"
            f" {row[name + '_high']:.1%})"
            for name in ("to_reversed_class", "stays", "elsewhere")
        )
        typer.echo(
            f"{row['model']}  {row['group']} ({row['n']:,} clips of {row['data']}): {shares}"
        )
