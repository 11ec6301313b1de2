"""``fuse``: tables of predictions of several models as one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gsm_model.cli.common import fail, or_fail, say
from gsm_model.predictions.table import Average


def fuse(
    tables: Annotated[
        list[Path],
        typer.Argument(help="Predictions of two or more models, of any form confusions takes."),
    ],
    out: Annotated[Path, typer.Option(help="The .parquet file to write.")],
    weights: Annotated[
        str | None,
        typer.Option(help="One a table, such as 1:1.5 for pictures and flow; without it equal."),
    ] = None,
    of: Annotated[Average, typer.Option(help="What is averaged.")] = "logits",
    names: Annotated[
        Path | None, typer.Option(help="A label file, where the tables do not name the classes.")
    ] = None,
) -> None:
    """Late fusion over a data set: the weighted mean of several models' scores, clip by clip, as a
    table that every command and the Confusions page read.
    """
    from gsm_model.data.label_reader import read_labels
    from gsm_model.evaluation.intervals import measure_share
    from gsm_model.predictions.fuse import fuse_predictions, parse_weights
    from gsm_model.predictions.read import read_predictions
    from gsm_model.predictions.write import write_parquet

    if out.suffix != ".parquet":
        fail("--out: name a .parquet file to write")
    if out.resolve() in [path.resolve() for path in tables]:
        fail(f"--out: {out} is one of the tables to fuse; name another file")
    labels = None if names is None else or_fail(lambda: read_labels(names))
    given = None if weights is None else or_fail(lambda: parse_weights(weights, len(tables)))
    read = [or_fail(partial(read_predictions, path, labels)) for path in tables]
    for table in read:
        for note in table.notes:
            say(f"{table.source}: {note}")
    fused = or_fail(lambda: fuse_predictions(read, given, of))
    for path, count in zip(tables, fused.left_out, strict=True):
        if count:
            say(f"{count:,} clips of {path} are not in every table and are left out")
    or_fail(lambda: write_parquet(fused.table, out))
    for one in (fused.table, *fused.parts):
        right = measure_share("top-1", int(one.right.sum()), len(one.ids), one.data)
        alone = "" if one is fused.table else "  alone: "
        typer.echo(
            f"{alone}{one.model}: top-1 {right.value:.1%} ({right.low:.1%} to {right.high:.1%})"
            f" of {right.n:,} clips of {one.data}"
        )
    typer.echo(out)
