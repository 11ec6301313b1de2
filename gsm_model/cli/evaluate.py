"""``evaluate``: models measured on labelled videos or on drawn clips."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import (
    AsJson,
    AverageName,
    Camera,
    Checkpoints,
    Clutter,
    Device,
    Labels,
    OrderName,
    Precision,
    SplitName,
    StyleName,
    Target,
    fail,
    load_models,
    or_fail,
    print_measure,
    print_result,
    progress,
    protocols_of,
    read_list,
    result_of,
    say,
    write_all,
)
from gsm_model.cli.processes import together
from gsm_model.cli.shared import shift_share
from gsm_model.io.names import unique_names
from gsm_model.video.source import Limits

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from gsm_model.data.lists import VideoList
    from gsm_model.models.protocol import EvalProtocol
    from gsm_model.models.recognizer import Recognizer
    from gsm_model.predictions.table import Predictions


def evaluate(
    checkpoint: Checkpoints = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A folder or list of labelled videos; without it, drawn test clips."),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(help="The folder that the clips of --data lie in, if not the list's own."),
    ] = None,
    labels: Labels = None,
    target: Target = "verb",
    out: Annotated[
        Path | None,
        typer.Option(
            help=(
                "With --data: the table of predictions to write (.parquet). Without: a folder for a"
                " forward and a reversed table a model."
            )
        ),
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="Also write the GSM release's score file (.npz).")
    ] = None,
    views: Annotated[
        str | None,
        typer.Option(
            help=(
                "Clips x crops of a video: 1, 2x1, 1x3, 2x3, 1x10; without it, as the model's"
                " authors test it."
            )
        ),
    ] = None,
    average: Annotated[
        AverageName | None,
        typer.Option(
            help=(
                "What is averaged over the views of a video; without it, what the model's authors"
                " average."
            )
        ),
    ] = None,
    order: Annotated[
        OrderName, typer.Option(help="The order in which the models see the frames.")
    ] = "forward",
    also_reversed: Annotated[
        bool,
        typer.Option(
            "--also-reversed",
            help=(
                "With --data: score the frames reversed as well, into OUT-reversed.parquet, and"
                " measure each pair of classes that are each other's time reversal."
            ),
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Which shuffles, for --order shuffled.")] = 0,
    features: Annotated[
        bool,
        typer.Option(
            "--features",
            help=(
                "Keep in the tables what the classifier is given of each clip: the backbone's"
                " pooled features, averaged over frames and views (float16)."
            ),
        ),
    ] = False,
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help=(
                "Go on without the faulty lines of the list; they are counted. Where only the"
                " number of frames is wrong, those that are there are read."
            ),
        ),
    ] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that decode.")] = 1,
    max_mb: Annotated[
        int | None,
        typer.Option(min=1, help="With --data: largest video file; else any."),
    ] = None,
    max_seconds: Annotated[
        int | None, typer.Option(min=1, help="With --data: longest video; else any.")
    ] = None,
    max_side: Annotated[int, typer.Option(min=1, help="With --data: pixels a side.")] = 4096,
    decoder_mb: Annotated[
        int, typer.Option(min=256, help="With --data: memory that decoding a video may take.")
    ] = 6144,
    decoder_seconds: Annotated[
        int,
        typer.Option(min=1, help="With --data: processor time that decoding a video may take."),
    ] = 120,
    devices: Annotated[
        int,
        typer.Option(
            min=1, help="With --data: processes that score, on this machine or on each node."
        ),
    ] = 1,
    nodes: Annotated[
        int, typer.Option(min=1, help="With --data: machines that score together.")
    ] = 1,
    clips: Annotated[int, typer.Option(min=1, help="How many drawn clips, without --data.")] = 2000,
    split: Annotated[SplitName, typer.Option(help="Which drawn clips, without --data.")] = "test",
    style: Annotated[
        StyleName,
        typer.Option(
            help=(
                "Without --data: the drawn clips, the randomised ones, or the temporal probes, for"
                " a model that was trained on them; with --out they give a profile as well."
            )
        ),
    ] = "drawn",
    clutter: Clutter = None,
    camera: Camera = 0.0,
    device: Device = None,
    precision: Precision = "float32",
    as_json: AsJson = False,
) -> None:
    """Measure models on labelled videos, or on drawn test clips, and write the table of
    predictions.
    """
    if data is None:
        shown = (views or "1", average or "logits", order) != ("1", "logits", "forward")
        if scores or videos or labels or skip_bad or shown or also_reversed:
            fail(
                "--scores, --videos, --labels, --skip-bad, --views, --average, --order and"
                " --also-reversed go with --data; name a folder or list of videos"
            )
        if features and (out is None or style == "probes"):
            fail(
                "--features: name with --out where the tables go; there are none of --style probes"
            )
        models = load_models(checkpoint, None, device, precision)
        if style == "probes":
            results = _measure_probes(models, split, clips // 2 * 2, out, clutter, camera)
        else:
            results = _measure_drawn(models, split, clips, out, style, features)
        _print(results, as_json)
        return
    if out is None or out.suffix != ".parquet":
        fail("--out: name the .parquet file to write")
    if checkpoint is None or len(checkpoint) != 1:
        fail("--checkpoint: give one model for each table of predictions")
    if also_reversed and order != "forward":
        fail("--also-reversed: goes with --order forward")
    limits = Limits(
        max_bytes=None if max_mb is None else max_mb * 2**20,
        max_seconds=max_seconds,
        max_frames=None,
        max_memory=decoder_mb * 2**20,
        max_decode_seconds=decoder_seconds,
    ).with_side(max_side)

    @cache
    def its_model() -> Recognizer:
        from gsm_model.models.checkpoints.files import load_checkpoint

        return load_checkpoint(checkpoint[0], device="cpu", shift_share=shift_share())

    found = or_fail(lambda: read_list(*(data, videos, labels, target, skip_bad, its_model)))
    with together(device, devices, nodes) as fabric:
        [model] = load_models(checkpoint, None, device or str(fabric.device), precision)
        [own] = protocols_of([model], views, average)
        results = _measure_list(
            fabric,
            model,
            found,
            out,
            scores,
            own,
            order,
            seed,
            workers,
            limits,
            also_reversed,
            features,
        )
        if fabric.global_rank == 0:
            _print(results, as_json)


def _print(results: list[dict], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"models": results}, ensure_ascii=False, indent=2))
        return
    for result in results:
        print_result(result)
        if "published" in result:
            from gsm_model.evaluation.beside import Beside

            typer.echo(f"  {'published top-1':<22} {Beside(**result['published']).in_words()}")
        for pair in result.get("pairs", ()):
            typer.echo(f"  {pair['group']}")
            for m in (value for key, value in pair.items() if key != "group"):
                print_measure(m, 30)


def _measure_drawn(
    models: list[Recognizer],
    split: SplitName,
    clips: int,
    out: Path | None,
    style: StyleName,
    features: bool,
) -> list[dict]:
    from gsm_model.evaluation.evaluate import (
        largest_reversal_change,
        measures_of,
        score_drawn_clips,
    )
    from gsm_model.predictions.write import write_parquet

    def run() -> list[dict]:
        found = score_drawn_clips(
            *(models, split, clips), progress=progress("clip"), style=style, features=features
        )
        of = split if style == "drawn" else f"{style}_{split}"
        names = unique_names([Path(model.card.file).stem for model in models])
        for name, both in zip(names, found, strict=True):
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                for order, table in (("forward", both.forward), ("reversed", both.reversed)):
                    write_parquet(table, out / f"{name}_{of}_{order}.parquet")
        return [
            result_of(
                model, measures_of(both), largest_reversal_change=largest_reversal_change(both)
            )
            for model, both in zip(models, found, strict=True)
        ]

    return or_fail(run)


def _measure_probes(
    models: list[Recognizer],
    split: SplitName,
    clips: int,
    out: Path | None,
    clutter: float | None,
    camera: float,
) -> list[dict]:
    from gsm_model.data.synthetic_sets import Looks
    from gsm_model.evaluation.probes import profile_of, profile_table, score_probes
    from gsm_model.figures.probes import profile_figure
    from gsm_model.figures.style import save_figure
    from gsm_model.io.tables import csv_text
    from gsm_model.predictions.write import write_parquet

    looks = Looks(clutter, camera)
    tables = or_fail(lambda: score_probes(models, clips, looks, split, progress=progress("clip")))
    frames = models[0].architecture.num_segments
    profiles = [profile_of(table, frames) for table in tables]
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        names = unique_names([Path(model.card.file).stem for model in models])
        for name, table in zip(names, tables, strict=True):
            write_parquet(table, out / f"{name}_probes_{split}.parquet")
        titles = [model.card.name for model in models]
        if len(set(titles)) < len(
            titles
        ):  # several of one network: their files tell which is which
            titles = names
        named = list(zip(titles, profiles, strict=True))
        rows = profile_table(named)
        write_all(out, {"profile.csv": csv_text(rows).encode()})
        or_fail(lambda: save_figure(profile_figure(named), out / "profile.pdf"))
    return [
        result_of(
            model,
            tuple(
                replace(result.right, metric=result.probe)
                for result in profile
                if result.distance is None
            ),
            profile=[asdict(result) for result in profile],
        )
        for model, profile in zip(models, profiles, strict=True)
    ]


def reversed_path(out: Path) -> Path:
    """Where the table of the reversed clips goes."""
    return out.with_name(f"{out.stem}-reversed{out.suffix}")


def _measure_list(
    fabric: Fabric,
    model: Recognizer,
    found: VideoList,
    out: Path,
    scores: Path | None,
    own: EvalProtocol,
    order: OrderName,
    seed: int,
    workers: int,
    limits: Limits,
    also_reversed: bool,
    features: bool,
) -> list[dict]:
    """The result, in the first process; in the others nothing."""
    from gsm_model.evaluation.beside import published_beside
    from gsm_model.evaluation.distributed import score_list_together
    from gsm_model.evaluation.loader import Views
    from gsm_model.evaluation.measures import measures_of_table
    from gsm_model.evaluation.pairs import pair_accuracies
    from gsm_model.evaluation.score import errors_of
    from gsm_model.predictions.write import write_scores

    started = time.perf_counter()
    tell = progress("clip") if fabric.global_rank == 0 else None

    def score(order: OrderName, out: Path) -> Predictions | None:
        shown = Views(own.clips, own.crops, own.segments)
        return score_list_together(
            *(fabric, model, found, out, shown, order, seed, workers, tell, limits, own.average),
            features,
        )

    table = or_fail(lambda: score(order, out))
    turned = or_fail(lambda: score("reversed", reversed_path(out))) if also_reversed else None
    if table is None:
        return []
    seconds = time.perf_counter() - started
    if scores is not None:
        or_fail(lambda: write_scores(table, scores))
    failed = list(errors_of(table))
    for _, error in failed:
        say(error)
    counts = {
        "undecodable": len(failed),
        "skipped": sum(not fault.usable for fault in found.faults),
        "too_short": found.too_short,
    }
    t = model.architecture.num_segments
    measures = or_fail(lambda: measures_of_table(table))
    beside = published_beside(model.card, own, measures[0])
    pairs = () if turned is None else or_fail(lambda: pair_accuracies(table, turned))
    return [
        result_of(
            model,
            measures,
            out=str(out),
            average=own.average,
            protocol=own.in_words(model.input, own.segments or t),
            **({} if beside is None else {"published": asdict(beside)}),
            **counts,
            seconds=seconds,
            **({"pairs": [asdict(pair) for pair in pairs]} if pairs else {}),
        )
    ]
