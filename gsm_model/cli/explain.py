"""``explain``: what the gates of a model do, and what experiments on them change, for clips and for data sets."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gsm_model.cli.common import (
    Checkpoints,
    Device,
    Labels,
    OrderName,
    SplitName,
    TargetName,
    fail,
    load_models,
    model_files,
    open_clip,
    or_fail,
    progress,
    read_list,
    say,
    write_all,
)
from gsm_model.errors import LensError
from gsm_model.explain.clamps import CLAMPS

WidthName = Enum("WidthName", {name: name for name in ("column", "page")}, type=str)
WayName = Enum("WayName", {name: name for name in ("next", "previous")}, type=str)

app = typer.Typer(no_args_is_help=True, help="What a model's gates do, and what experiments on them change.")

Segments = Annotated[int | None, typer.Option(min=1, max=64, help="Frames a model sees; without it, as many as it was trained with.")]
Data = Annotated[Path | None, typer.Option(help="A folder or list of labelled videos, in place of clips; with neither, drawn clips.")]
Videos = Annotated[Path | None, typer.Option(help="The folder that the clips of --data lie in, if not the list's own.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Go on without the faulty lines of the list.")]
Count = Annotated[int, typer.Option("--clips", min=1, help="How many drawn clips.")]
Split = Annotated[SplitName, typer.Option(help="Which drawn clips.")]
Target = Annotated[TargetName, typer.Option(help="What an EPIC-Kitchens clip is labelled with.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes that decode.")]


@app.command()
def gates(
    out: Annotated[Path, typer.Option(help="For clips: a folder. For a data set: the .parquet file to write.")],
    clips: Annotated[list[Path] | None, typer.Argument(help="Video files, pictures, or folders of numbered frames.")] = None,
    checkpoint: Checkpoints = None,
    order: Annotated[OrderName, typer.Option(help="The order in which the models see the frames.")] = OrderName.forward,
    seed: Annotated[int, typer.Option(help="Which shuffle, for --order shuffled.")] = 0,
    segments: Segments = None,
    layer: Annotated[str | None, typer.Option(help="Whose maps the strip and the film show; without it, the most adaptive.")] = None,
    width: Annotated[WidthName, typer.Option(help="Width of the figures: one column or a page.")] = WidthName.page,
    opacity: Annotated[float, typer.Option(min=0, max=1, help="How strongly maps cover the frames.")] = 0.6,
    data: Data = None,
    videos: Videos = None,
    labels: Labels = None,
    target: Target = TargetName.verb,
    skip_bad: SkipBad = False,
    workers: Workers = 1,
    split: Split = SplitName.test,
    count: Count = 2000,
    device: Device = None,
) -> None:
    """Where, when, which way and how strongly each layer moves features.

    For clips: gates.npz (an array a layer), tables (csv, parquet), figures (pdf, svg, png), a film (mp4, gif) and recipe.json; with several
    clips or models, in a folder for each. For a data set: a table a layer and direction (parquet and csv), its figure and recipe.
    """
    if clips:
        options = {"layer": layer, "width": width.value, "opacity": opacity}
        _gates_of_clips(clips, model_files(checkpoint), labels, device, out, order.value, seed, segments, options)
        return
    model, found = _data_set(checkpoint, device, out, data, videos, labels, target.value, skip_bad, workers, split.value, count)
    _gates_of_data(model, found, out, width.value)


def _gates_of_clips(
    clips: list[Path], paths: list[Path], labels, device, out: Path, order: str, seed: int, segments, options: dict
) -> None:
    from gsm_model.explain.gates import report_gates
    from gsm_model.figures.gate_files import GateFileOptions, gate_files, seen_frames
    from gsm_model.recipes import explain_command, portable

    models = load_models(paths, labels, device)
    for clip, counts, video in _opened(clips, models, segments):
        for path, model, count in zip(paths, models, counts, strict=True):
            report = report_gates(model, video, order, count, seed)
            folder = _folder(out, clip if len(clips) > 1 else None, path if len(paths) > 1 else None)
            parts = explain_command("gates", portable(clip), [portable(path)], order, seed, segments, options, "gates")
            seen, inputs = seen_frames(report, video, model.input), _inputs(clip, path)
            chosen = GateFileOptions(**options)
            try:
                files = gate_files(report, clip.name, seen, video.info.seconds, chosen, parts, inputs)
            except ValueError as error:
                fail(str(error))
            write_all(folder, files)
            _print_layers(clip, report)
            typer.echo(f"  {folder}: {', '.join(files)}")


def _gates_of_data(model, clip_set, out: Path, width: str) -> None:
    from gsm_model.explain.gate_data import data_gates_table, gates_of_clips, write_data_gates
    from gsm_model.figures.gate_data import data_gates_figure
    from gsm_model.figures.style import WIDTHS

    found = or_fail(lambda: gates_of_clips(model, clip_set, progress("clip")))
    rows = data_gates_table(found)
    or_fail(lambda: write_data_gates(found, out))
    flat = [{key: value for key, value in row.items() if key not in ("histogram", "frame_means")} for row in rows]
    _write_beside(out, flat, data_gates_figure(rows, WIDTHS[width]), clip_set)
    for row in rows:
        typer.echo(
            f"{row['title']:<14} {row['direction']:<24} mean {row['gate_mean']:+.2f}  adaptivity {row['adaptivity']:.2f}  "
            f"arrives {row['arrives']:.1%} ({row['arrives_low']:.1%} to {row['arrives_high']:.1%})"
        )
    if found.undecodable:
        say(f"{found.undecodable} clips could not be read and are left out")


@app.command()
def interventions(
    out: Annotated[Path, typer.Option(help="For clips: a folder. For a data set: the .parquet file to write; a stopped run goes on.")],
    clips: Annotated[list[Path] | None, typer.Argument(help="Video files, pictures, or folders of numbered frames.")] = None,
    checkpoint: Checkpoints = None,
    clamp: Annotated[str | None, typer.Option(help="One experiment in place of all: " + ", ".join(CLAMPS) + ".")] = None,
    layer: Annotated[list[str] | None, typer.Option(help="With --clamp: a layer to hold; repeat for several. Without it: all.")] = None,
    direction: Annotated[WayName | None, typer.Option(help="With --clamp: only the gate of this direction.")] = None,
    gates_table: Annotated[Path | None, typer.Option("--gates", help="A table of 'explain gates' for a data set, for data mean.")] = None,
    other: Annotated[Path | None, typer.Option(help="A clip whose gates are put in place, for other clip.")] = None,
    order: Annotated[OrderName, typer.Option(help="The order in which the models see the frames.")] = OrderName.forward,
    seed: Annotated[int, typer.Option(help="Which shuffle of gates, and of frames for --order shuffled.")] = 0,
    segments: Segments = None,
    data: Data = None,
    videos: Videos = None,
    labels: Labels = None,
    target: Target = TargetName.verb,
    skip_bad: SkipBad = False,
    workers: Workers = 1,
    split: Split = SplitName.test,
    count: Count = 2000,
    device: Device = None,
) -> None:
    """Hold or shuffle gates and see what the answers do; which layer carries the order.

    For clips: interventions.csv and recipe.json. For a data set: every clip's answers (parquet), accuracies with intervals on the same
    clips (csv), the figure and recipe.
    """
    what = _Experiments(clamp, tuple(layer or ()), direction.value if direction else None, gates_table, other, seed)
    if clips:
        _interventions_on_clips(clips, model_files(checkpoint), labels, device, out, order.value, seed, segments, what)
        return
    if other is not None:
        fail("--other goes with clips; over a data set every clip is given the gates of the clip before it")
    model, found = _data_set(checkpoint, device, out, data, videos, labels, target.value, skip_bad, workers, split.value, count)
    _interventions_on_data(model, found, out, what)


@dataclass(frozen=True)
class _Experiments:
    """Which experiments a person asked for."""

    clamp: str | None
    layers: tuple[str, ...]
    direction: str | None
    gates: Path | None
    other: Path | None
    seed: int

    def plan(self, model, other_gates=None, over_data: bool = False) -> dict:
        """Name → `Intervention`; all there are, or the one asked for."""
        from gsm_model.explain.gate_data import data_means, read_data_gates
        from gsm_model.explain.interventions import Intervention, every_clamp, every_layer

        names = {layer.title: layer.name for layer in model.temporal_layers()}
        means = None if self.gates is None else or_fail(lambda: data_means(read_data_gates(self.gates), model))
        if self.clamp is None:
            plan = every_clamp(means, self.seed)
            if other_gates is not None or over_data:
                plan["other clip"] = Intervention("other clip", values=other_gates)
            return plan | every_layer(model)
        values = {"data mean": means, "other clip": other_gates}.get(self.clamp)
        directions = (0, 1) if self.direction is None else (("next", "previous").index(self.direction),)
        layers = tuple(names.get(name, name) for name in self.layers) or None
        one = Intervention(self.clamp, layers, directions, self.seed, values)
        shown = [self.clamp, *self.layers, *([f"from {self.direction}"] if self.direction else [])]
        return {", ".join(shown): one}


def _interventions_on_clips(clips, paths, labels, device, out: Path, order: str, seed: int, segments, what: _Experiments) -> None:
    from gsm_model.explain.gates import report_gates
    from gsm_model.explain.intervention_tables import intervention_rows
    from gsm_model.explain.interventions import predict_under
    from gsm_model.predict import predict
    from gsm_model.recipes import explain_command, portable, recipe
    from gsm_model.tables import csv_text

    models = load_models(paths, labels, device)
    others = list(_opened([what.other], models, segments)) if what.other else []
    if what.other and not others:
        raise typer.Exit(2)
    options = {"clamp": what.clamp, "direction": what.direction, "gates": what.gates, "other": what.other}
    for clip, counts, video in _opened(clips, models, segments):
        rows, inputs = [], {}
        for path, model, count in zip(paths, models, counts, strict=True):
            donor = None
            if others:
                layers = report_gates(model, others[0][2], order, count, seed).layers
                donor = {layer.name: layer.gate for layer in layers}
            plan = what.plan(model, donor)
            before = predict(model, video, order, count, seed)
            try:
                answers = predict_under(model, video, list(plan.values()), order, count, seed, progress("experiment"))
            except ValueError as error:
                fail(str(error))
            rows += intervention_rows(clip.name, before, list(plan), answers)
            inputs |= _inputs(clip, path)
        parts = explain_command("interventions", portable(clip), [portable(path) for path in paths], order, seed, segments, options, "out")
        parts[-2:-2] = [part for name in what.layers for part in ("--layer", name)]
        folder = _folder(out, clip if len(clips) > 1 else None, None)
        about = {"interventions.csv": "a row an experiment: probabilities of the answer without any and of its time reversal"}
        write_all(folder, {"interventions.csv": csv_text(rows).encode(), "recipe.json": recipe(parts, inputs, about)})
        _print_experiments(clip, rows)


def _interventions_on_data(model, clip_set, out: Path, what: _Experiments) -> None:
    from gsm_model.explain.intervention_data import effects_table, run_interventions
    from gsm_model.figures.interventions import interventions_figure

    plan = what.plan(model, over_data=True)
    try:
        table = or_fail(lambda: run_interventions(model, clip_set, plan, out, progress("clip")))
    except ValueError as error:
        fail(str(error))
    rows = effects_table(table)
    paired = rows[0]["within_pair"] is not None
    _write_beside(out, rows, interventions_figure(rows, figure_of="within_pair" if paired else "top1"), clip_set)
    for row in rows:
        pair = f"  within pair {row['within_pair']:6.1%} ({row['within_pair_low']:.1%} to {row['within_pair_high']:.1%})" if paired else ""
        typer.echo(f"{row['intervention']:<28} top-1 {row['top1']:6.1%} ({row['top1_low']:.1%} to {row['top1_high']:.1%}){pair}")


def _opened(clips: Iterable[Path], models: list, segments: int | None):
    """Each clip that can be read, with how many frames each model is given; at the end exit status 2 if one could not."""
    failed = False
    for clip in clips:
        try:
            counts, video = open_clip(clip, models, segments)
        except LensError as error:
            say(str(error))
            failed = True
            continue
        yield clip, counts, video
    if failed:
        raise typer.Exit(2)


def _data_set(checkpoint, device, out: Path, data, videos, labels, target: str, skip_bad: bool, workers: int, split: str, count: int):
    """The one model, and the labelled clips to run it on."""
    from gsm_model.evaluation.clip_sets import drawn_clips, listed_clips

    if out.suffix != ".parquet":
        fail("--out: over a data set, name the .parquet file to write; for a clip, name the clip first")
    if checkpoint is None or len(checkpoint) != 1:
        fail("--checkpoint: give one model for each table")
    [model] = load_models(checkpoint, None, device)
    or_fail(lambda: out.parent.mkdir(parents=True, exist_ok=True))
    if data is None:
        return model, or_fail(lambda: drawn_clips(model, split, count))
    return model, or_fail(lambda: listed_clips(model, read_list(data, videos, labels, target, skip_bad), workers))


def _folder(out: Path, clip: Path | None, model: Path | None) -> Path:
    return out / Path(*(path.stem for path in (clip, model) if path is not None))


def _inputs(clip: Path, model: Path) -> dict[str, str]:
    from gsm_model.models.untrusted import sha256
    from gsm_model.recipes import portable

    return {portable(path): sha256(path) if path.is_file() else "a folder of frames" for path in (clip, model)}


def _write_beside(out: Path, rows: list[dict], figure, clip_set) -> None:
    """The table's figures as CSV, PDF and SVG, and its recipe, beside ``out``."""
    from gsm_model.figures.style import figure_bytes
    from gsm_model.recipes import recipe
    from gsm_model.tables import csv_text

    origin = clip_set.origin
    inputs = {origin.data: origin.data_sha256, origin.model: origin.checkpoint}
    files = {
        f"{out.stem}.csv": csv_text(rows).encode(),
        **{f"{out.stem}.{kind}": figure_bytes(figure, kind) for kind in ("pdf", "svg")},
        f"{out.stem}.recipe.json": recipe(_parts_as_given(out), inputs, {"clips": len(clip_set.ids)}),
    }
    write_all(out.parent, files)


