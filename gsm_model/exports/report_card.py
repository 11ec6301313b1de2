"""A temporal report card as files: the page, the table, the recipe."""

from __future__ import annotations

from collections.abc import Sequence

from gsm_model import __version__
from gsm_model.explain.report_card.card import TemporalCard, card_rows
from gsm_model.exports.provenance import Recipe, caution_of_tables
from gsm_model.figures.report_card import card_figure
from gsm_model.figures.style import figure_bytes
from gsm_model.io.tables import csv_text


def card_footer(cards: Sequence[TemporalCard], recipe: Recipe) -> str:
    """The foot of the page: how it is made again, and of what."""
    first = cards[0].origin
    inputs = "; ".join(f"{one.name} {one.sha256[:16]}" for one in recipe.inputs)
    cautions = caution_of_tables(card.origin for card in cards).values()
    return "".join(f"{text}\n" for text in cautions) + (
        f"{recipe.command}\nGate-Shift Lens {__version__}; views {first.views}, {first.precision};"
        f" {inputs}"
    )


def card_files(name: str, cards: Sequence[TemporalCard], recipe: Recipe) -> dict[str, bytes]:
    """File name → content, all called ``name``: the page, every figure on it as a row, and the
    ``recipe`` that makes them.
    """
    footer = card_footer(cards, recipe)
    about: dict[str, object] = {"clips": cards[0].n, "shuffles": cards[0].shuffles}
    about |= caution_of_tables(card.origin for card in cards)
    return {
        f"{name}.pdf": figure_bytes(card_figure(cards, footer), "pdf"),
        f"{name}.csv": csv_text([row for card in cards for row in card_rows(card)]).encode(),
        f"{name}.recipe.json": recipe.json(about),
    }
