"""``systems``, ``train-alike`` and ``measure-systems``: the ways to put time into a 2D network that
this package has, trained by one recipe and measured beside each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gsm_model.cli.common import (
    Device,
    arguments_of,
    check_place,
    fail,
    or_fail,
    progress,
    say,
    write_all,
)

if TYPE_CHECKING:
    from gsm_model.models.recognizer import Architecture, Recognizer
    from gsm_model.training.alike import AlikeRun, Ended
    from gsm_model.training.config import TrainConfig

SystemSplit = Literal["test", "shifted", "probes"]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--system",
        help=(
            "One of them, or a TSN that is given motion (rgb_difference, flow, tvnet, dmcnet);"
            " repeat for several. Without it: all."
        ),
    ),
]


def systems(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
    figure: Annotated[
        Path | None,
        typer.Option(
            help=(
                "Write a figure (.pdf, .svg or .png) of what each can tell against what it costs,"
                " and pair by pair, with its caption and recipe beside it."
            )
        ),
    ] = None,
    latex: Annotated[
        Path | None,
        typer.Option(help="Write the table for LaTeX (.tex), caption and recipe beside it."),
    ] = None,
    split: Annotated[
        SystemSplit,
        typer.Option(
            help=(
                "The clips of what is shown of trained systems: drawn actions (test, shifted), or"
                " the temporal probes, where figure and table have what is given motion too."
            )
        ),
    ] = "test",
    inputs: Annotated[
        bool,
        typer.Option("--inputs", help="Also what a TSN can be given in place of pictures."),
    ] = False,
) -> None:
    """Every registered system: its name for configurations, its paper, what it costs, how far it
    sees and, where it was trained, what it can tell.
    """
    from gsm_model.evaluation.systems import inputs_table, systems_table

    rows = or_fail(systems_table)
    of_time = split == "probes" and (figure or latex)
    more = or_fail(inputs_table) if inputs or of_time else []
    if figure or latex:
        _write(context, [*rows, *more] if of_time else rows, split, figure, latex)
    if as_json:
        typer.echo(json.dumps([*rows, *more], ensure_ascii=False, indent=1))
    if as_json or figure or latex:
        return
    told = "which first" if split == "probes" else "within pair"
    typer.echo(f"{'':<15} {'':<20} {'parameters':>10} {'GMAC':>6}  {'reach':<7} {told:<22}")
    for row in (*rows, *more):
        typer.echo(
            f"{row['name']:<15} {row['title']:<20} {_cost(row)}  {_told(row, split):<22}"
            f" {row['paper']}"
        )


def _write(
    context: typer.Context,
    rows: list[dict[str, Any]],
    split: SystemSplit,
    figure: Path | None,
    latex: Path | None,
) -> None:
    """The figure and the table, with what says how they were made."""
    from gsm_model.evaluation.systems import systems_file
    from gsm_model.exports.provenance import Input, Recipe
    from gsm_model.exports.system_probes import figure_of_probes, latex_of_probes
    from gsm_model.exports.systems import figure_of_systems, latex_of_systems

    if figure is not None and figure.suffix not in (".pdf", ".svg", ".png"):
        fail("--figure: name a .pdf, .svg or .png file to write")
    if latex is not None and latex.suffix != ".tex":
        fail("--latex: name a .tex file to write")
    named = {str(path): path.name for path in (figure, latex) if path}
    typed = tuple(named.get(part, part) for part in arguments_of(context))
    table = systems_file()
    recipe = Recipe(typed, (Input.of(table),) if table.is_file() else ())
    if figure is not None:
        kind = figure.suffix.removeprefix(".")
        if split == "probes":
            drawn = or_fail(lambda: figure_of_probes(figure.stem, kind, rows, recipe))
        else:
            drawn = or_fail(lambda: figure_of_systems(figure.stem, kind, rows, split, recipe))
        write_all(figure.parent, drawn)
        typer.echo(figure)
    if latex is not None:
        if split == "probes":
            table_files = or_fail(lambda: latex_of_probes(latex.stem, rows, recipe))
        else:
            table_files = latex_of_systems(latex.stem, rows, split, recipe)
        write_all(latex.parent, table_files)
        typer.echo(latex)


def _cost(row: dict[str, Any]) -> str:
    if row["parameters"] is None:
        return f"{'–':>10} {'–':>6}  {'–':<7}"
    if row["reach"] is None:
        return f"{row['parameters'] / 1e6:>8.2f} M {row['gmacs']:>6.2f}  {'–':<7}"
    back, ahead = row["reach"]
    return f"{row['parameters'] / 1e6:>8.2f} M {row['gmacs']:>6.2f}  −{back} … +{ahead}"


def _told(row: dict[str, Any], split: str) -> str:
    """*Within pair* of the actions, or *which first* of the probes."""
    from gsm_model.evaluation.system_probes import ORDERED_BY, probed, share_of
    from gsm_model.evaluation.systems import fate

    if split == "probes":
        if not probed([row]):
            return "not trained"
        measure = share_of(row, ORDERED_BY)
    elif not row[split]:
        return fate(row)
    else:
        measure = row[split]["within_pair"]
    return f"{measure['value']:.1%} ({measure['low']:.1%} to {measure['high']:.1%})"


def train_alike(
    recipe: Annotated[
        Path, typer.Argument(help="A configuration of train, such as assets/training/alike.json.")
    ],
    out: Annotated[Path, typer.Option(help="A folder for the clips and a folder a run.")],
    system: Names = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each system.")] = 1,
    stored_clips: Annotated[
        int | None,
        typer.Option(min=1, help="Clips to paint, shown again and again; without it all."),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that paint clips.")] = 1,
) -> None:
    """Train systems alike: one recipe, the same clips in the same order. What was stopped goes on,
    what has ended is left as it is.
    """
    from gsm_model.models.registry import systems as registered
    from gsm_model.training.alike import alike_runs, start_of
    from gsm_model.training.alike import train_alike as run
    from gsm_model.training.config import TrainConfig
    from gsm_model.training.start import initial_model

    config = or_fail(lambda: TrainConfig.read(recipe))

    def initial(one: AlikeRun) -> Recognizer:
        return initial_model(start_of(config, one), recipe.parent)

    runs = or_fail(lambda: alike_runs(system or registered(), seeds))
    tell = progress("step")

    def told(one: AlikeRun, step: int, steps: int, loss: float) -> None:
        tell(step, steps, f"{one.name}, loss {loss:.3f}, ")

    ended = or_fail(
        lambda: run(
            config,
            runs,
            out,
            stored_clips,
            workers,
            None,
            told,
            progress("clip"),
            initial if config.initial else None,
        )
    )
    for one, how in ended.items():
        fate = "diverged" if how.diverged else f"loss {how.loss:.3f}, {how.accuracy:.1%} right"
        typer.echo(f"{one.name:<24} {how.steps:,} steps, {fate} at the end")


def measure_systems(
    table: Annotated[Path, typer.Argument(help="The .json to write; what it has already is kept.")],
    runs: Annotated[
        Path | None, typer.Option(help="The folder of train-alike, to measure what it trained.")
    ] = None,
    system: Names = None,
    clips: Annotated[int, typer.Option(min=20, help="Clips of each split.")] = 1000,
    latency: Annotated[
        bool,
        typer.Option(
            "--latency", help="Also time a forward pass and a training step of each against TSN's."
        ),
    ] = False,
    device: Device = None,
) -> None:
    """Measure systems for the table: cost and reach, time against TSN, and with --runs what each
    run can tell, on the test and the shifted split, or if it was trained on the temporal probes on
    those.
    """
    import torch

    from gsm_model.benchmark.systems import input_ratios, latency_ratios, training_ratios
    from gsm_model.benchmark.timing import machine
    from gsm_model.evaluation.systems import cost_of_input, cost_of_system, costs_row
    from gsm_model.evaluation.table_check import read_table
    from gsm_model.models.inputs import motion_inputs
    from gsm_model.models.recognizer import best_device
    from gsm_model.models.registry import systems as registered

    given, known = motion_inputs(), (*registered(), *motion_inputs())
    names = list(system or known)
    if unknown := [name for name in names if name not in known]:
        fail(f"--system: unknown system {unknown[0]!r}; there are {', '.join(known)}")
    check_place("TABLE", table)
    found: dict[str, Any] = or_fail(lambda: read_table(table))
    rows = {**found.get("systems", {}), **found.get("inputs", {})}
    for number, name in enumerate(names, 1):
        cost = cost_of_input(name) if name in given else costs_row(cost_of_system(name))
        rows.setdefault(name, {}).update(cost)
        progress("system")(number, len(names))
    if latency:
        where, tell = torch.device(device) if device else best_device(), progress("round")
        inside = [name for name in names if name not in given]
        before = [name for name in names if name in given]
        ratios = latency_ratios(inside, where, progress=tell) if inside else {}
        ratios |= input_ratios(before, where, progress=tell) if before else {}
        trained = training_ratios(inside, where, progress=tell) if inside else {}
        for name in names:
            rows[name]["latency_ratio"] = {**ratios[name], **machine(where)}
            if name in trained:
                rows[name]["training_ratio"] = {**trained[name], **machine(where)}
    if runs is not None:
        _measure_runs(rows, runs, names, clips)
    found["systems"] = {name: row for name, row in rows.items() if name not in given}
    found["inputs"] = {name: row for name, row in rows.items() if name in given}
    write_all(table.parent, {table.name: _a_line_a_system(found).encode()})
    typer.echo(table)


def _a_line_a_system(found: dict[str, Any]) -> str:
    """The table as JSON, each system and input in a line of its own."""
    parts = []
    for key, value in found.items():
        if key in ("systems", "inputs"):
            rows = [
                f"  {json.dumps(name)}: {json.dumps(row, ensure_ascii=False)}"
                for name, row in value.items()
            ]
            parts.append(f" {json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n }")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _config(folder: Path) -> TrainConfig:
    """What the run in ``folder`` was trained with."""
    from gsm_model.training.config import TrainConfig
    from gsm_model.training.train import CONFIG_FILE

    return or_fail(lambda: TrainConfig.read(folder / CONFIG_FILE))


def _trained(ended: Mapping[Path, Ended]) -> dict[str, Recognizer]:
    """The models of those runs that did not diverge, by their folders' names."""
    return {folder.name: _model_of(folder) for folder, how in ended.items() if not how.diverged}


