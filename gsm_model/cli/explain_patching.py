"""``explain patching``: which features carry the order, by copying them from a clip's reversal."""

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
    TargetName,
    arguments_of,
    caution_line,
    fail,
    load_models,
    model_files,
    open_clip,
    or_fail,
    progress,
    say,
    write_all,
)
from gsm_model.cli.explain_common import (
    Data,
    Segments,
    Split,
    Videos,
    Workers,
    data_set,
    target_named,
    write_beside,
)
from gsm_model.io.names import unique_names

if TYPE_CHECKING:
    from gsm_model.evaluation.dataset import ClipSet
    from gsm_model.explain.patching.clips import Patching
    from gsm_model.models.recognizer import Recognizer

SideName = Literal["before", "after", "output", "gate", "moved", "kept"]
AlignName = Literal["place", "picture"]


def patching(
    context: typer.Context,
    clips: Annotated[
        list[Path] | None,
        typer.Argument(help="A clip, with --reversed; or two: features of the second go into it."),
    ] = None,
    reversed_: Annotated[
        bool, typer.Option("--reversed", help="Copy from the clip's own reversal.")
    ] = False,
    checkpoint: Checkpoints = None,
    side: Annotated[
        SideName,
        typer.Option(
            help=(
                "What is copied: features before or after the temporal operator, the block's"
                " output, of a gated operator its gate, what it moves or what it keeps."
            )
        ),
    ] = "after",
    align: Annotated[
        AlignName,
        typer.Option(
            help="Whose features a frame takes: those at the same place or of the same picture."
        ),
    ] = "place",
    cells: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=(
                "How many layers and frames are patched in truth, the largest estimates first;"
                " without it all. Over a data set 0 or all: 0 patches whole layers alone, a"
                " third of the cost."
            ),
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="A class, by name or number; without it the answer.")
    ] = None,
    versus: Annotated[
        str | None,
        typer.Option(help="With --target: the other class; without it the reversed class."),
    ] = None,
    segments: Segments = None,
    data: Data = None,
    videos: Videos = None,
    labels: Labels = None,
    label: Annotated[
        TargetName,
        typer.Option(help="With --data: what an EPIC-Kitchens clip is labelled with."),
    ] = "verb",
    skip_bad: SkipBad = False,
    workers: Workers = 1,
    split: Split = "test",
    count: Annotated[
        int, typer.Option("--clips", min=1, help="Without clips and --data: how many drawn clips.")
    ] = 200,
    out: Annotated[
        Path | None,
        typer.Option(
            help=(
                "For a clip: a folder for table, numbers, figure and recipe. For a data set: the"
                " .parquet file to write; a stopped run goes on."
            )
        ),
    ] = None,
    device: Device = None,
    as_json: AsJsonList = False,
) -> None:
    """Which features carry the order: each layer and frame copied from a clip's reversal, and how
    far the prediction goes along, 0 to 1.

    Without clips: over --data, or drawn clips, with bootstrap intervals (parquet, csv, figure,
    recipe).
    """
    if not clips:
        if out is None:
            fail("--out: over a data set, name the .parquet file to write; else name a clip first")
        if cells:
            fail("--cells: over a data set give 0, for whole layers alone, or leave it out")
        model, found = data_set(
            *(checkpoint, device, out, data, videos, labels, label, skip_bad, workers),
            *(split, count),
        )
        _on_data(model, found, out, side, align, cells != 0, arguments_of(context), as_json)
        return
    if len(clips) != (1 if reversed_ else 2):
        fail("give one clip with --reversed, or two clips without it")
    paths = model_files(checkpoint)
    models = load_models(paths, labels, device)
    results = [
        _of_clips(model, clips, side, align, cells, target, versus, segments) for model in models
    ]
    if out is not None:
        _write(out, results, clips, paths, side, arguments_of(context))
    if as_json:
        from gsm_model.explain.patching.tables import patching_object

        objects = [{"clip": str(clips[0])} | patching_object(one, side) for one in results]
        typer.echo(json.dumps(objects[0] if len(objects) == 1 else objects, ensure_ascii=False))
        return
    for one in results:
        _print(clips[0], one, side)


