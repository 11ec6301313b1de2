"""``benchmark``: what looking into a network costs over running it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gsm_model.cli.common import Device, fail, progress


def benchmark(
    backbone: Annotated[list[str] | None, typer.Option(help="A backbone; repeat for several.")] = None,
    temporal: Annotated[str, typer.Option(help="The temporal module: gsm, tsm or none.")] = "gsm",
    segments: Annotated[int, typer.Option(min=1, max=64, help="Frames a clip.")] = 8,
    runs: Annotated[int, typer.Option(min=1, help="How many rounds, after two that do not count.")] = 15,
    confusions: Annotated[bool, typer.Option("--confusions", help="Time the comparison of two large files of answers instead.")] = False,
    device: Device = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Time the forward pass of one clip, and the same with its gates recorded, in turn; medians with the smallest and largest.

    With --confusions: from two files of 24,777 clips and 174 classes to the figure, and another view of it.
    """
    if confusions:
        _confusions(runs, as_json)
        return
    import torch

    from gsm_model.benchmark import benchmark_gates
    from gsm_model.models.recognizer import best_device, build_recognizer

    where = torch.device(device) if device else best_device()
    results = []
    for name in backbone or ["bn_inception", "inception_v3", "resnet50"]:
        try:
            model = build_recognizer(name, temporal, num_segments=segments).eval().channels_last().to(where)
        except ValueError as error:
            fail(str(error))
        rows = [timing.row() for timing in benchmark_gates(model, segments, runs, progress("round"))]
        size = model.input.size
        results.append({"network": f"{temporal} {name}", "input": f"{segments} frames of {size} × {size}", "timings": rows})
    about = {"device": str(where), "threads": torch.get_num_threads(), "torch": torch.__version__, "precision": "float32"}
    if as_json:
        typer.echo(json.dumps({**about, "networks": results}, ensure_ascii=False, indent=2))
        return
    typer.echo(", ".join(f"{key} {value}" for key, value in about.items()))
    for result in results:
        typer.echo(f"{result['network']}, {result['input']}")
        for row in result["timings"]:
            ratio = f"{row['ratio']:.3f} ({row['ratio_min']:.3f} to {row['ratio_max']:.3f}) of the forward"
            typer.echo(f"  {row['what']:<22} {row['ms']:7.1f} ms ({row['ms_min']:.1f} to {row['ms_max']:.1f})  {ratio}")


def _confusions(runs: int, as_json: bool) -> None:
    import psutil

    from gsm_model.benchmark import benchmark_confusions

    rows = [timing.row() for timing in benchmark_confusions(runs, progress=progress("round"))]
    peak = psutil.Process().memory_info().rss / 1e6
    if as_json:
        typer.echo(json.dumps({"timings": rows, "memory_mb": peak}, indent=2))
        return
    typer.echo("two files of 24,777 clips and 174 classes")
    for row in rows:
        typer.echo(f"  {row['what']:<32} {row['ms']:7.1f} ms ({row['ms_min']:.1f} to {row['ms_max']:.1f})")
    typer.echo(f"  memory of the process at the end: {peak:.0f} MB")