def _model_of(folder: Path) -> Recognizer:
    """The model of the run in ``folder``; the command ends if what lies there is another's."""
    from gsm_model.models.checkpoints.files import load_checkpoint
    from gsm_model.models.inputs import motion_inputs
    from gsm_model.training.alike import CHECKPOINT_FILE
    from gsm_model.training.train import CONFIG_FILE

    config = _config(folder)
    name = folder.name.rpartition("-seed")[0]
    given = motion_inputs().get(name)
    if (config.temporal, config.modality) != (
        (name, config.modality) if given is None else ("none", given.kind)
    ):
        fail(
            f"{folder.name}: its {CONFIG_FILE} is of a run of {config.temporal} that is given"
            f" {config.modality}, not of {name}; put the run's own folder there"
        )
    model = or_fail(partial(load_checkpoint, folder / CHECKPOINT_FILE))
    of = model.architecture
    holds = _network(of, model.input.size, of.modality.kind)
    trained = _network(config, config.input_size, config.modality)
    if holds != trained:
        fail(
            f"{folder.name}: its {CHECKPOINT_FILE} holds {holds}, but its {CONFIG_FILE} says"
            f" {trained}; put the run's own checkpoint there"
        )
    return model


def _network(of: Architecture | TrainConfig, size: int, kind: str) -> str:
    """The network ``of`` describes, in words, which sees pictures of ``size`` pixels, or their
    motion.
    """
    return (
        f"{of.temporal} in a {of.backbone} of width {of.width:g} with {of.num_segments} frames of"
        f" {size} pixels, {kind}"
    )


