"""``make-dataset`` and ``make-samples``: synthetic clips as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gsm_model.cli.common import Camera, Clutter, SplitName, StyleName, fail, or_fail, progress

FormatName = Literal["mp4", "frames"]


def make_dataset(
    out: Annotated[Path, typer.Argument(help="A new folder.")],
    split: Annotated[SplitName, typer.Option(help="Which clips.")] = "test",
    clips_per_class: Annotated[int, typer.Option(min=1, help="How many of each class.")] = 50,
    format: Annotated[
        FormatName, typer.Option(help="H.264 files, or folders of numbered JPEGs.")
    ] = "mp4",
    style: Annotated[
        StyleName,
        typer.Option(
            help="Plain drawn clips, clips that vary in all they can, or the temporal probes."
        ),
    ] = "drawn",
    clutter: Clutter = None,
    camera: Camera = 0.0,
    frames: Annotated[
        int, typer.Option(min=8, help="Frames of a probe's clip, a multiple of 4.")
    ] = 8,
) -> None:
    """Draw Reversible Actions or the temporal probes to files: clips, a list file, labels and a
    data card.
    """
    from gsm_model.data.synthetic.export import write_dataset
    from gsm_model.data.synthetic_sets import Looks

    if frames % 4:
        fail(f"--frames {frames}: give a multiple of 4")

    path = or_fail(
        lambda: write_dataset(
            out,
            split,
            clips_per_class,
            format,
            progress=progress("clip"),
            style=style,
            looks=Looks(clutter, camera, frames),
        )
    )
    typer.echo(path)


def make_samples(
    out: Annotated[Path, typer.Argument(help="Folder for the sample clips and their clips.json.")],
) -> None:
    """Draw the sample clips that ship in assets/clips."""
    from gsm_model.data.synthetic.samples import write_samples

    for path in or_fail(lambda: write_samples(out)):
        typer.echo(path)
