"""``models``: the catalogue of published checkpoints, and getting one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import fail

if TYPE_CHECKING:
    from gsm_model.models.published.catalogue import Published

MISSING = "–"


def list_models(
    data: Annotated[
        str | None, typer.Option(help="A data set, or part of its name: sthv2, kinetics.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="A system: tsn, tsm, gsm, …")] = None,
    loadable: Annotated[
        bool, typer.Option("--loadable", help="Only those that this version loads.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
) -> None:
    """The published checkpoints: data, frames, the authors' accuracy, size, licence of the code."""
    from gsm_model.models.published.catalogue import catalogue, select

    found = select(data, system, loadable)
    if as_json:
        typer.echo(json.dumps([one.record() for one in found], ensure_ascii=False, indent=1))
        return
    if not found:
        known = sorted({one.data for one in catalogue().values()})
        fail(
            f"no published checkpoint is of that data set and system; the data: {'; '.join(known)}"
        )
    for line in _table(found):
        typer.echo(line)
    loads = sum(one.loadable for one in found)
    typer.echo(
        f"{len(found)} published checkpoints, {loads} of which this version loads. Accuracies are"
        " the authors'; --json has protocols, addresses, terms of the data and notes."
    )


def _table(found: Sequence[Published]) -> list[str]:
    """The rows as lines, each column as wide as its widest cell."""
    header = ("NAME", "DATA", "FRAMES", "TOP-1", "MB", "LICENCE", "LOADS")
    rows = [header, *(_cells(one) for one in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _cells(one: Published) -> tuple[str, ...]:
    return (
        one.name,
        one.data,
        MISSING if one.frames is None else str(one.frames),
        MISSING if one.top1 is None else f"{one.top1:.1f}",
        MISSING if one.megabytes is None else f"{one.megabytes:.0f}",
        one.licence,
        "yes" if one.loadable else f"no: {one.needs}",
    )
