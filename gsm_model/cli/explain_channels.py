"""``explain channels``: what single channels carry, of the pictures and of their order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gsm_model.cli.common import (
    AsJsonList,
    Checkpoints,
    Device,
    Labels,
    SkipBad,
    SplitName,
    Target,
    arguments_of,
    fail,
    load_models,
    model_files,
    or_fail,
    progress,
    say,
    write_all,
)
from gsm_model.cli.explain_common import (
    Data,
    Videos,
    Workers,
    clips_for,
)
from gsm_model.io.names import unique_names

if TYPE_CHECKING:
    from gsm_model.explain.channels.contrast import Contrast
    from gsm_model.explain.channels.report import ChannelReport

SideName = Literal["before", "after", "output", "gate"]


def channels(
    context: typer.Context,
    checkpoint: Checkpoints = None,
    count: Annotated[
        int,
        typer.Option(
            "--clips",
            min=2,
            help=(
                "How many drawn clips; with known factors rounded up to a multiple of 54, all their"
                " combinations."
            ),
        ),
    ] = 216,
    side: Annotated[
        SideName,
        typer.Option(
            help=(
                "Which channels the text and the figure are of: what enters or leaves the temporal"
                " operator, the block's output, or the gates. The files have all."
            )
        ),
    ] = "output",
    least: Annotated[
        float,
        typer.Option(
            min=0,
            help=(
                "How much a channel has to change to count as changed, in standard deviations"
                " between clips."
            ),
        ),
    ] = 0.25,
    data: Data = None,
    videos: Videos = None,
    labels: Labels = None,
    target: Target = "verb",
    skip_bad: SkipBad = False,
    workers: Workers = 1,
    split: Annotated[
        SplitName | None,
        typer.Option(help="Drawn clips of all classes in place of those with known factors."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for tables, numbers, figure and recipe; one a model."),
    ] = None,
    device: Device = None,
    as_json: AsJsonList = False,
) -> None:
    """Static and dynamic channels: over drawn clips in which object, colour, position and direction
    vary independently, the mutual information of every channel and gate with each, against
    permuted labels; which channels the temporal operators move; and the share of channels that
    change when the clips are reversed or frozen.

    With --data or --split, whose factors are not known, the last alone.
    """
    from gsm_model.explain.channels.contrast import PASSES, contrast_of_clips
    from gsm_model.explain.channels.report import passes_of_study, study_channels, whole_sets
    from gsm_model.explain.channels.tables import channels_object

    if data is not None and split is not None:
        fail("--split: draws clips, and --data names others; give one of the two")
    known = data is None and split is None
    paths = model_files(checkpoint)
    found: list[tuple[ChannelReport | None, Contrast]] = []
    for path in paths:
        [model] = load_models([path], labels, device)
        name = model.card.name
        if known:
            say(
                f"{name}: {whole_sets(count):,} drawn clips, about {passes_of_study(count):,}"
                " forward passes"
            )
            found.append(
                or_fail(
                    lambda m=model: study_channels(m, count, least=least, progress=progress("clip"))  # type: ignore[misc]
                )
            )
            continue
        of = (data, videos, labels, target, skip_bad, workers, split or "test", count)
        clips = clips_for(model, *of)
        say(f"{name}: {PASSES} forward passes for each of {len(clips.ids):,} clips")
        contrast = or_fail(
            lambda m=model, c=clips: contrast_of_clips(m, c, least, progress=progress("clip"))  # type: ignore[misc]
        )
        found.append((None, contrast))
    if out is not None:
        _write(out, found, paths, side, data, arguments_of(context))
    if as_json:
        objects = [channels_object(report, contrast) for report, contrast in found]
        typer.echo(json.dumps(objects[0] if len(objects) == 1 else objects, ensure_ascii=False))
        return
    for report, contrast in found:
        if report is not None:
            _print(report, side)
        _print_contrast(contrast)


def _write(
    out: Path,
    found: Sequence[tuple[ChannelReport | None, Contrast]],
    paths: Sequence[Path],
    side: SideName,
    data: Path | None,
    typed: Sequence[str],
) -> None:
    from gsm_model.exports.channels import channels_files
    from gsm_model.exports.provenance import Input, Recipe

    names = unique_names([path.stem for path in paths])
    for name, path, (report, contrast) in zip(names, paths, found, strict=True):
        read = [Input.of(path), *([] if data is None else [Input.of(data)])]
        recipe = Recipe(tuple(typed), tuple(read))
        folder = out / name if len(paths) > 1 else out
        write_all(folder, channels_files(report, contrast, side, recipe))


def _print(report: ChannelReport, side: SideName) -> None:
    from gsm_model.data.synthetic.factors import FACTORS
    from gsm_model.explain.channels.features import SUMMARIES

    typer.echo(
        f"{report.card.name}: the share of channels that carry each factor ({side};"
        f" {report.n:,} clips), and the most bits of one"
    )
    for summary in SUMMARIES:
        typer.echo(f"  {summary + ' over time':<17} {''.join(f'{name:>14}' for name in FACTORS)}")
        for layer in report.layers:
            if side not in report.sides(layer):
                continue
            cells = [
                f"{report.share(layer, side, summary, factor):6.0%}"
                f" {report.information[layer, side, summary, factor].bits.max():6.2f} "
                for factor in FACTORS
            ]
            typer.echo(f"  {layer:<17} {''.join(cells)}")
    if not any(side in report.sides(layer) for layer in report.layers):
        typer.echo("  it has no learnt gates")


def _print_contrast(found: Contrast) -> None:
    typer.echo(
        f"{found.card.name}: the share of channels that change by more than {found.least:g}"
        f" standard deviations ({found.n:,} clips of {found.data})"
    )
    for layer in found.layers:
        (reverse, freeze), low, high = found.shares[layer]
        typer.echo(
            f"  {layer:<17} reversed {reverse:6.1%} ({low[0]:.1%} to {high[0]:.1%}), frozen"
            f" {freeze:6.1%} ({low[1]:.1%} to {high[1]:.1%})"
        )
