"""``explain gradcam``: where models look, for clips, for lists of clips, and measured on drawn
clips where it is known what moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gsm_model.cli.common import (
    Checkpoints,
    Device,
    Labels,
    OrderName,
    SplitName,
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
    Segments,
    Split,
    opened,
    said_beside,
    target_named,
    write_beside,
)
from gsm_model.explain.cam.names import METHODS, Method
from gsm_model.figures.presets import Width
from gsm_model.io.names import unique_names

if TYPE_CHECKING:
    from gsm_model.explain.cam.report import CamReport
    from gsm_model.models.recognizer import Recognizer
    from gsm_model.video.isolate import DecodedVideo

# As an enumeration: of literals typer makes no list.
MethodName = Enum(  # type: ignore[misc]  # its names are those of METHODS
    "MethodName", {name: name for name in METHODS}, type=str
)
NormaliseName = Literal["clip", "frame", "models"]
LINES = (
    "A text file with a clip a line, besides or in place of those named; clips whose folder is"
    " whole already are left as they are."
)


def gradcam(
    context: typer.Context,
    out: Annotated[
        Path, typer.Option(help="For clips: a folder. With --drawn: the .parquet file to write.")
    ],
    clips: Annotated[
        list[Path] | None,
        typer.Argument(help="Video files, pictures, or folders of numbered frames."),
    ] = None,
    listed: Annotated[Path | None, typer.Option("--list", help=LINES)] = None,
    checkpoint: Checkpoints = None,
    target: Annotated[
        str | None,
        typer.Option(help="A class, by name or index; without it, the first model's answer."),
    ] = None,
    versus: Annotated[
        str | None,
        typer.Option(
            help="Another class: maps then say what speaks for --target rather than for it."
        ),
    ] = None,
    method: Annotated[
        list[MethodName] | None, typer.Option(help="How maps are made; several with --drawn only.")
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "A block, or BLOCK:before or BLOCK:after its gate; the last block without it."
                " Several with --drawn only."
            )
        ),
    ] = None,
    normalise: Annotated[
        NormaliseName,
        typer.Option(
            help="What is divided by: the largest value of a clip, of each frame, or of all models."
        ),
    ] = "clip",
    signed: Annotated[
        bool, typer.Option("--signed", help="Show what speaks against the target too.")
    ] = False,
    order: Annotated[
        OrderName, typer.Option(help="The order in which the models see the frames.")
    ] = "forward",
    seed: Annotated[int, typer.Option(help="Which shuffle, for --order shuffled.")] = 0,
    segments: Segments = None,
    width: Annotated[
        Width, typer.Option(help="Width of the strip: one column or a page.")
    ] = "page",
    opacity: Annotated[
        float, typer.Option(min=0, max=1, help="How strongly maps cover the frames.")
    ] = 0.8,
    trial: Annotated[
        bool,
        typer.Option(
            "--trial",
            help=(
                "Also say whether the maps are to be believed (trial.csv); takes a minute a model."
            ),
        ),
    ] = False,
    labels: Labels = None,
    drawn: Annotated[
        bool, typer.Option("--drawn", help="Measure maps on drawn clips, for the one --checkpoint.")
    ] = False,
    split: Split = "test",
    count: Annotated[int, typer.Option("--clips", min=1, help="How many drawn clips.")] = 500,
    device: Device = None,
) -> None:
    """Class activation maps of whole clips: where models look.

    For clips: maps.npz (an array (T, h, w) a model), frames.csv, strip (pdf, svg, png),
    overlay.mp4, overlay.gif and recipe.json; with several clips, in a folder for each. With
    --drawn: a table a method, layer and target, against what moves in drawn clips.
    """
    methods: list[Method] = [one.value for one in method or ()]
    if drawn:
        typed = arguments_of(context)
        _on_drawn(checkpoint, device, out, methods, layer, split, count, trial, typed)
        return
    wanted = [*(clips or ()), *([] if listed is None else _lines(listed))]
    if not wanted:
        fail("name a clip, a --list of clips, or --drawn")
    if len(methods) > 1 or len(layer or ()) > 1:
        fail("name one --method and one --layer; several only with --drawn")
    options = {
        "target": target,
        "versus": versus,
        "method": methods[0] if methods else "gradcam",
        "layer": layer[0] if layer else None,
        "normalise": normalise,
        "signed": signed,
        "width": width,
        "opacity": opacity,
        "trial": trial,
    }
    _on_clips(
        wanted,
        listed is not None,
        model_files(checkpoint),
        labels,
        device,
        out,
        order,
        seed,
        segments,
        options,
    )


def _lines(path: Path) -> list[Path]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: not a list of clips that can be read ({type(error).__name__})")
    return [path.parent / line.strip() for line in lines if line.strip()]


def _on_clips(
    clips: list[Path],
    resume: bool,
    paths: list[Path],
    labels: Path | None,
    device: str | None,
    out: Path,
    order: OrderName,
    seed: int,
    segments: int | None,
    options: Mapping[str, Any],
) -> None:
    from gsm_model.exports.cam import CamFileOptions, cam_files
    from gsm_model.exports.gates import seen_frames
    from gsm_model.exports.provenance import Input, explain_recipe

    models = load_models(paths, labels, device)
    several = len(clips) > 1 or resume
    clips = list(dict.fromkeys(clips))
    names = unique_names([clip.stem for clip in clips])
    folders = {
        clip: out / name if several else out for clip, name in zip(clips, names, strict=True)
    }
    todo = [clip for clip in clips if not (resume and (folders[clip] / "recipe.json").is_file())]
    if len(todo) < len(clips):
        say(f"{len(clips) - len(todo)} clips are done already")
    chosen = CamFileOptions(
        **{name: options[name] for name in ("normalise", "signed", "width", "opacity")}
    )
    for clip, counts, video in opened(
        todo, models, segments, (-1, 0, 1) if options["trial"] else (0,)
    ):
        try:
            reports = _reports(models, counts, video, order, seed, options)
            seen = [
                seen_frames(report, video, model.input)
                for report, model in zip(reports, models, strict=True)
            ]
            recipe = explain_recipe(
                "gradcam",
                Input.of(clip),
                [
                    Input.of(path, model.card.sha256)
                    for path, model in zip(paths, models, strict=True)
                ],
                order,
                seed,
                segments,
                options,
                "gradcam",
                said_beside(labels),
            )
            files = cam_files(reports, clip.name, seen, video.info.seconds, chosen, recipe)
            if options["trial"]:
                files |= {"trial.csv": _trials(models, reports, video, clip)}
        except ValueError as error:
            fail(str(error))
        # The recipe last: it says that the folder is whole.
        write_all(
            folders[clip],
            {name: content for name, content in files.items() if name != "recipe.json"},
        )
        write_all(folders[clip], {"recipe.json": files["recipe.json"]})
        _print(clip, reports)
        typer.echo(f"  {folders[clip]}: {', '.join(files)}")


def _reports(
    models: Sequence[Recognizer],
    counts: Sequence[int],
    video: DecodedVideo,
    order: OrderName,
    seed: int,
    options: Mapping[str, Any],
) -> list[CamReport]:
    from gsm_model.explain.cam.report import report_cams

    target = target_named(models[0], options["target"], options["versus"])
    found: list[CamReport] = []
    layers = None if options["layer"] is None else [options["layer"]]
    for model, count in zip(models, counts, strict=True):
        if model.card.labels != models[0].card.labels:
            fail(
                f"{model.card.name} knows other classes than {models[0].card.name}; ask for their"
                " maps one after the other"
            )
        found.append(
            report_cams(
                model,
                video,
                target,
                options["method"],
                layers,
                order,
                count,
                seed,
                progress("pass"),
            )
        )
        target = found[0].target  # the same for all models, so that their maps compare
    return found


def _trials(
    models: Sequence[Recognizer], reports: Sequence[CamReport], video: DecodedVideo, clip: Path
) -> bytes:
    from gsm_model.explain.cam.trials import trial_of_report, trial_rows
    from gsm_model.io.tables import csv_text

    rows: list[dict] = []
    for model, report in zip(models, reports, strict=True):
        found = trial_of_report(model, report, video, progress=progress("map"))
        rows += trial_rows(clip.name, report, found)
        if isinstance(found.package, str):
            say(f"{report.card.name}: not compared with the package grad-cam: {found.package}")
        elif found.package is not None:
            say(
                f"{report.card.name}: the package grad-cam {found.package.version} makes its map to"
                f" {found.package.difference:.0e} of the largest value"
            )
    return csv_text(rows).encode()


def _print(clip: Path, reports: Sequence[CamReport]) -> None:
    for report in reports:
        shares = " ".join(f"{value:+.2f}" for value in report.layers[0].evidence)
        typer.echo(
            f"{clip}  {report.card.name}: {report.method} for {report.target_name} at"
            f" {report.layers[0].layer}"
        )
        typer.echo(f"  evidence by frame {shares}")
        caution_line(report.prediction.caution)


def _on_drawn(
    checkpoint: list[Path] | None,
    device: str | None,
    out: Path,
    methods: list[Method],
    layers: list[str] | None,
    split: SplitName,
    count: int,
    trials: bool,
    typed: Sequence[str],
) -> None:
    from gsm_model.explain.cam.dataset import FAST_METHODS, cam_scores, score_cams
    from gsm_model.figures.cam_dataset import cam_scores_figure

    if out.suffix != ".parquet":
        fail("--out: with --drawn, name the .parquet file to write")
    if checkpoint is None or len(checkpoint) != 1:
        fail("--checkpoint: give one model for each table")
    [model] = load_models(checkpoint, None, device)
    or_fail(lambda: out.parent.mkdir(parents=True, exist_ok=True))
    try:
        table = or_fail(
            lambda: score_cams(
                model, split, count, out, methods or FAST_METHODS, layers, trials, progress("clip")
            )
        )
    except ValueError as error:
        fail(str(error))
    rows = cam_scores(table)
    write_beside(out, typed, rows, cam_scores_figure(rows), table.origin.data, len(table.ids))
    for row in rows:
        tried = (
            ""
            if row["tried"] is None
            else f"  area {row['tried']:+.2f}, above all baselines on {row['beats']:.0%}"
        )
        typer.echo(
            f"{row['target']:<9} {row['method']:<10} {row['layer']:<22} largest on what moves"
            f" {row['hit']:6.1%} ({row['hit_low']:.1%} to {row['hit_high']:.1%})  share on it"
            f" {row['energy']:.1%} of {row['area']:.1%}{tried}"
        )
