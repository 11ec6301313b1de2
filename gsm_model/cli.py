"""The command line: every answer a page gives, as text or JSON."""

from __future__ import annotations

import json
import sys
import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gsm_model.errors import LensError
from gsm_model.evaluation.config import TrainConfig, describe

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Gate-Shift Lens: run gate-shift networks for action recognition, look into them, compare them.",
)

OrderName = Enum("OrderName", {name: name for name in ("forward", "reversed", "shuffled", "frozen")}, type=str)
SplitName = Enum("SplitName", {name: name for name in ("train", "validation", "test", "shifted")}, type=str)
TargetName = Enum("TargetName", {name: name for name in ("verb", "noun", "action")}, type=str)
FormatName = Enum("FormatName", {name: name for name in ("mp4", "frames")}, type=str)
Checkpoints = Annotated[
    list[Path] | None, typer.Option("--checkpoint", "-c", help="A model's file; repeat for several. Without it: the shipped models.")
]
Device = Annotated[str | None, typer.Option(help="cuda, mps or cpu; without it the best there is.")]


@app.command()
def predict(
    clips: Annotated[list[Path], typer.Argument(help="Video files, pictures, or folders of numbered frames.")],
    checkpoint: Checkpoints = None,
    order: Annotated[OrderName, typer.Option(help="The order in which the models see the frames.")] = OrderName.forward,
    seed: Annotated[int, typer.Option(help="Which shuffle, for --order shuffled.")] = 0,
    top: Annotated[int, typer.Option(min=1, help="How many classes to list.")] = 5,
    segments: Annotated[
        int | None, typer.Option(min=1, max=64, help="Frames a model sees; without it, as many as it was trained with.")
    ] = None,
    crops: Annotated[int, typer.Option(help="Crops a frame: 1, 3 or 10; logits are averaged.")] = 1,
    labels: Annotated[Path | None, typer.Option(help="A label file: one class name a line.")] = None,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """What each model says about each clip."""
    from gsm_model.predict import predict as answer

    if crops not in (1, 3, 10):
        _fail(f"--crops {crops}: choose 1, 3 or 10")
    models = _load_models(checkpoint, labels, device)
    results, failed = [], False
    for path in clips:
        try:
            counts, video = _open_clip(path, models, segments)
        except LensError as error:
            _say(str(error))
            results.append({"file": str(path), "error": str(error)})
            failed = True
            continue
        answers = [answer(model, video, order.value, count, seed, crops) for model, count in zip(models, counts, strict=True)]
        results.append(_clip_record(path, video, order.value, models, answers, top))
        if not as_json:
            _print_answers(results[-1])
    if as_json:
        typer.echo(json.dumps({"clips": results}, ensure_ascii=False, indent=2))
    if failed:
        raise typer.Exit(2)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A published checkpoint.")],
    target: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    segments: Annotated[int | None, typer.Option(help="Segments, where the file's name does not say.")] = None,
    labels: Annotated[Path | None, typer.Option(help="A label file: one class name a line.")] = None,
    half: Annotated[bool, typer.Option("--half", help="Store the weights in float16: half the size.")] = False,
) -> None:
    """Rewrite a published checkpoint as safetensors that carry everything: architecture, labels, segments, input."""
    from gsm_model.models.checkpoints import load_checkpoint, save_checkpoint

    if target.suffix != ".safetensors":
        _fail(f"{target.name}: the file to write must end in .safetensors")
    model = _or_fail(lambda: load_checkpoint(source, segments, labels))
    _or_fail(lambda: save_checkpoint(model, target, half=half))
    a = model.architecture
    typer.echo(f"{target}: {model.card.title}, {a.num_classes} classes, {a.num_segments} segments")


@app.command(epilog="Keys of CONFIG.\n\n" + describe())
def train(
    config: Annotated[Path, typer.Argument(help="A JSON file; its keys are listed below.")],
    out: Annotated[Path, typer.Option(help="Folder of the run. A run that was stopped goes on from its last state.")],
    clips: Annotated[int, typer.Option(min=1, help="Drawn test clips to measure the result on.")] = 2000,
    workers: Annotated[int, typer.Option(min=0, help="Processes that draw or decode clips, for each that trains.")] = 1,
    devices: Annotated[int, typer.Option(min=1, help="Processes that train, on this machine or on each node.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines that train together.")] = 1,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without the faulty lines of the list.")] = False,
) -> None:
    """Train a model on the drawn set or on a list of videos, and write OUT/model.safetensors, measured on drawn test clips if drawn."""
    from lightning_fabric import Fabric

    from gsm_model.evaluation.pack import pack_run
    from gsm_model.evaluation.train import train as run

    settings = _or_fail(lambda: TrainConfig.read(config))
    videos = _or_fail(lambda: _training_list(settings, config.parent, skip_bad))
    fabric = Fabric(accelerator="auto", devices=devices, num_nodes=nodes, precision=settings.precision)
    fabric.launch()
    tell = _progress("step")
    _or_fail(lambda: run(settings, out, videos, workers, fabric, lambda step, steps, loss: tell(step, steps, f"loss {loss:.3f}, ")))
    if fabric.global_rank != 0:
        return
    model = _or_fail(lambda: pack_run(out, out / "model.safetensors", clips, videos, _progress("test clip")))
    _print_result(_result(model, model.card.measures))


