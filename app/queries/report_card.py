"""Temporal report cards of the chosen models on drawn clips, each computed once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.cache.store import caches, keep
from app.queries.precomputed import Printed
from app.shell.session import ModelRef, fast_model, owner
from gsm_model.data.synthetic.dataset import Split
from gsm_model.evaluation.dataset import drawn_clips
from gsm_model.explain.report_card.card import TemporalCard, card_plan, run_card
from gsm_model.exports.provenance import Input, Recipe
from gsm_model.exports.report_card import card_files, card_footer
from gsm_model.figures.report_card import card_figure
from gsm_model.figures.style import figure_bytes

SPLIT: Split = "test"


@dataclass(frozen=True)
class CardPage:
    """Models' cards as the page ``printed``, and all ``files``, name → content."""

    cards: tuple[TemporalCard, ...]
    printed: Printed
    files: dict[str, bytes]


def passes_of_card(ref: ModelRef) -> int:
    """How many forward passes each clip takes."""
    return len(card_plan(fast_model(ref))) + 1


def has_card(ref: ModelRef, clips: int) -> bool:
    """Whether `temporal_card` is known already."""
    return caches()["tables"].has(("report card", *ref.content, clips), owner(ref))


def temporal_card(
    ref: ModelRef, name: str, clips: int, progress: Callable[[int, int], None] | None = None
) -> TemporalCard:
    """The card of ``ref``'s model, shown as ``name``, on drawn test clips; computed once.

    Raises:
        LensError: if the model's classes are not those of the drawn set.
    """
    model = fast_model(ref)

    def compute() -> TemporalCard:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "card.parquet"
            return run_card(model, drawn_clips(model, SPLIT, clips), out, progress=progress)

    found = keep("tables", ("report card", *ref.content, clips), compute, owner(ref))
    return replace(found, origin=replace(found.origin, model=name))


def card_page(refs: Sequence[ModelRef], cards: Sequence[TemporalCard], clips: int) -> CardPage:
    """The cards as one page and as files; drawn once."""
    files = [Input.of(ref.path, ref.sha256, ref.name) for ref in refs]
    parts = [part for file in files for part in ("--checkpoint", file.name)]
    origin = cards[0].origin
    recipe = Recipe(
        ("report-card", *parts, "--clips", str(clips), "--out", "card.pdf"),
        (Input(origin.data, origin.data_sha256), *files),
    )

    def draw() -> CardPage:
        made = card_files("card", cards, recipe)
        picture = figure_bytes(card_figure(cards, card_footer(cards, recipe)), "png", 110)
        return CardPage(tuple(cards), Printed(picture, made["card.pdf"]), made)

    names = tuple(card.origin.model for card in cards)
    key = ("report card", tuple(ref.content for ref in refs), names, clips)
    return keep("figures", key, draw, owner(*refs), doing="Drawing the page …")
