"""``benchmark attribution``: do attributions find what is known of drawn clips?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gsm_model.cli.common import (
    AsJson,
    Checkpoints,
    Device,
    arguments_of,
    fail,
    load_models,
    model_files,
    or_fail,
    progress,
    say,
    write_all,
)
from gsm_model.cli.explain_common import Split


def attribution(
    context: typer.Context,
    checkpoint: Checkpoints = None,
    count: Annotated[
        int,
        typer.Option(
            "--clips", min=2, max=10_000, help="How many drawn clips; 20 are one a class."
        ),
    ] = 60,
    split: Split = "test",
    method: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "Only the methods whose name has this in it, such as HiResCAM or Captum; repeat for"
                " several."
            )
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The .json file to write, with a table (.csv) and the recipe beside it."),
    ] = None,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """A test of attributions in time whose answer is known: clips in which only some frames show
    the action. Does a map lie on what moves, in these frames, and does it tell the action from its
    reversal? Beside this package's methods those of grad-cam, of Captum where it is installed, and
    maps that know nothing of the model.
    """
    from gsm_model.benchmark.attribution.methods import standard_methods
    from gsm_model.benchmark.attribution.packages import package_versions
    from gsm_model.benchmark.attribution.score import score_attributions
    from gsm_model.benchmark.attribution.tables import attribution_object
    from gsm_model.benchmark.timing import machine

    if out is not None and out.suffix != ".json":
        fail("--out: name the .json file to write")
    paths, found = model_files(checkpoint), []
    for path in paths:
        [model] = load_models([path], None, device)
        methods, missing = or_fail(lambda m=model: standard_methods(m))  # type: ignore[misc]
        chosen = {
            name: one
            for name, one in methods.items()
            if not method or any(part.lower() in name.lower() for part in method)
        }
        if not chosen:
            fail(f"--method: none of {', '.join(methods)}")
        for sentence in missing:
            say(sentence)
        say(f"{model.card.name}: {len(chosen)} attributions, two maps each, of {count:,} clips")
        table = or_fail(
            lambda m=model, c=chosen: score_attributions(m, c, count, split, progress("clip"))  # type: ignore[misc]
        )
        found.append(attribution_object(table, missing))
    where = next(model.parameters()).device
    answer = {**machine(where), "packages": package_versions(), "models": found}
    if out is not None:
        _write(out, answer, paths, arguments_of(context))
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
        return
    for one in found:
        _print(one)


def _write(out: Path, answer: dict, paths: list[Path], typed: tuple[str, ...]) -> None:
    from gsm_model.exports.provenance import Input, Recipe
    from gsm_model.io.tables import csv_text

    rows = [row for one in answer["models"] for row in one["rows"]]
    arguments = tuple(part if part != str(out) else out.name for part in typed)
    recipe = Recipe(arguments, tuple(Input.of(path) for path in paths))
    text = json.dumps(answer, ensure_ascii=False, indent=1) + "\n"
    files = {
        out.name: text.encode(),
        f"{out.stem}.csv": csv_text(rows).encode(),
        f"{out.stem}.recipe.json": recipe.json({"clips": answer["models"][0]["clips"]}),
    }
    write_all(out.parent, files)


def _print(one: dict) -> None:
    chance = one["chance"]
    typer.echo(
        f"{one['model']}: {one['clips']:,} clips of {one['data']}, the action in"
        f" {one['frames_with_action']} of {one['frames']} frames"
    )
    for measure in one["measures"]:
        typer.echo(
            f"  the model itself, {measure['metric']:<22} {measure['value']:6.1%}"
            f" ({measure['low']:.1%} to {measure['high']:.1%})"
        )
    typer.echo(
        f"  {'95 % intervals':<42} {'where':>19} {'when':>19} {'which way':>19}   ρ      passes"
    )
    for row in one["rows"]:
        one_map = row["correlation"] is None
        spans = " ".join(
            f"{'no' if one_map and name == 'which_way' else _span(row, name):>19}"
            for name in ("where", "when", "which_way")
        )
        rho = "one map" if one_map else f"{row['correlation']:+.2f}"
        typer.echo(f"  {row['method']:<42} {spans}   {rho:<8} {row['cost']:.1f}")
    typer.echo(
        f"  by chance: where {chance['where']:.1%}, when {chance['when']:.1%}; which way 50 % for a"
        " map that depends on the class"
    )


def _span(row: dict, name: str) -> str:
    if row[name] is None:
        return "no positive value"
    return f"{row[name]:.0%} ({row[f'{name}_low']:.0%} to {row[f'{name}_high']:.0%})"
