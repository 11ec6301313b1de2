"""``explain interventions``: what experiments on a model's gates change, for clips and for data
sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gsm_model.cli.common import (
    Checkpoints,
    Device,
    Labels,
    OrderName,
    SkipBad,
    Target,
    arguments_of,
    fail,
    load_models,
    model_files,
    or_fail,
    progress,
    write_all,
)
from gsm_model.cli.explain_common import (
    Count,
    Data,
    Segments,
    Split,
    Videos,
    Workers,
    data_set,
    folders_of,
    opened,
    said_beside,
    write_beside,
)
from gsm_model.explain.gates.clamps import CLAMPS

if TYPE_CHECKING:
    import numpy as np

    from gsm_model.evaluation.dataset import ClipSet
    from gsm_model.explain.gates.interventions import Intervention
    from gsm_model.models.recognizer import Recognizer

WayName = Literal["next", "previous"]


def interventions(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option(
            help=(
                "For clips: a folder. For a data set: the .parquet file to write; a stopped run"
                " goes on."
            )
        ),
    ],
    clips: Annotated[
        list[Path] | None,
        typer.Argument(help="Video files, pictures, or folders of numbered frames."),
    ] = None,
    checkpoint: Checkpoints = None,
    clamp: Annotated[
        str | None, typer.Option(help="One experiment in place of all: " + ", ".join(CLAMPS) + ".")
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option(help="With --clamp: a layer to hold; repeat for several. Without it: all."),
    ] = None,
    direction: Annotated[
        WayName | None, typer.Option(help="With --clamp: only the gate of this direction.")
    ] = None,
    gates_table: Annotated[
        Path | None,
        typer.Option("--gates", help="A table of 'explain gates' for a data set, for data mean."),
    ] = None,
    other: Annotated[
        Path | None, typer.Option(help="A clip whose gates are put in place, for other clip.")
    ] = None,
    order: Annotated[
        OrderName, typer.Option(help="The order in which the models see the frames.")
    ] = "forward",
    seed: Annotated[
        int, typer.Option(help="Which shuffle of gates, and of frames for --order shuffled.")
    ] = 0,
    segments: Segments = None,
    data: Data = None,
    videos: Videos = None,
    labels: Labels = None,
    target: Target = "verb",
    skip_bad: SkipBad = False,
    workers: Workers = 1,
    split: Split = "test",
    count: Count = 2000,
    device: Device = None,
) -> None:
    """Hold or shuffle gates and see what the answers do; which layer carries the order.

    For clips: interventions.csv and recipe.json. For a data set: every clip's answers (parquet),
    accuracies with intervals on the same clips (csv), the figure and recipe.
    """
    what = _Experiments(clamp, tuple(layer or ()), direction, gates_table, other, seed)
    if clips:
        _interventions_on_clips(
            clips, model_files(checkpoint), labels, device, out, order, seed, segments, what
        )
        return
    if other is not None:
        fail(
            "--other goes with clips; over a data set every clip is given the gates of the clip"
            " before it"
        )
    model, found = data_set(
        checkpoint,
        device,
        out,
        data,
        videos,
        labels,
        target,
        skip_bad,
        workers,
        split,
        count,
    )
    _interventions_on_data(model, found, out, what, arguments_of(context))


@dataclass(frozen=True)
class _Experiments:
    """Which experiments a person asked for."""

    clamp: str | None
    layers: tuple[str, ...]
    direction: str | None
    gates: Path | None
    other: Path | None
    seed: int

    def plan(
        self,
        model: Recognizer,
        other_gates: Mapping[str, np.ndarray] | None = None,
        over_data: bool = False,
    ) -> dict[str, Intervention]:
        """Name → `Intervention`; all there are, or the one asked for."""
        from gsm_model.explain.gates.dataset import data_means, read_data_gates
        from gsm_model.explain.gates.interventions import (
            Intervention,
            every_clamp,
            every_layer,
            possible_clamps,
        )

        possible = possible_clamps(model)
        if not possible:
            fail(
                f"{model.card.name} has no temporal module, so no experiment can act on it; choose"
                " another model"
            )
        clamp, gates = self.clamp, self.gates
        if clamp is not None and clamp not in CLAMPS:
            fail(f"no clamp {clamp!r}; clamps are {', '.join(CLAMPS)}")
        if clamp is not None and clamp not in possible:
            fail(
                f"{model.card.name} has no gates, so {clamp!r} cannot act on it; only"
                f" {', '.join(possible)} can"
            )

        names = {layer.title: layer.name for layer in model.temporal_layers()}
        means = (
            None if gates is None else or_fail(lambda: data_means(read_data_gates(gates), model))
        )
        if clamp is None:
            plan = every_clamp(means, self.seed, possible)
            if "other clip" in possible and (other_gates is not None or over_data):
                plan["other clip"] = Intervention("other clip", values=other_gates)
            return plan | every_layer(model)
        values = {"data mean": means, "other clip": other_gates}.get(clamp)
        directions = (
            (0, 1) if self.direction is None else (("next", "previous").index(self.direction),)
        )
        layers = tuple(names.get(name, name) for name in self.layers) or None
        one = Intervention(clamp, layers, directions, self.seed, values)
        shown = [clamp, *self.layers, *([f"from {self.direction}"] if self.direction else [])]
        return {", ".join(shown): one}


def _interventions_on_clips(
    clips: list[Path],
    paths: list[Path],
    labels: Path | None,
    device: str | None,
    out: Path,
    order: OrderName,
    seed: int,
    segments: int | None,
    what: _Experiments,
) -> None:
    from gsm_model.explain.gates.intervention_tables import intervention_rows
    from gsm_model.explain.gates.interventions import predict_under
    from gsm_model.explain.gates.report import report_gates
    from gsm_model.exports.provenance import Input, cautions_in, explain_recipe, portable
    from gsm_model.io.tables import csv_text
    from gsm_model.predict import predict

    models = load_models(paths, labels, device, "float32")
    donors: Sequence[Mapping[str, np.ndarray] | None] = [None] * len(models)
    if what.other:
        [(_, counts, video)] = list(opened([what.other], models, segments))
        reports = [
            report_gates(model, video, order, count, seed)
            for model, count in zip(models, counts, strict=True)
        ]
        donors = [
            {layer.name: layer.maps for layer in report.layers if layer.is_gated}
            for report in reports
        ]
    plans = [what.plan(model, donor) for model, donor in zip(models, donors, strict=True)]
    gates, other = (path and portable(path) for path in (what.gates, what.other))
    options = {
        "clamp": what.clamp,
        "direction": what.direction,
        "gates": gates,
        "other": other,
        "layer": what.layers,
    }
    given = [Input.of(path) for path in (what.gates, what.other) if path]
    folders = dict(zip(clips, folders_of(out, clips), strict=True))
    for clip, counts, video in opened(clips, models, segments):
        rows: list[dict] = []
        befores = []
        for model, count, plan in zip(models, counts, plans, strict=True):
            before = predict(model, video, order, count, seed)
            befores.append(before)
            try:
                answers = predict_under(
                    model, video, list(plan.values()), order, count, seed, progress("experiment")
                )
            except ValueError as error:
                fail(str(error))
            rows += intervention_rows(clip.name, before, list(plan), answers)
        made = explain_recipe(
            "interventions",
            Input.of(clip),
            [Input.of(path, model.card.sha256) for path, model in zip(paths, models, strict=True)],
            order,
            seed,
            segments,
            options,
            "out",
            said_beside(labels),
        )
        about = {
            "interventions.csv": (
                "a row an experiment: probabilities of the answer without any and of its time"
                " reversal"
            )
        }
        about |= cautions_in(befores)
        write_all(
            folders[clip],
            {
                "interventions.csv": csv_text(rows).encode(),
                "recipe.json": made.after(given).json(about),
            },
        )
        _print_experiments(clip, rows)


def _interventions_on_data(
    model: Recognizer,
    clip_set: ClipSet,
    out: Path,
    what: _Experiments,
    typed: Sequence[str],
) -> None:
    from gsm_model.explain.gates.intervention_dataset import effects_table, run_interventions
    from gsm_model.figures.interventions import interventions_figure

    plan = what.plan(model, over_data=True)
    try:
        table = or_fail(lambda: run_interventions(model, clip_set, plan, out, progress("clip")))
    except ValueError as error:
        fail(str(error))
    rows = effects_table(table)
    paired = rows[0]["within_pair"] is not None
    figure = interventions_figure(rows)
    write_beside(out, typed, rows, figure, clip_set.origin, len(clip_set.ids), [what.gates])
    for row in rows:
        pair = (
            f"  within pair {row['within_pair']:6.1%} ({row['within_pair_low']:.1%} to"
            f" {row['within_pair_high']:.1%})"
            if paired
            else ""
        )
        typer.echo(
            f"{row['intervention']:<28} top-1 {row['top1']:6.1%} ({row['top1_low']:.1%} to"
            f" {row['top1_high']:.1%}){pair}"
        )


def _print_experiments(clip: Path, rows: list[dict]) -> None:
    model = None
    for row in rows:
        if row["model"] != model:
            model = row["model"]
            typer.echo(f"{clip}  {model}: {row['answer']}, frames {row['order']}")
            if row["caution"]:
                typer.echo(f"    caution: {row['caution']}")
        reversal = (
            ""
            if row["reversal"] is None
            else f"  {row['reversal_probability']:6.1%} {row['reversal']}"
        )
        typer.echo(
            f"  {row['intervention']:<28} {row['probability']:6.1%} {row['answer']}{reversal}"
        )