def _lost_its_checkpoint(folder: Path, how: Ended) -> bool:
    """Whether the run in ``folder``, which ended without a checkpoint, did not diverge: neither its
    loss nor, as far as they are still there, the weights that a checkpoint would hold.
    """
    from gsm_model.models.checkpoints.fit import not_finite
    from gsm_model.training.train import STATE_FILE, read_state

    if not math.isfinite(how.loss) or not (folder / STATE_FILE).is_file():
        return math.isfinite(how.loss)
    weights = or_fail(lambda: read_state(folder / STATE_FILE))["model"].items()
    # A checkpoint has matrices in float16, in which large numbers are infinite.
    return not not_finite({key: one.half() if one.ndim > 1 else one for key, one in weights})


def _check_alike(folders: Sequence[Path]) -> None:
    """End the command where not all ``folders`` hold runs of one recipe, which alone can stand
    beside each other.
    """
    first, *others = folders
    for other in others:
        if _recipe_of(other) != _recipe_of(first):
            fail(
                f"{other.name}: was trained by another recipe than {first.name}; measure the two"
                " into tables of their own"
            )


def _recipe_of(folder: Path) -> TrainConfig:
    """What the run in ``folder`` has of its recipe and not of its own."""
    return replace(_config(folder), temporal="", modality="RGB", fields=1, seed=0, initial="")


def _network_of_both(models: Sequence[Recognizer]) -> dict[str, Any]:
    """What two streams were trained as: the first one, with the parameters of both."""
    from gsm_model.evaluation.systems import network_of

    both = [network_of(model) for model in models]
    return {**both[0], "parameters": sum(of["parameters"] for of in both)}


