"""``train-ablations``: the Gate-Shift Module with one thing changed at a time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsm_model.cli.common import fail, or_fail, progress

if TYPE_CHECKING:
    from gsm_model.training.ablations import Variant
    from gsm_model.training.config import TrainConfig

TABLE = "ablations.json"


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
    measure what each tells of time, on the temporal probes: OUT/ablations.json, which keeps the
    variants that it has.
    """
    from gsm_model.evaluation.system_probes import measure_on_probes
    from gsm_model.io.atomic import write_whole
    from gsm_model.models.checkpoints.fit import not_finite
    from gsm_model.training.ablations import train_variants, variants_named
    from gsm_model.training.config import TrainConfig
    from gsm_model.training.dataset import looks_of

    config = or_fail(lambda: TrainConfig.read(recipe))
    if config.style != "probes":
        fail(f"{recipe.name}: its style is {config.style!r}; ablations are measured on the probes")
    clips -= clips % 2  # scenes have two orders
    if config.initial:
        fail(f"{recipe.name}: names 'initial', but variants start from random weights; remove it")
    chosen = or_fail(lambda: variants_named(variant or ()))
    earlier = or_fail(lambda: _earlier(out, config, clips))
    tell = progress("step")

    def told(one: Variant, step: int, steps: int, loss: float) -> None:
        tell(step, steps, f"{one.name}, loss {loss:.3f}, ")

    trained = or_fail(
        lambda: train_variants(config, chosen, out, workers, None, told, progress("clip"))
    )
    models = {
        one.name: model for one, model in trained.items() if not not_finite(model.state_dict())
    }
    looks, tell_clip = looks_of(config), progress("test clip")
    measured = or_fail(lambda: measure_on_probes(models, clips, looks, tell_clip)) if models else {}
    rows = [
        {
            "variant": one.name,
            "what": one.what,
            "parameters": sum(each.numel() for each in model.parameters()),
            "steps": config.steps,
            "seed": config.seed,
            "clips": clips,
            "diverged": one.name not in models,
            **measured.get(one.name, {"results": []}),
        }
        for one, model in trained.items()
    ]
    kept = [row for row in earlier if row["variant"] not in {one["variant"] for one in rows}]
    table = json.dumps([*kept, *rows], indent=1, ensure_ascii=False) + "\n"
    or_fail(lambda: write_whole(out / TABLE, table))
    for row in rows:
        if row["diverged"]:
            typer.echo(f"{row['variant']:<9} diverged")
            continue
        shares = [each for each in row["results"] if each["distance"] is None]
        said = ", ".join(f"{each['probe']} {each['value']:.1%}" for each in shares)
        typer.echo(f"{row['variant']:<9} {said}")


def _earlier(out: Path, config: TrainConfig, clips: int) -> list[dict[str, Any]]:
    """The rows of the table in ``out``, of other variants by the same recipe on the same clips.

    Raises:
        DataError: if it is none, or of another recipe or other clips.
    """
    from gsm_model.errors import DataError
    from gsm_model.training.ablations import config_of_variant
    from gsm_model.training.train import check_folder

    path = out / TABLE
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text())
        of = {(row["steps"], row["seed"], row["clutter"]) for row in rows if row["results"]}
        counts = {row.get("clips", clips) for row in rows}
        folders = [out / str(row["variant"]) for row in rows]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); remove it") from None
    if of - {(config.steps, config.seed, config.clutter)} or counts - {clips}:
        raise DataError(
            f"{path}: holds variants of another recipe, or measured on other clips; choose another"
            " folder"
        )
    for folder in folders:
        check_folder(config_of_variant(config), folder)
    return rows
