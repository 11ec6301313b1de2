"""``models``: the catalogue of published checkpoints, and getting one of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import fail, or_fail, say

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


def get_models(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="As 'models list' names them.")
    ],
    to: Annotated[
        Path | None,
        typer.Option(help="The folder it goes to; without it the cache (GATE_SHIFT_LENS_CACHE)."),
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(help="An address below which the published files lie.")
    ] = None,
) -> None:
    """Get published checkpoints: each one's path is printed once it is here and its hash is right.

    One that is here already needs no network; one that was cut goes on from where it stopped.
    """
    from gsm_model.models.published.catalogue import find
    from gsm_model.models.published.fetch import fetch_published

    or_fail(lambda: [find(name) for name in names])

    def get(name: str) -> Path:
        try:
            return fetch_published(name, to, mirror, _bar(name))
        except KeyboardInterrupt:
            say(f"{name}: stopped; what came is kept, and the same command goes on from there")
            raise typer.Exit(130) from None

    for name in names:
        typer.echo(or_fail(partial(get, name)))


def _bar(name: str) -> Callable[[int, int | None], None]:
    """A line that counts megabytes, on a terminal only."""
    began, first, shown = time.monotonic(), -1, 0.0

    def tell(done: int, total: int | None) -> None:
        nonlocal first, shown
        now = time.monotonic()
        first = done if first < 0 else first
        if not sys.stderr.isatty() or (now - shown < 0.2 and done != total):
            return
        shown = now
        speed = (done - first) / 1e6 / max(now - began, 0.1)
        share = "" if not total else f" of {total / 1e6:.0f}"
        bar = "" if not total else "█" * (20 * done // total)
        print(
            f"\r{bar:░<20} {name} {done / 1e6:.0f}{share} MB, {speed:.1f} MB/s\033[K",
            end="\n" if done == total else "",
            file=sys.stderr,
            flush=True,
        )

    return tell