def _training_list(settings: TrainConfig, folder: Path, skip_bad: bool):
    """The list that a configuration in ``folder`` names, or ``None`` for the drawn set."""
    if not settings.data:
        return None
    videos, labels = (folder / name if name else None for name in (settings.videos, settings.labels))
    return _read_list(folder / settings.data, videos, labels, settings.target, skip_bad)


@app.command()
def evaluate(
    checkpoint: Checkpoints = None,
    data: Annotated[Path | None, typer.Option(help="A folder or list of labelled videos; without it, drawn test clips.")] = None,
    videos: Annotated[Path | None, typer.Option(help="The folder that the clips of --data lie in, if not the list's own.")] = None,
    labels: Annotated[Path | None, typer.Option(help="A label file: one class name a line, or Something-Something's JSON.")] = None,
    target: Annotated[TargetName, typer.Option(help="What an EPIC-Kitchens clip is labelled with.")] = TargetName.verb,
    out: Annotated[
        Path | None,
        typer.Option(
            help="With --data: the table of predictions to write (.parquet). Without: a folder for a forward and a reversed table a model."
        ),
    ] = None,
    scores: Annotated[Path | None, typer.Option(help="Also write the GSM release's score file (.npz).")] = None,
    views: Annotated[str, typer.Option(help="Clips x crops of a video: 1, 2x1, 1x3, 2x3, 1x10.")] = "1",
    order: Annotated[OrderName, typer.Option(help="The order in which the models see the frames.")] = OrderName.forward,
    seed: Annotated[int, typer.Option(help="Which shuffles, for --order shuffled.")] = 0,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without the faulty lines of the list; they are counted.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that decode.")] = 1,
    clips: Annotated[int, typer.Option(min=1, help="How many drawn clips, without --data.")] = 2000,
    split: Annotated[SplitName, typer.Option(help="Which drawn clips, without --data.")] = SplitName.test,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Measure models on labelled videos, or on drawn test clips, and write the table of predictions."""
    if data is None:
        if scores or videos or labels or skip_bad or views != "1" or order is not OrderName.forward:
            _fail("--scores, --videos, --labels, --skip-bad, --views and --order go with --data; name a folder or list of videos")
        results = _measure_drawn(_load_models(checkpoint, None, device), split.value, clips, out)
    else:
        if out is None or out.suffix != ".parquet":
            _fail("--out: name the .parquet file to write")
        if checkpoint is None or len(checkpoint) != 1:
            _fail("--checkpoint: give one model for each table of predictions")
        [model] = _load_models(checkpoint, None, device)
        found = _or_fail(lambda: _read_list(data, videos, labels, target.value, skip_bad))
        results = [_measure_list(model, found, out, scores, views, order.value, seed, workers)]
    if as_json:
        typer.echo(json.dumps({"models": results}, ensure_ascii=False, indent=2))
        return
    for result in results:
        _print_result(result)


def _measure_drawn(models: list, split: str, clips: int, out: Path | None) -> list[dict]:
    from gsm_model.evaluation.evaluate import largest_reversal_change, measures_of, score_drawn_clips
    from gsm_model.evaluation.predictions import write_parquet

    def run() -> list[dict]:
        found = score_drawn_clips(models, split, clips, progress=_progress("clip"))
        for model, both in zip(models, found, strict=True):
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                stem = Path(model.card.file).stem
                for order, table in (("forward", both.forward), ("reversed", both.reversed)):
                    write_parquet(table, out / f"{stem}_{split}_{order}.parquet")
        return [
            _result(model, measures_of(both), largest_reversal_change=largest_reversal_change(both))
            for model, both in zip(models, found, strict=True)
        ]

    return _or_fail(run)


def _read_list(data: Path, videos: Path | None, labels: Path | None, target: str, skip_bad: bool):
    from gsm_model.data.video_lists import read_video_list

    found = read_video_list(data, videos, labels, target)
    return found if skip_bad else found.require_clean()


def _measure_list(model, found, out: Path, scores: Path | None, views: str, order: str, seed: int, workers: int) -> dict:
    from gsm_model.evaluation.feed import Views
    from gsm_model.evaluation.predictions import measures_of_table, write_scores
    from gsm_model.evaluation.score import errors_of, score_list

    def run():
        table = score_list(model, found, out, Views.parse(views), order, seed, workers, _progress("clip"))
        if scores is not None:
            write_scores(table, scores)
        return table, measures_of_table(table)

    table, measures = _or_fail(run)
    failed = list(errors_of(table))
    for _, error in failed:
        _say(error)
    return _result(model, measures, out=str(out), undecodable=len(failed), skipped=len(found.faults), too_short=found.too_short)


def _result(model, measures, **more) -> dict:
    from dataclasses import asdict

    return {"name": model.card.name, "sha256": model.card.sha256, "measures": [asdict(measure) for measure in measures], **more}


@app.command()
def order(
    files: Annotated[list[Path], typer.Argument(help="Clips; or tables of predictions (.parquet), a forward and a reversed one a model.")],
    checkpoint: Checkpoints = None,
    segments: Annotated[
        int | None, typer.Option(min=2, max=64, help="Frames a model sees; without it, as many as it was trained with.")
    ] = None,
    shuffles: Annotated[int, typer.Option(min=1, max=200, help="How many shuffles of a clip.")] = 20,
    seed: Annotated[int, typer.Option(help="Which shuffles.")] = 0,
    labels: Annotated[Path | None, typer.Option(help="A label file: one class name a line.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Also write all numbers to this .csv file.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="With tables: also write the figure to this .pdf file.")] = None,
    device: Device = None,
) -> None:
    """What if time ran otherwise? A clip's answers in other orders; of tables, what becomes of the answers on reversed frames."""
    from gsm_model.explain.order_tables import clip_table, flips_table
    from gsm_model.tables import csv_text

    tables = [path for path in files if path.suffix == ".parquet"]
    if tables and len(tables) < len(files):
        _fail("give either clips or tables of predictions (.parquet), not both")
    if pdf is not None and not tables:
        _fail("--pdf: the figure is of tables of predictions; give .parquet files")
    failed = False
    if tables:
        rows = flips_table(_or_fail(lambda: _flips(tables, pdf)))
        _print_rows(rows)
    else:
        rows, models = [], _load_models(checkpoint, labels, device)
        for path in files:
            try:
                reports = _order_reports(path, models, segments, shuffles, seed)
            except LensError as error:
                _say(str(error))
                failed = True
                continue
            for report in reports:
                _print_order(path, report)
                rows += clip_table(str(path), report)
    if csv is not None:
        _or_fail(lambda: csv.write_text(csv_text(rows), encoding="utf-8"))
    if failed:
        raise typer.Exit(2)


def _flips(paths: list[Path], pdf: Path | None) -> list:
    from gsm_model.evaluation.flips import flips_of_models
    from gsm_model.evaluation.predictions import read_parquet
    from gsm_model.figures.flips import flips_figure

    models = flips_of_models([read_parquet(path) for path in paths])
    if pdf is not None:
        flips_figure(models).savefig(pdf)
    return models


def _order_reports(path: Path, models: list, segments: int | None, shuffles: int, seed: int) -> list:
    from gsm_model.explain.order import report_order

    counts, video = _open_clip(path, models, segments)
    return [report_order(model, video, count, shuffles, seed) for model, count in zip(models, counts, strict=True)]


def _print_order(path: Path, report) -> None:
    answer, partner = report.answer, report.partner
    typer.echo(f"{path}  {report.card.name}: {report.card.label(answer)}, order sensitivity {report.sensitivity:.3f}")
    shown = (
        ("forward", report.forward),
        ("reversed", report.reversed),
        ("frozen", report.frozen),
        ("shuffled, mean", report.shuffled.mean(0)),
    )
    for name, p in shown:
        reversal = f", {p[partner]:6.1%} {report.card.label(partner)}" if partner is not None else ""
        typer.echo(f"  {name:<15}{p[answer]:6.1%} {report.card.label(answer)}{reversal}")


def _print_rows(rows: list[dict]) -> None:
    for row in rows:
        shares = ", ".join(
            f"{name.replace('_', ' ')} {row[name]:.1%} ({row[name + '_low']:.1%} to {row[name + '_high']:.1%})"
            for name in ("to_partner", "stays", "elsewhere")
        )
        typer.echo(f"{row['model']}  {row['group']} ({row['n']:,} clips of {row['data']}): {shares}")


@app.command()
def curves(
    runs: Annotated[list[Path], typer.Argument(help="Folders of training runs.")],
    out: Annotated[Path, typer.Option(help="The picture to write: .png, .pdf or .svg.")],
) -> None:
    """Draw the loss and accuracy of training runs over their steps."""
    from gsm_model.figures.training import read_log, training_curves

    if out.suffix not in (".png", ".pdf", ".svg"):
        _fail(f"{out.name}: the picture must end in .png, .pdf or .svg")
    logs = [_or_fail(lambda run=run: read_log(run / "log.csv")) for run in runs]
    _or_fail(lambda: training_curves(logs, [run.name for run in runs]).savefig(out, dpi=160))
    typer.echo(out)


@app.command("make-dataset")
def make_dataset(
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    split: Annotated[SplitName, typer.Option(help="Which clips.")] = SplitName.test,
    clips_per_class: Annotated[int, typer.Option(min=1, help="How many of each class.")] = 50,
    format: Annotated[FormatName, typer.Option(help="H.264 files, or folders of numbered JPEGs.")] = FormatName.mp4,
) -> None:
    """Draw Reversible Actions to files: clips, a list file, labels and a data card."""
    from gsm_model.data.reversible.export import write_dataset

    path = _or_fail(lambda: write_dataset(out, split.value, clips_per_class, format.value, progress=_progress("clip")))
    typer.echo(path)


@app.command("make-samples")
def make_samples(out: Annotated[Path, typer.Argument(help="Folder for the sample clips and their clips.json.")]) -> None:
    """Draw the sample clips that ship in assets/clips."""
    from gsm_model.data.reversible.samples import write_samples

    for path in write_samples(out):
        typer.echo(path)


def _load_models(checkpoints: list[Path] | None, labels: Path | None, device: str | None) -> list:
    from gsm_model.models.checkpoints import load_checkpoint
    from gsm_model.models.recognizer import best_device
    from gsm_model.shipped import shipped_checkpoints

    def load() -> list:
        paths = checkpoints or list(shipped_checkpoints().values())
        return [load_checkpoint(path, labels=labels, device=device or best_device()) for path in paths]

    return _or_fail(load)


def _open_clip(path: Path, models: list, segments: int | None) -> tuple:
    """How many frames each model is given, and the clip with the frames of them all."""
    from gsm_model.video.isolate import read_video

    counts = [segments or model.architecture.num_segments for model in models]
    return counts, read_video(path, sorted(set(counts)))


def _clip_record(path: Path, video, order: str, models: list, answers: list, top: int) -> dict:
    """The JSON of one clip. ``frame_indices`` of the clip are those of its first model; each model has its own too."""
    records = []
    for model, answer in zip(models, answers, strict=True):
        a = model.architecture
        records.append(
            {
                "name": model.card.name,
                "backbone": a.backbone,
                "temporal": a.temporal,
                "num_segments": len(answer.frame_indices),
                "sha256": model.card.sha256,
                "frame_indices": answer.frame_indices.tolist(),
                "top": [{"label": label, "index": index, "probability": p} for index, label, p in answer.top(top)],
            }
        )
    return {
        "file": str(path),
        "num_frames": video.info.num_frames,
        "fps": video.info.fps,
        "frame_indices": records[0]["frame_indices"],
        "order": order,
        "models": records,
    }


def _print_answers(record: dict) -> None:
    typer.echo(f"{record['file']}  ({record['num_frames']} frames, {record['fps']:.1f} a second, {record['order']})")
    for model in record["models"]:
        typer.echo(f"  {model['name']}, frames {' '.join(map(str, model['frame_indices']))}")
        for entry in model["top"]:
            typer.echo(f"    {entry['probability']:6.1%}  {entry['label']}")


def _print_result(result: dict) -> None:
    typer.echo(f"{result['name']}  {result['sha256'][:12]}")
    for m in result["measures"]:
        interval = f"95 % interval {m['low']:.1%} to {m['high']:.1%}"
        typer.echo(f"  {m['metric']:<22} {m['value']:6.1%}  ({interval}, {m['n']:,} clips of {m['data']})")
    for key in ("largest_reversal_change", "undecodable", "skipped", "too_short", "out"):
        if key in result:
            value = f"{result[key]:.2g}" if isinstance(result[key], float) else result[key]
            typer.echo(f"  {key.replace('_', ' '):<22} {value}")


def _progress(what: str):
    """Returns ``tell(done, total, detail)``: a bar with the time left on a terminal, a line now and then in a file."""
    start, first = 0.0, sys.maxsize

    def tell(done: int, total: int, detail: str = "") -> None:
        nonlocal start, first
        if done <= first:  # the first of a round; what counts a second time begins anew
            start, first = time.monotonic(), done
        bar = "█" * (20 * done // total)
        left = (time.monotonic() - start) / max(done - first, 1) * (total - done)
        text = f"{what} {done} of {total}, {detail}{_duration(left) if done > first or done == total else '…'} left"
        if sys.stderr.isatty():
            print(f"\r{bar:░<20} {text}\033[K", end="" if done < total else "\n", file=sys.stderr, flush=True)
        elif done % 50 == 0 or done == total:
            print(text, file=sys.stderr, flush=True)

    return tell


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


def _or_fail(action):
    try:
        return action()
    except LensError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or ''}: {error.strerror or error}")


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)


def _fail(message: str) -> None:
    _say(message)
    raise typer.Exit(2)
