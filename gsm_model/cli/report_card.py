"""``report-card``: what models make of time on a data set, on one printable page."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_model.cli.common import (
    AsJson,
    Checkpoints,
    Device,
    Labels,
    SkipBad,
    Target,
    arguments_of,
    fail,
    load_models,
    model_files,
    or_fail,
    progress,
    say,
    write_all,
)
from gsm_model.cli.explain_common import (
    Data,
    Split,
    Videos,
    Workers,
    clips_for,
)
from gsm_model.io.names import unique_names

if TYPE_CHECKING:
    from gsm_model.explain.report_card.card import TemporalCard


def report_card(
    context: typer.Context,
    out: Annotated[
        Path,
        typer.Option(
            help=(
                "The .pdf file to write; beside it the table (.csv), the recipe, and each model's"
                " answers (.parquet), from which a stopped run goes on."
            )
        ),
    ],
    checkpoint: Checkpoints = None,
    data: Data = None,
    videos: Videos = None,
    labels: Labels = None,
    target: Target = "verb",
    skip_bad: SkipBad = False,
    workers: Workers = 1,
    split: Split = "test",
    count: Annotated[
        int, typer.Option("--clips", min=1, help="Without --data: how many drawn clips.")
    ] = 400,
    shuffles: Annotated[int, typer.Option(min=1, max=200, help="How many shuffles.")] = 20,
    device: Device = None,
    as_json: AsJson = False,
) -> None:
    """Models' temporal report card, side by side: accuracy with the frames in order, reversed,
    shuffled, frozen and one by one, with temporal exchange cut, and which classes need the order.
    """
    from gsm_model.explain.gates.intervention_dataset import read_interventions
    from gsm_model.explain.report_card.card import card_of, card_plan, run_card
    from gsm_model.exports.provenance import Input, Recipe
    from gsm_model.exports.report_card import card_files

    if out.suffix != ".pdf":
        fail("--out: name the .pdf file to write")
    paths = model_files(checkpoint)
    if len(paths) > 4:
        fail("--checkpoint: a card has room for four models")
    or_fail(lambda: out.parent.mkdir(parents=True, exist_ok=True))
    cards: list[TemporalCard] = []
    for path, name in zip(paths, unique_names([path.stem for path in paths]), strict=True):
        [model] = load_models([path], None, device, "float32")
        clips = clips_for(model, data, videos, labels, target, skip_bad, workers, split, count)
        plan = card_plan(model, shuffles)
        passes = f"{len(plan) + 1} forward passes for each of {len(clips.ids):,} clips"
        say(f"{model.card.name}: {passes}")
        table = out.with_name(f"{out.stem}.{name}.parquet")
        known = or_fail(lambda t=table: read_interventions(t)) if table.is_file() else None  # type: ignore[misc]
        wanted = (clips.origin, ("none", *plan), clips.ids)
        if known and (known.origin.data, known.origin.interventions, known.ids) == wanted:
            cards.append(card_of(known))
            continue
        cards.append(
            or_fail(
                lambda m=model, c=clips, t=table: run_card(m, c, t, shuffles, progress("clip"))  # type: ignore[misc]
            )
        )
    origin = cards[0].origin
    read = [Input(origin.data, origin.data_sha256), *(Input.of(path) for path in paths)]
    typed = [part if part != str(out) else out.name for part in arguments_of(context)]
    write_all(out.parent, card_files(out.stem, cards, Recipe(tuple(typed), tuple(read))))
    if as_json:
        typer.echo(json.dumps({"models": [_object(card) for card in cards]}, ensure_ascii=False))
        return
    for card in cards:
        typer.echo(f"{card.origin.model}  {card.n:,} clips of {card.origin.data}")
        for one in card.measures:
            typer.echo(f"  {one.metric:<20} {one.value:6.1%} ({one.low:.1%} to {one.high:.1%})")
        for layer, top1, within in card.cut:
            shown = top1 if within is None else within
            typer.echo(f"  cut from {layer:<14} {shown.value:6.1%} {shown.metric}")
        if card.origin.caution:
            typer.echo(f"    caution: {card.origin.caution}")
        typer.echo(f"  need the order: {', '.join(card.need_time) or 'no class'}")


def _object(card: TemporalCard) -> dict:
    return asdict(card) | {
        "need_time": list(card.need_time),
        "no_need_shown": list(card.no_need_shown),
    }
