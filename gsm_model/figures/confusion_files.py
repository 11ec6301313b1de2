"""What an author takes away of a comparison: the figure in all formats, the tables, the caption."""

from __future__ import annotations

from collections.abc import Sequence

from gsm_model.confusion.answers import Answers, Joined
from gsm_model.confusion.pairs import Pair
from gsm_model.confusion.significance import Comparison
from gsm_model.confusion.tables import caption, comparison_rows, latex_table, markdown_table
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.style import FORMATS, PRESETS, figure_bytes
from gsm_model.tables import csv_text


def confusion_files(models: Sequence[Answers], pairs: Sequence[Pair], preset: str) -> dict[str, bytes]:
    """``confusion.pdf``, ``.svg`` and ``.png``: what each of ``models`` makes of the clips of ``pairs``, at the width of a preset."""
    figure = pairs_figure(models, pairs, PRESETS[preset])
    return {f"confusion.{kind}": figure_bytes(figure, kind) for kind in FORMATS}


def significance_files(joined: Joined, rows: Sequence[Comparison], blocks: str = "") -> dict[str, bytes]:
    """``significance.csv``, ``.tex`` and ``.md``, and ``caption.txt``; ``blocks`` says what was drawn together, if anything was."""
    return {
        "significance.csv": csv_text(comparison_rows(rows)).encode(),
        "significance.tex": latex_table(rows).encode(),
        "significance.md": markdown_table(rows).encode(),
        "caption.txt": caption(joined, rows, blocks).encode(),
    }
