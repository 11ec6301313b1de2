"""``benchmark``: how long networks, training steps, looks inside, first answers, evaluations, their
decoding and comparisons take here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from gsm_model.cli.common import (
    AsJson,
    Checkpoints,
    Device,
    PrecisionName,
    fail,
    load_models,
    progress,
)

if TYPE_CHECKING:
    import torch

    from gsm_model.models.recognizer import Recognizer

What = Literal[
    "networks",
    "training",
    "looking",
    "answer",
    "evaluation",
    "feeding",
    "synthetic",
    "confusions",
]
# As an enumeration: of literals typer makes no list.
PrecisionOption = Enum(
    "PrecisionOption",
    {"float32": "float32", "bfloat16": "bfloat16", "float16": "float16"},
    type=str,
)
BACKBONES = ("bn_inception", "inception_v3", "resnet50")


def benchmark(
    what: Annotated[
        What,
        typer.Argument(
            help=(
                "networks: forward passes against the release's formulation; training: steps;"
                " looking: gates, routing, Grad-CAM over "
                "the forward; answer: from a clip to the first answers; evaluation: one process and"
                " two; feeding: whether decoding keeps up; "
                "synthetic: clips made a second; confusions: two large files of answers."
            )
        ),
    ] = "networks",
    backbone: Annotated[
        list[str] | None,
        typer.Option(help=f"A backbone; repeat for several. Without it: {', '.join(BACKBONES)}."),
    ] = None,
    temporal: Annotated[
        list[str] | None,
        typer.Option(help="A temporal module: gsm, tsm, none; repeat for several."),
    ] = None,
    precision: Annotated[
        list[PrecisionOption] | None,
        typer.Option(help="Repeat for several; without it float32 and bfloat16."),
    ] = None,
    segments: Annotated[int, typer.Option(min=1, max=64, help="Frames a clip.")] = 8,
    runs: Annotated[
        int, typer.Option(min=1, help="How many rounds, after two that do not count.")
    ] = 15,
    clip: Annotated[
        Path | None, typer.Option(help="With answer: the clip; without it the first sample.")
    ] = None,
    checkpoint: Checkpoints = None,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Time things against each other in turn, round after round: medians with the smallest and
    largest, and ratios within a round.
    """
    import torch

    from gsm_model.benchmark.timing import machine
    from gsm_model.models.recognizer import best_device

    where = torch.device(device) if device else best_device()
    names, kinds = backbone or list(BACKBONES), temporal or ["gsm", "tsm", "none"]
    precisions = _precisions(precision)
    makers: dict[What, Callable[[], list[dict]]] = {
        "networks": lambda: _networks(names, kinds, precisions, where, segments, runs),
        "training": lambda: _training(names, kinds, where, segments, runs),
        "looking": lambda: _looking(names, kinds[0], precisions, where, segments, runs),
        "answer": lambda: _answer(
            clip, _answering(backbone, checkpoint, device, where, segments), precisions, runs
        ),
        "evaluation": lambda: _evaluation(checkpoint, runs),
        "feeding": lambda: _feeding(
            _answering(backbone, checkpoint, device, where, segments)[0], precisions, runs
        ),
        "synthetic": lambda: _synthetic(where, segments, runs),
        "confusions": lambda: _confusions(runs),
    }
    try:
        tables = makers[what]()
    except ValueError as error:
        fail(str(error))
    about = machine(where)
    if as_json:
        typer.echo(json.dumps({**about, "tables": tables}, ensure_ascii=False, indent=2))
        return
    typer.echo(", ".join(f"{key} {value}" for key, value in about.items()))
    for table in tables:
        _print(table)


def _precisions(chosen: Sequence[PrecisionOption] | None) -> list[PrecisionName]:
    if not chosen:
        return ["float32", "bfloat16"]
    return [name for one in chosen for name in get_args(PrecisionName) if name == one.value]


