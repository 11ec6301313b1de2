"""``vectors``: the motion vectors that a video file itself holds."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer

from gsm_model.cli.common import fail, or_fail, write_all


def vectors(
    clip: Annotated[Path, typer.Argument(help="A video file.")],
    frame: Annotated[
        list[int], typer.Option("--frame", min=0, help="A frame, from 0; repeat for several.")
    ],
    accumulate: Annotated[
        bool,
        typer.Option(
            "--accumulate",
            help="From the last frame that is coded alone, not from the frame before.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write them (.npz): flow (n, 2, H, W), since (n,), frames (n,)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, a row a frame.")] = False,
) -> None:
    """How a file's own codec says that things move, block by block: for each frame, from which one,
    how much of the picture moves, and how far that moves in the middle (median), in pixels to the
    right and down.

    Files whose codec does not say it are refused; networks are given the vectors of frames encoded
    anew, whatever the file (docs/motion.md).
    """
    import numpy as np

    from gsm_model.video.isolate import read_vectors

    if out is not None and out.suffix != ".npz":
        fail("--out: name a .npz file to write")
    frames = sorted(set(frame))
    read = or_fail(lambda: read_vectors(clip, frames, accumulate))
    rows = []
    for number, since, flow in zip(frames, read.since.tolist(), read.flow, strict=True):
        moving = flow.any(axis=0)
        move = np.median(flow[:, moving], axis=1) if moving.any() else np.zeros(2)
        right, down = (round(float(one), 3) for one in move)
        rows.append(
            {
                "frame": number,
                "since": since,
                "moving": round(float(moving.mean()), 4),
                "right": right,
                "down": down,
            }
        )
    if out is not None:
        file = BytesIO()
        np.savez_compressed(file, flow=read.flow, since=read.since, frames=np.array(frames))
        write_all(out.parent, {out.name: file.getvalue()})
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        if row["since"] == row["frame"]:
            typer.echo(f"frame {row['frame']}: coded alone, no vectors")
            continue
        typer.echo(
            f"frame {row['frame']}, since frame {row['since']}: {row['moving']:.0%} of the picture"
            f" moves, by {row['right']:+.2f} to the right and {row['down']:+.2f} down"
        )