def _of_clips(
    model: Recognizer,
    clips: Sequence[Path],
    side: SideName,
    align: AlignName,
    cells: int | None,
    target: str | None,
    versus: str | None,
    segments: int | None,
) -> Patching:
    from gsm_model.explain.cam.evidence import Target as LogitTarget
    from gsm_model.explain.patching.clips import clip_pair, passes_needed, patch
    from gsm_model.explain.patching.features import places_of

    places = places_of(model)
    if side not in places.sides:
        fail(f"{model.card.name} has no gates; --side can be {', '.join(places.sides)}")
    (counts, video), *others = (or_fail(lambda c=c: open_clip(c, [model], segments)) for c in clips)  # type: ignore[misc]
    pair = clip_pair(model, video, others[0][1] if others else None, counts[0])
    chosen = target_named(model, target, versus)
    if chosen is not None and chosen.versus is None:
        from gsm_model.data.labels import reversed_classes

        k = model.architecture.num_classes
        reverse = int(reversed_classes([model.card.label(i) for i in range(k)])[chosen.index])
        if reverse < 0:
            fail("--target: its time reversal is not among the classes; name another with --versus")
        chosen = LogitTarget(chosen.index, reverse)
    needed = passes_needed(len(places.layers), counts[0], 1, cells)
    say(f"{clips[0]}: {model.card.name}: about {needed:,} forward passes of the clip")
    try:
        return patch(model, pair, chosen, align, (side,), cells, progress("copy"))
    except ValueError as error:
        fail(str(error))


def _write(
    out: Path,
    results: Sequence[Patching],
    clips: Sequence[Path],
    paths: Sequence[Path],
    side: SideName,
    typed: Sequence[str],
) -> None:
    from gsm_model.exports.patching import patching_files
    from gsm_model.exports.provenance import Input, Recipe

    read = [Input.of(clip) for clip in clips]
    for name, path, one in zip(unique_names([p.stem for p in paths]), paths, results, strict=True):
        folder = out / name if len(paths) > 1 else out
        recipe = Recipe(tuple(typed), (*read, Input.of(path)))
        write_all(folder, patching_files(clips[0].name, one, side, recipe))


def _print(clip: Path, one: Patching, side: SideName) -> None:
    from gsm_model.explain.patching.tables import NOTHING_TO_MOVE

    typer.echo(
        f"{clip}  {one.card.name}: {one.target.name(one.card)}, {one.before:+.2f} here,"
        f" {one.donor:+.2f} in {one.donor_name}"
    )
    caution_line(one.caution)
    if not one.moves:
        typer.echo(f"  {NOTHING_TO_MOVE}")
        return
    whole = one.whole[side]
    for at, layer in enumerate(one.layers):
        cells = " ".join(f"{value:+.2f}" for value in one.effect(side)[at])
        typer.echo(f"  {layer:<14} {cells}   all frames {whole[at]:+.2f}")
    correlation, n = one.agreement(side)
    typer.echo(f"  estimate and exact effect: Spearman {correlation:+.2f} over {n} cells")


def _on_data(
    model: Recognizer,
    clip_set: ClipSet,
    out: Path,
    side: SideName,
    align: AlignName,
    exact: bool,
    typed: Sequence[str],
    as_json: bool,
) -> None:
    from gsm_model.explain.patching.dataset import (
        cost_of_clip,
        effect_rows,
        mean_effects,
        run_patching,
    )
    from gsm_model.figures.patching import mean_figure

    say(f"about {cost_of_clip(model, exact):,} forward passes a clip")
    try:
        table = or_fail(
            lambda: run_patching(model, clip_set, out, side, align, exact, progress("clip"))
        )
    except ValueError as error:
        fail(str(error))
    found, rows = mean_effects(table), effect_rows(table)
    figure = mean_figure(table.origin, found)
    write_beside(out, typed, rows, figure, clip_set.origin, found.n)
    if as_json:
        grids = {
            "layers": list(table.origin.layers),
            "frames": table.origin.frames,
            "effect": found.values.tolist(),
            "low": found.low.tolist(),
            "high": found.high.tolist(),
            "input": 1.0 if found.moves else 0.0,
            "n": found.n,
        }
        typer.echo(json.dumps(grids))
        return
    if not found.moves:
        typer.echo("the clips and their reversals give the same: there is nothing to move")
    for row in rows:
        if row["frame"] == 0:
            typer.echo(
                f"{row['layer']:<14} all frames {row['effect']:+.2f} ({row['low']:+.2f} to"
                f" {row['high']:+.2f}), {row['n']:,} clips"
            )
