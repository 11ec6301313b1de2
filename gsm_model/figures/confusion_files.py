"""What an author takes away of a comparison: the figure in all formats, the tables, the caption."""

from __future__ import annotations

from collections.abc import Sequence

from gsm_model.confusion.answers import Answers, Joined
from gsm_model.confusion.calibration import reliability
from gsm_model.confusion.pairs import Pair
from gsm_model.confusion.significance import Comparison, class_groups, compare
from gsm_model.confusion.tables import caption, comparison_rows, latex_table, markdown_table
from gsm_model.errors import DataError
from gsm_model.figures.comparison import calibration_figure, gains_figure, matrix_figure
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.presets import PRESETS
from gsm_model.figures.style import FORMATS, figure_bytes
from gsm_model.tables import csv_text


def confusion_files(models: Sequence[Answers], pairs: Sequence[Pair], preset: str) -> dict[str, bytes]:
    """``confusion.pdf``, ``.svg`` and ``.png``: what each of ``models`` makes of the clips of ``pairs``, at the width of a preset."""
    figure = pairs_figure(models, pairs, PRESETS[preset])
    return {f"confusion.{kind}": figure_bytes(figure, kind) for kind in FORMATS}


def more_figures(names: Sequence[str], models: Sequence[Answers], joined: Joined | None, preset: str) -> dict[str, bytes]:
    """Of the figures that ``names`` asks for, *gains* (of two models), *matrix* and *calibration*, each in all formats.

    Raises:
        DataError: if there is one model only, or answers have no scores, where a figure needs more.
    """
    style, figures = PRESETS[preset], {}
    if "gains" in names:
        if joined is None:
            raise DataError("the figure of gains is of two models; name the second one's answers too")
        figures["gains"] = gains_figure(compare(joined, class_groups(joined)), style)
    if "matrix" in names:
        figures["matrix"] = matrix_figure(models, style)
    if "calibration" in names:
        figures["calibration"] = calibration_figure([reliability(model) for model in models], style)
    return {f"{name}.{kind}": figure_bytes(figure, kind) for name, figure in figures.items() for kind in FORMATS}


def significance_files(joined: Joined, rows: Sequence[Comparison], blocks: str = "") -> dict[str, bytes]:
    """``significance.csv``, ``.tex`` and ``.md``, and ``caption.txt``; ``blocks`` says what was drawn together, if anything was."""
    return {
        "significance.csv": csv_text(comparison_rows(rows)).encode(),
        "significance.tex": latex_table(rows).encode(),
        "significance.md": markdown_table(rows).encode(),
        "caption.txt": caption(joined, rows, blocks).encode(),
    }
