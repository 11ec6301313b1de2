"""What the ``explain`` commands share: options, clips and data sets to look at, files to write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import (
    SplitName,
    TargetName,
    fail,
    load_models,
    open_clip,
    or_fail,
    read_list,
    say,
    write_all,
)
from gsm_model.cli.shared import shift_share
from gsm_model.errors import LensError
from gsm_model.io.names import unique_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gsm_model.evaluation.dataset import ClipSet
    from gsm_model.explain.cam.evidence import Target as LogitTarget
    from gsm_model.exports.provenance import Beside
    from gsm_model.models.recognizer import Recognizer
    from gsm_model.predictions.table import Provenance
    from gsm_model.video.isolate import DecodedVideo

Segments = Annotated[
    int | None,
    typer.Option(
        min=1, max=64, help="Frames a model sees; without it, as many as it was trained with."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="A folder or list of labelled videos, in place of clips; with neither, drawn clips."
    ),
]
Videos = Annotated[
    Path | None,
    typer.Option(help="The folder that the clips of --data lie in, if not the list's own."),
]
Count = Annotated[int, typer.Option("--clips", min=1, help="How many drawn clips.")]
Split = Annotated[SplitName, typer.Option(help="Which drawn clips.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that decode.")]


def opened(
    clips: Iterable[Path],
    models: Sequence[Recognizer],
    segments: int | None,
    shifts: Sequence[int] = (0,),
) -> Iterator[tuple[Path, list[int], DecodedVideo]]:
    """Each clip that can be read, with how many frames each model is given, also ``shifts`` frames
    away; at the end exit status 2 if one could not.
    """
    failed = False
    for clip in clips:
        try:
            counts, video = open_clip(clip, models, segments, shifts)
        except LensError as error:
            say(str(error))
            failed = True
            continue
        yield clip, counts, video
    if failed:
        raise typer.Exit(2)


def class_named(model: Recognizer, text: str) -> int:
    """The index of the class of that name or number; there being none ends the command."""
    k = model.architecture.num_classes
    if text.isdigit() and int(text) < k:
        return int(text)
    for index in range(k):
        if model.card.label(index) == text:
            return index
    fail(f"{text!r} is none of the {k} classes of {model.card.name}")


def target_named(model: Recognizer, target: str | None, versus: str | None) -> LogitTarget | None:
    """The target that ``--target`` and ``--versus`` name; ``None`` without them."""
    from gsm_model.explain.cam.evidence import Target

    if target is None:
        return None if versus is None else fail("--versus: name a --target too")
    found = Target(
        class_named(model, target), None if versus is None else class_named(model, versus)
    )
    try:
        found.check(model.architecture.num_classes)
    except ValueError as error:
        fail(str(error))
    return found


def data_set(
    checkpoint: list[Path] | None,
    device: str | None,
    out: Path,
    data: Path | None,
    videos: Path | None,
    labels: Path | None,
    target: TargetName,
    skip_bad: bool,
    workers: int,
    split: SplitName,
    count: int,
) -> tuple[Recognizer, ClipSet]:
    """The one model, and the labelled clips to run it on."""
    if out.suffix != ".parquet":
        fail(
            "--out: over a data set, name the .parquet file to write; for a clip, name the clip"
            " first"
        )
    if checkpoint is None or len(checkpoint) != 1:
        fail("--checkpoint: give one model for each table")
    [model] = load_models(checkpoint, None, device, "float32")
    or_fail(lambda: out.parent.mkdir(parents=True, exist_ok=True))
    of = (data, videos, labels, target, skip_bad, workers, split, count)
    return model, clips_for(model, *of)


def clips_for(
    model: Recognizer,
    data: Path | None,
    videos: Path | None,
    labels: Path | None,
    target: TargetName,
    skip_bad: bool,
    workers: int,
    split: SplitName,
    count: int,
) -> ClipSet:
    """The labelled clips of ``--data``, else drawn ones, as ``model`` wants them."""
    from gsm_model.evaluation.dataset import drawn_clips, listed_clips

    if data is None:
        return or_fail(lambda: drawn_clips(model, split, count))
    return or_fail(
        lambda: listed_clips(
            model,
            read_list(data, videos, labels, target, skip_bad, lambda: model),
            workers,
        )
    )


def said_beside(labels: Path | None) -> Beside:
    """What the options say of models whose files do not, for recipes."""
    from gsm_model.exports.provenance import Beside, Input

    return Beside(None if labels is None else Input.of(labels), shift_share())


def folders_of(out: Path, paths: Sequence[Path]) -> list[Path]:
    """A folder in ``out`` for each of ``paths``, by its name; by a number too where two have the
    same name. ``out`` itself where there is one path.
    """
    if len(paths) == 1:
        return [out]
    return [out / name for name in unique_names([path.stem for path in paths])]


def write_beside(
    out: Path,
    typed: Sequence[str],
    rows: list[dict],
    figure: Figure,
    origin: Provenance,
    count: int,
    more: Iterable[Path | None] = (),
) -> None:
    """The figures of a table of ``origin``, ``count`` clips and ``more`` files as CSV, PDF and SVG,
    and its recipe, beside ``out``; ``typed`` is the command as it was given (`arguments_of`).
    """
    from gsm_model.exports.provenance import Input, Recipe, caution_of_tables
    from gsm_model.figures.style import figure_bytes
    from gsm_model.io.tables import csv_text

    read = Input(origin.data, origin.data_sha256), Input(origin.model, origin.checkpoint)
    recipe = Recipe(
        tuple(_by_name_alone(typed, out)), (*read, *(Input.of(path) for path in more if path))
    )
    files = {
        f"{out.stem}.csv": csv_text(rows).encode(),
        **{f"{out.stem}.{kind}": figure_bytes(figure, kind) for kind in ("pdf", "svg")},
        f"{out.stem}.recipe.json": recipe.json({"clips": count, **caution_of_tables([origin])}),
    }
    write_all(out.parent, files)


def _by_name_alone(typed: Sequence[str], out: Path) -> list[str]:
    """The command as it was typed, its ``--out`` by file name alone: where a recipe is made again
    is for whoever does it to say.
    """
    parts = [
        part
        for given in typed
        for part in (given.split("=", 1) if given.startswith("--out=") else [given])
    ]
    place = parts.index("--out") + 1
    return [*parts[:place], out.name, *parts[place + 1 :]]
