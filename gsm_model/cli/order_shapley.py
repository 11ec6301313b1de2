"""``order shapley``: what each frame of a clip is worth to a class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gsm_model.cli.common import (
    AsJsonList,
    Checkpoints,
    Device,
    Labels,
    OrderName,
    arguments_of,
    caution_line,
    load_models,
    model_files,
    or_fail,
    progress,
    say,
    write_all,
)
from gsm_model.cli.explain_common import Segments, folders_of, opened, target_named
from gsm_model.io.names import unique_names

if TYPE_CHECKING:
    from gsm_model.explain.shapley.frames import FrameShapley

FillingName = Literal["left out", "nearest"]


def shapley(
    context: typer.Context,
    clips: Annotated[
        list[Path], typer.Argument(help="Video files, pictures, or folders of numbered frames.")
    ],
    checkpoint: Checkpoints = None,
    target: Annotated[
        str | None,
        typer.Option(help="The class, by name or number; without it the first model's answer."),
    ] = None,
    versus: Annotated[
        str | None, typer.Option(help="Another class: the logit of --target less the logit of it.")
    ] = None,
    filling: Annotated[
        FillingName,
        typer.Option(
            help="What stands for a missing frame: nothing, or the nearest frame that is there."
        ),
    ] = "left out",
    order: Annotated[
        OrderName, typer.Option(help="The order in which the models see the frames.")
    ] = "forward",
    segments: Segments = None,
    pairs: Annotated[
        int,
        typer.Option(
            min=2, help="Above 10 frames: how many permutations, each with its reverse, are drawn."
        ),
    ] = 32,
    orders: Annotated[
        int,
        typer.Option(
            min=0,
            help=(
                "Above 5 frames: how many random orders, each with its reverse, the order relations"
                " are from; 0 leaves them out."
            ),
        ),
    ] = 64,
    seed: Annotated[int, typer.Option(help="Which permutations and orders.")] = 0,
    labels: Labels = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A folder for tables, figure, numbers and recipe; one a clip and model."),
    ] = None,
    device: Device = None,
    as_json: AsJsonList = False,
) -> None:
    """What each frame is worth to a class, in logits: Shapley values, exact at up to 10 frames,
    interactions of frames, and what it is worth that one comes before another.
    """
    from gsm_model.explain.shapley.frames import frame_shapley, passes_needed
    from gsm_model.explain.shapley.tables import shapley_object

    paths = model_files(checkpoint)
    models = load_models(paths, labels, device, "float32")
    chosen = target_named(models[0], target, versus)
    found: list[tuple[Path, FrameShapley]] = []
    for clip, counts, video in opened(clips, models, segments):
        first = chosen
        for model, count in zip(models, counts, strict=True):
            needed = passes_needed(count, filling, pairs, orders)
            say(f"{clip}: {model.card.name}: about {needed:,.0f} forward passes of the clip")
            one = or_fail(
                lambda model=model, video=video, count=count, first=first: frame_shapley(  # type: ignore[misc]
                    *(model, video, first, filling, order, count, pairs, orders, seed),
                    progress=progress("frame"),
                )
            )
            first = one.target  # the same for all models, so that their values compare
            found.append((clip, one))
    if out is not None:
        _write(out, found, clips, paths, arguments_of(context))
    if as_json:
        objects: list[dict[str, Any]] = [
            {"clip": str(clip)} | shapley_object(one) for clip, one in found
        ]
        shown = objects[0] if len(clips) == len(models) == 1 else objects
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for clip, one in found:
        _print(clip, one)


def _write(
    out: Path,
    found: Sequence[tuple[Path, FrameShapley]],
    clips: Sequence[Path],
    paths: Sequence[Path],
    typed: Sequence[str],
) -> None:
    from gsm_model.exports.provenance import Input, Recipe
    from gsm_model.exports.shapley import shapley_files

    folders = dict(zip(clips, folders_of(out, clips), strict=True))
    names = unique_names([path.stem for path in paths])
    inputs = [Input.of(path) for path in paths]
    for number, (clip, one) in enumerate(found):
        place = number % len(paths)
        folder = folders[clip] / names[place] if len(paths) > 1 else folders[clip]
        recipe = Recipe(tuple(typed), (Input.of(clip), inputs[place]))
        write_all(folder, shapley_files(clip.name, one, recipe))


def _print(clip: Path, one: FrameShapley) -> None:
    from gsm_model.explain.shapley.frames import logit_text

    game = one.game
    how = "exact" if game.is_exact else "sampled, with 95 % intervals"
    typer.echo(f"{clip}  {one.card.name}: {one.target_name}, in logits, {how} ({one.filling})")
    typer.echo(f"  {'no frame':<12}{logit_text(game.empty):>8}")
    for place, frame in enumerate(one.frame_indices):
        span = (
            ""
            if game.is_exact
            else f"  ({logit_text(game.low[place])} to {logit_text(game.high[place])})"
        )
        typer.echo(
            f"  {f'frame {frame}':<12}{logit_text(game.values[place]):>8}{span}"
            f"  Grad-CAM {logit_text(one.evidence[place])}"
        )
    typer.echo(f"  {'the clip':<12}{logit_text(game.full):>8}")
    caution_line(one.caution)
    for test in one.tests:
        typer.echo(
            f"  deletion, {test.filling:<9} {test.attribution:<14} correlation"
            f" {test.correlation:+.2f}, area {logit_text(test.area)}"
        )