def _parts_as_given(out: Path) -> list[str]:
    """The command as it was typed, its ``--out`` by file name alone: where a recipe is made again is for whoever does it to say."""
    parts = [part for given in sys.argv[1:] for part in (given.split("=", 1) if given.startswith("--out=") else [given])]
    place = parts.index("--out") + 1
    return [*parts[:place], out.name, *parts[place + 1 :]]


def _print_layers(clip: Path, report) -> None:
    from gsm_model.explain.gate_tables import layer_figures

    typer.echo(f"{clip}  {report.card.name}, frames {report.prediction.order}")
    for layer in report.layers:
        f = layer_figures(layer)
        typer.echo(
            f"  {layer.title:<14} stays {f['stays']:6.1%}  from next {f['from_next']:6.1%}  from previous {f['from_previous']:6.1%}  "
            f"lost {f['lost']:5.1%}  adaptivity {f['adaptivity']:.2f}  reach −{f['reach_back']} +{f['reach_ahead']}"
        )


def _print_experiments(clip: Path, rows: list[dict]) -> None:
    model = None
    for row in rows:
        if row["model"] != model:
            model = row["model"]
            typer.echo(f"{clip}  {model}: {row['answer']}, frames {row['order']}")
        reversal = "" if row["reversal"] is None else f"  {row['reversal_probability']:6.1%} {row['reversal']}"
        typer.echo(f"  {row['intervention']:<28} {row['probability']:6.1%} {row['answer']}{reversal}")
