"""``train`` and ``curves``: from a configuration to a measured model, and the picture of its
runs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from gsm_model.cli.common import (
    SkipBad,
    TargetName,
    fail,
    or_fail,
    print_result,
    progress,
    read_list,
    result_of,
    say,
)
from gsm_model.cli.processes import together
from gsm_model.cli.shared import FlowZero, zero_named
from gsm_model.training.config import TrainConfig

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from gsm_model.data.lists import VideoList
    from gsm_model.models.recognizer import Recognizer
    from gsm_model.training.stored import StoredClips


def train(
    config: Annotated[Path, typer.Argument(help="A JSON file; its keys are listed below.")],
    out: Annotated[
        Path,
        typer.Option(help="Folder of the run. A run that was stopped goes on from its last state."),
    ],
    clips: Annotated[
        int, typer.Option(min=1, help="Synthetic test clips to measure the result on.")
    ] = 2000,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that draw or decode clips, for each that trains.")
    ] = 1,
    store: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Paint the synthetic clips into this folder before the training, or take them from"
                " it: runs that differ in the network alone share them."
            )
        ),
    ] = None,
    stored_clips: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --store: how many, shown again and again; without it all of the run."
        ),
    ] = None,
    devices: Annotated[
        int, typer.Option(min=1, help="Processes that train, on this machine or on each node.")
    ] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Machines that train together.")] = 1,
    skip_bad: SkipBad = False,
    flow_zero: FlowZero = None,
) -> None:
    """Train a model on synthetic clips or on a list of videos, and write OUT/model.safetensors,
    measured on synthetic test clips if on such.
    """
    from gsm_model.figures.training import draw_run
    from gsm_model.training.publish import CHECKPOINT_FILE, pack_run
    from gsm_model.training.train import STATE_FILE
    from gsm_model.training.train import train as run

    settings = or_fail(lambda: TrainConfig.read(config))
    videos = or_fail(lambda: _training_list(settings, config.parent, skip_bad, flow_zero))
    begins = not (out / STATE_FILE).exists()  # a run that goes on needs nothing to start from
    initial = _initial(settings, config.parent) if settings.initial and begins else None
    if store is None and stored_clips is not None:
        fail("--stored-clips: goes with --store; name the folder to paint into")
    tell = progress("step")
    with together(None, devices, nodes, settings.precision) as fabric:
        stored = None if store is None else _stored(fabric, settings, store, stored_clips, workers)
        or_fail(
            lambda: run(
                settings,
                out,
                videos,
                workers,
                fabric,
                lambda step, steps, loss: tell(step, steps, f"loss {loss:.3f}, "),
                initial,
                stored,
                say if fabric.global_rank == 0 else None,
            )
        )
        if fabric.global_rank == 0:
            or_fail(lambda: draw_run(out))
            model = or_fail(
                lambda: pack_run(out, out / CHECKPOINT_FILE, clips, videos, progress("test clip"))
            )
            print_result(result_of(model, model.card.measures))


def _stored(
    fabric: Fabric, settings: TrainConfig, folder: Path, count: int | None, workers: int
) -> StoredClips:
    """The clips that a run of ``settings`` is shown, out of ``folder``: the first process paints
    them, the others find them there.
    """
    from gsm_model.training.optim import build_model
    from gsm_model.training.stored import store_clips

    spec = build_model(settings, 1).input
    places = count or settings.steps * settings.batch_size
    for rank in range(fabric.world_size):
        if fabric.global_rank == rank:
            stored = or_fail(
                lambda: store_clips(settings, spec, folder, places, workers, progress("clip"))
            )
        fabric.barrier()
    return stored


def _initial(settings: TrainConfig, folder: Path) -> Recognizer:
    """The model that training starts from, with a word on what of it is taken."""
    from gsm_model.training.start import initial_model

    return or_fail(lambda: initial_model(settings.initial, folder))


def _training_list(
    settings: TrainConfig, folder: Path, skip_bad: bool, zero: str | None
) -> VideoList | None:
    """The list that a configuration in ``folder`` names, or ``None`` for synthetic clips."""
    if not settings.data:
        return None
    videos, labels = (
        folder / name if name else None for name in (settings.videos, settings.labels)
    )
    [target] = [name for name in get_args(TargetName) if name == settings.target]
    return read_list(
        *(folder / settings.data, videos, labels, target, skip_bad),
        columns=settings.columns.split(",") if settings.columns else None,
        first_label=None if settings.first_label < 0 else settings.first_label,
        modality=settings.seen,
        zero=zero_named(zero),
        series=settings.series or None,
    )


def curves(
    runs: Annotated[list[Path], typer.Argument(help="Folders of training runs.")],
    out: Annotated[Path, typer.Option(help="The picture to write: .png, .pdf or .svg.")],
) -> None:
    """Draw the loss and accuracy of training runs over their steps."""
    from gsm_model.figures.fonts import give_fonts
    from gsm_model.figures.training import training_curves
    from gsm_model.training.log import LOG_FILE, read_log

    if out.suffix not in (".png", ".pdf", ".svg"):
        fail(f"{out.name}: the picture must end in .png, .pdf or .svg")
    logs = [or_fail(partial(read_log, run / LOG_FILE)) for run in runs]
    figure = training_curves(logs, [run.name for run in runs])
    or_fail(lambda: give_fonts(figure))
    or_fail(lambda: figure.savefig(out, dpi=160))
    typer.echo(out)