def _networks(
    names: Sequence[str],
    kinds: Sequence[str],
    precisions: Sequence[PrecisionName],
    device: torch.device,
    segments: int,
    runs: int,
) -> list[dict]:
    import torch

    from gsm_model.benchmark.networks import (
        benchmark_lengths,
        benchmark_networks,
        over_tsn,
        peak_megabytes,
    )
    from gsm_model.benchmark.timing import multiply_add_peak
    from gsm_model.models.registry import systems

    peaks: dict[str, float] = dict.fromkeys(
        precisions, 0.0
    )  # the machine's speed wanders: it is asked anew with each backbone
    kind_of = {kind.title: name for name, kind in systems().items()}
    tables = []
    for name in names:
        timings = benchmark_networks(
            name, kinds, precisions, device, segments, runs, progress(f"{name}, round")
        )
        peaks = {
            one: max(peak, multiply_add_peak(getattr(torch, one), device))
            for one, peak in peaks.items()
        }
        rows = [timing.row() for timing in timings]
        for row in rows:
            title, how = row["what"].split(", ", 1)
            computed = how.split(", ")[-1] if how.startswith("optimised") else "float32"
            row["share_of_peak"] = row["gmac_per_second"] / peaks.get(computed, float("nan"))
            row["peak_mb"] = peak_megabytes(name, kind_of[title], how, segments, device)
        notes = [
            f"GSM over TSN, {how}: {m:.3f} ({low:.3f} to {high:.3f})"
            for how, (m, low, high) in over_tsn(timings).items()
        ] + [
            f"measured peak of this device in {one}: {peak:.0f} GMAC/s"
            for one, peak in peaks.items()
        ]
        what = (
            f"{name}, one clip of {segments} frames; ratio: how many times as long the release's"
            " formulation takes"
        )
        tables.append({"what": what, "rows": rows, "notes": notes})
        for one in precisions:
            rows = [
                timing.row()
                for timing in benchmark_lengths(
                    name, kinds[0], one, device, (segments, 2 * segments), runs
                )
            ]
            tables.append(
                {
                    "what": f"{kinds[0]} {name}, {one}, by length; ratio to the shorter",
                    "rows": rows,
                    "notes": [],
                }
            )
    return tables


def _training(
    names: Sequence[str], kinds: Sequence[str], device: torch.device, segments: int, runs: int
) -> list[dict]:
    from gsm_model.benchmark.networks import over_tsn
    from gsm_model.benchmark.training import benchmark_training

    tables = []
    for name in names:
        timings = benchmark_training(
            name, kinds, device, segments, runs=runs, progress=progress(f"{name}, round")
        )
        notes = [
            f"GSM over TSN, {how}: {m:.3f} ({low:.3f} to {high:.3f})"
            for how, (m, low, high) in over_tsn(timings).items()
        ]
        what = (
            f"{name}, a step on two clips of {segments} frames; ratio: how many times as long plain"
            " float32 takes"
        )
        tables.append({"what": what, "rows": [timing.row() for timing in timings], "notes": notes})
    return tables


def _looking(
    names: Sequence[str],
    kind: str,
    precisions: Sequence[PrecisionName],
    device: torch.device,
    segments: int,
    runs: int,
) -> list[dict]:
    from gsm_model.benchmark.looking import benchmark_looking
    from gsm_model.benchmark.networks import network
    from gsm_model.models.inference.optimize import optimize

    tables = []
    for name in names:
        model = optimize(network(name, kind, segments).to(device), precisions[0])
        rows = [
            timing.row()
            for timing in benchmark_looking(model, segments, runs, progress(f"{name}, round"))
        ]
        tables.append(
            {
                "what": f"{kind} {name}, {precisions[0]}, {segments} frames; ratio to the forward",
                "rows": rows,
                "notes": [],
            }
        )
    return tables


def _answering(
    backbone: list[str] | None,
    checkpoint: list[Path] | None,
    device: str | None,
    where: torch.device,
    segments: int,
) -> list[Recognizer]:
    """GSM and TSN of a backbone that was named, else the models of the checkpoints."""
    from gsm_model.benchmark.networks import network

    if backbone:
        return [network(backbone[0], temporal, segments).to(where) for temporal in ("gsm", "none")]
    return load_models(checkpoint, None, device)


