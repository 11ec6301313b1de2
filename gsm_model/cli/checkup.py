"""``check``: is a checkpoint used as it was trained?"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsm_model.cli.common import (
    AsJson,
    Device,
    Labels,
    SkipBad,
    Target,
    load_models,
    or_fail,
    progress,
    read_list,
    say,
)
from gsm_model.io.atomic import write_whole

if TYPE_CHECKING:
    from gsm_model.confusion.checkup import CheckUp


def check(
    checkpoint: Annotated[Path, typer.Argument(help="The model's file.")],
    data: Annotated[Path, typer.Option(help="A folder or list of labelled videos.")],
    clips: Annotated[int, typer.Option(min=2, help="How many of them, from all classes.")] = 50,
    videos: Annotated[
        Path | None,
        typer.Option(help="The folder that the clips of --data lie in, if not the list's own."),
    ] = None,
    labels: Labels = None,
    target: Target = "verb",
    skip_bad: SkipBad = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that decode.")] = 1,
    labels_out: Annotated[
        Path | None,
        typer.Option(help="Also write the class names in the order that fits these clips best."),
    ] = None,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Find out on a few labelled clips whether a checkpoint is used as it was trained.

    Other orders of classes and colours, means and deviations, numbers of segments, sampling, with
    the shift and without answer the same clips. An alternative is said to fit better only if
    McNemar's exact test says so, corrected after Holm for how many were tried.
    """
    from gsm_model.confusion.checkup import check_checkpoint

    [model] = load_models([checkpoint], labels, device)
    found = or_fail(
        lambda: check_checkpoint(
            model,
            read_list(data, videos, labels, target, skip_bad, lambda: model),
            clips,
            workers,
            progress("clip"),
        )
    )
    for error in found.errors:
        say(error)
    if labels_out is not None:
        names = [""] * len(found.order)
        for label, output in enumerate(found.order.tolist()):
            names[output] = model.card.label(label)
        or_fail(lambda: write_whole(labels_out, "\n".join(names) + "\n"))
    if as_json:
        typer.echo(json.dumps(_record(checkpoint, found), ensure_ascii=False, indent=2))
    else:
        _print(checkpoint, found)


def _record(path: Path, found: CheckUp) -> dict[str, Any]:
    return {
        "file": str(path),
        "verdict": found.verdict,
        "better": None if found.better is None else asdict(found.better),
        "given": asdict(found.given),
        "alternatives": [asdict(one) for one in found.alternatives],
        "diagonal": found.diagonal,
        "diagonal_permuted": found.diagonal_permuted,
        "errors": list(found.errors),
    }


def _print(path: Path, found: CheckUp) -> None:
    given = found.given
    typer.echo(f"{path}  {given.n} clips of {given.data}")
    typer.echo(f"  {'as given':<52} {given.value:6.1%}  ({given.low:.1%} to {given.high:.1%})")
    for one in found.alternatives:
        typer.echo(
            f"  {f'{one.kind}: {one.name}':<52} {one.right.value:6.1%}  +{one.gained} −{one.lost}"
            f"  p {one.p:.2g}, {one.p_holm:.2g} after Holm"
        )
    typer.echo(
        f"  mean probability of the true class {found.diagonal:.1%}; after the best permutation of"
        f" the classes, fitted to these clips, {found.diagonal_permuted:.1%}"
    )
    typer.echo(found.verdict)