def _measure_probes(rows: dict[str, Any], ended: Mapping[Path, Ended], clips: int) -> None:
    """What the first run of each system that was trained on the temporal probes tells of time."""
    from gsm_model.evaluation.system_probes import measure_on_probes
    from gsm_model.evaluation.systems import network_of
    from gsm_model.models.inputs import FUSED, TWO_STREAM
    from gsm_model.training.alike import curve_of
    from gsm_model.training.dataset import looks_of

    first = {folder: how for folder, how in ended.items() if folder.name.endswith("-seed0")}
    if not first:
        return
    runs = next(iter(first)).parent
    _check_alike(list(first))
    config = _config(next(iter(first)))
    models = _trained(first)
    tell = progress("clip")
    streams = f"{FUSED[0]}-seed0", f"{FUSED[1]}-seed0"
    fused = {TWO_STREAM: streams} if set(streams) <= set(models) else {}
    found = (
        or_fail(lambda: measure_on_probes(models, clips // 2 * 2, looks_of(config), tell, fused))
        if models
        else {}
    )
    if fused:
        rows.setdefault(TWO_STREAM, {})["probes"] = {
            **found[TWO_STREAM],
            "network": _network_of_both([models[stream] for stream in streams]),
            "steps": first[runs / streams[1]].steps,
            "batch": config.batch_size,
        }
    for folder, how in first.items():
        row = rows.setdefault(folder.name.removesuffix("-seed0"), {})
        row["probes"] = {
            **found.get(folder.name, {"results": []}),
            "network": network_of(models[folder.name]) if folder.name in models else None,
            "steps": how.steps,
            "batch": config.batch_size,
            "ended": {"diverged": how.diverged, "loss": round(how.loss, 4)},
            "curve": curve_of(folder),
        }


def _measure_runs(rows: dict[str, Any], runs: Path, names: list[str], clips: int) -> None:
    """What each system's first run can tell, and the figures of all its seeds beside it."""
    from gsm_model.evaluation.systems import SPLITS
    from gsm_model.models.inputs import FUSED, TWO_STREAM
    from gsm_model.training.alike import CHECKPOINT_FILE, curve_of, ended_as
    from gsm_model.training.log import LOG_FILE

    if TWO_STREAM in names:  # which is measured of the two that it is made of
        names = [*names, *(name for name in FUSED if name not in names)]
    folders = [
        path.parent for name in names for path in sorted(runs.glob(f"{name}-seed*/{LOG_FILE}"))
    ]
    if not folders:
        fail(f"{runs}: holds no run of {', '.join(names)} that has ended; train-alike makes them")
    ended = or_fail(lambda: {folder: ended_as(folder) for folder in folders})
    for folder in [one for one, how in ended.items() if how.diverged]:
        if ended[folder].steps < _config(folder).steps:
            say(f"{folder.name}: has not ended and is not measured")
            folders.remove(folder)
        elif _lost_its_checkpoint(folder, ended[folder]):
            say(
                f"{folder.name}: its {CHECKPOINT_FILE} is missing, so that it is not measured;"
                " put it there, or run train-alike again"
            )
            folders.remove(folder)
        else:
            say(f"{folder.name}: diverged and is not measured")
    of_probes = [folder for folder in folders if _config(folder).style == "probes"]
    _measure_probes(rows, {folder: ended[folder] for folder in of_probes}, clips)
    folders = [folder for folder in folders if folder not in of_probes]
    if not folders:
        return
    models = _trained({folder: ended[folder] for folder in folders})
    found = _measured_beside_gsm(models, runs, clips) if models else {}
    for folder in folders:
        name, _, seed = folder.name.rpartition("-seed")
        row = rows.setdefault(name, {})
        of_seed = {
            **{split: of for split, of in found.get(folder.name, {}).items() if split in SPLITS},
            "steps": ended[folder].steps,
            "diverged": ended[folder].diverged,
        }
        row.setdefault("seeds", {})[seed] = of_seed
        if seed == "0":
            row.update(found.get(folder.name, {}))
            row["ended"] = {
                "diverged": ended[folder].diverged,
                "loss": round(ended[folder].loss, 4),
            }
            row["curve"] = curve_of(folder)
            row["checkpoint"] = f"{folder.name}.safetensors"


def _measured_beside_gsm(
    models: dict[str, Recognizer], runs: Path, clips: int
) -> dict[str, dict[str, Any]]:
    """What trained ``models`` can tell, and against the GSM of ``runs`` if it has one."""
    from gsm_model.evaluation.systems import GSM_SYSTEM
    from gsm_model.evaluation.systems import measure_systems as measure
    from gsm_model.training.alike import CHECKPOINT_FILE

    gsm = f"{GSM_SYSTEM}-seed0"
    if gsm not in models and (runs / gsm / CHECKPOINT_FILE).is_file():
        models = {**models, gsm: _model_of(runs / gsm)}
    _check_alike([runs / name for name in models])
    reference = gsm if gsm in models else None
    if reference is None:
        say(f"{runs}: holds no {gsm}, so that nothing is compared with a GSM")
    return or_fail(lambda: measure(models, clips, progress=progress("clip"), reference=reference))