def _answer(
    clip: Path | None,
    models: Sequence[Recognizer],
    precisions: Sequence[PrecisionName],
    runs: int,
) -> list[dict]:
    from gsm_model.benchmark.first_answer import benchmark_first_answer
    from gsm_model.bundled import sample_clips

    if clip is None:
        clip = next((sample.path for sample in sample_clips().values()), None)
    if clip is None:
        fail("--clip: no sample clip came with this installation; name one")
    names = ", ".join(model.card.name for model in models)
    tables = []
    for one in precisions:
        rows = [
            timing.row()
            for timing in benchmark_first_answer(clip, models, one, runs, progress("round"))
        ]
        what = (
            f"{clip.name}, {names}, {one}; ratio to the bare decoding and the bare forwards"
            " together"
        )
        tables.append({"what": what, "rows": rows, "notes": []})
    return tables


def _evaluation(checkpoint: list[Path] | None, runs: int) -> list[dict]:
    from gsm_model.benchmark.evaluating import benchmark_evaluation
    from gsm_model.cli.common import model_files

    path = model_files(checkpoint)[0]
    timings = benchmark_evaluation(path, runs=min(runs, 5), progress=progress("round"))
    what = (
        f"{path.name} over drawn clips as files; ratio: how many times as long one process with one"
        " thread takes"
    )
    return [{"what": what, "rows": [timing.row() for timing in timings], "notes": []}]


def _feeding(model: Recognizer, precisions: Sequence[PrecisionName], runs: int) -> list[dict]:
    from gsm_model.benchmark.feeding import benchmark_feeding
    from gsm_model.models.inference.optimize import optimize

    tables = []
    for one in precisions:
        timings = benchmark_feeding(
            optimize(model, one), runs=min(runs, 5), progress=progress("round")
        )
        what = (
            f"{model.card.name}, {one}, drawn clips as files; ratio to decoding and scoring in turn"
        )
        tables.append({"what": what, "rows": [timing.row() for timing in timings], "notes": []})
    return tables


def _synthetic(device: torch.device, segments: int, runs: int) -> list[dict]:
    from gsm_model.benchmark.synthetic import benchmark_synthetic

    timings = benchmark_synthetic(device, segments, runs=min(runs, 5), progress=progress("round"))
    rows = [timing.row() for timing in timings]
    notes = [f"{row['what']}: {1000 / row['ms']:.1f} clips a second" for row in rows]
    what = f"a clip of {segments} frames of 109 × 109 pixels; ratio to the drawn"
    return [{"what": what, "rows": rows, "notes": notes}]


def _confusions(runs: int) -> list[dict]:
    import psutil

    from gsm_model.benchmark.confusions import benchmark_confusions

    rows = [timing.row() for timing in benchmark_confusions(runs, progress=progress("round"))]
    notes = [f"memory of the process at the end: {psutil.Process().memory_info().rss / 1e6:.0f} MB"]
    return [{"what": "two files of 24,777 clips and 174 classes", "rows": rows, "notes": notes}]


def _print(table: dict) -> None:
    typer.echo(table["what"])
    for row in table["rows"]:
        line = (
            f"  {row['what']:<34} {row['ms']:8.1f} ms ({row['ms_min']:.1f} to {row['ms_max']:.1f})"
        )
        if "ratio" in row:
            line += f"  {row['ratio']:6.3f} ({row['ratio_min']:.3f} to {row['ratio_max']:.3f})"
        if "gmac_per_second" in row:
            line += f"  {row['gmac_per_second']:5.0f} GMAC/s"
        if "share_of_peak" in row:
            line += f" = {row['share_of_peak']:.0%} of the measured peak, {row['peak_mb']:.0f} MB"
        typer.echo(line)
    for note in table["notes"]:
        typer.echo(f"  {note}")
