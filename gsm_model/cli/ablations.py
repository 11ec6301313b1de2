"""``train-ablations``: the Gate-Shift Module with one thing changed at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import fail, or_fail, progress

if TYPE_CHECKING:
    from gsm_model.training.ablations import Variant


def train_ablations(
    recipe: Annotated[
        Path,
        typer.Argument(
            help="A configuration of train on the probes, such as assets/training/alike-probes.json"
        ),
    ],
    out: Annotated[Path, typer.Option(help="A folder for the clips, the runs and their table.")],
    variant: Annotated[
        list[str] | None,
        typer.Option(help="One of them; repeat for several. Without it: all."),
    ] = None,
    clips: Annotated[int, typer.Option(min=16, help="Probes of the test split to measure on.")] = (
        1792
    ),
    workers: Annotated[int, typer.Option(min=0, help="Processes that paint clips.")] = 1,
) -> None:
    """Train the Gate-Shift Module as published and with one thing changed at a time, all alike, and
    measure what each tells of time, on the temporal probes: OUT/ablations.json.
    """
    from gsm_model.evaluation.system_probes import measure_on_probes
    from gsm_model.io.atomic import write_whole
    from gsm_model.training.ablations import train_variants, variants_named
    from gsm_model.training.config import TrainConfig

    config = or_fail(lambda: TrainConfig.read(recipe))
    if config.style != "probes":
        fail(f"{recipe.name}: its style is {config.style!r}; ablations are measured on the probes")
    chosen = or_fail(lambda: variants_named(variant or ()))
    tell = progress("step")

    def told(one: Variant, step: int, steps: int, loss: float) -> None:
        tell(step, steps, f"{one.name}, loss {loss:.3f}, ")

    trained = or_fail(
        lambda: train_variants(config, chosen, out, workers, None, told, progress("clip"))
    )
    models = {one.name: model for one, model in trained.items()}
    measured = or_fail(
        lambda: measure_on_probes(models, clips - clips % 2, config.clutter, progress("test clip"))
    )
    rows = [
        {
            "variant": one.name,
            "what": one.what,
            "parameters": sum(each.numel() for each in model.parameters()),
            "steps": config.steps,
            "seed": config.seed,
            **measured[one.name],
        }
        for one, model in trained.items()
    ]
    write_whole(out / "ablations.json", json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    for row in rows:
        shares = [each for each in row["results"] if each["distance"] is None]
        said = ", ".join(f"{each['probe']} {each['value']:.1%}" for each in shares)
        typer.echo(f"{row['variant']:<9} {said}")
