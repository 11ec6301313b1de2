"""What an author takes away of a comparison: the figure in all formats, the tables, the caption."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from gsm_model.confusion.calibration import reliability
from gsm_model.confusion.embedding import (
    Embedding,
    Method,
    Of,
    embed,
    mark_pairs,
    mark_right,
    mark_wrong,
)
from gsm_model.confusion.label_errors import find_label_errors, label_error_rows
from gsm_model.confusion.pairs import Pair
from gsm_model.confusion.significance import Comparison, class_groups, compare
from gsm_model.confusion.slices import measure_slices, slice_rows
from gsm_model.confusion.tables import caption, comparison_rows, latex_table, markdown_table
from gsm_model.errors import DataError
from gsm_model.figures.comparison import (
    calibration_figure,
    embedding_figure,
    gains_figure,
    matrix_figure,
)
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.model_colors import bundled_models, color_beside, table_colors
from gsm_model.figures.presets import Preset
from gsm_model.figures.slices import slices_figure
from gsm_model.figures.style import figure_files
from gsm_model.io.latex import latex_escape
from gsm_model.io.tables import csv_text
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

EMBEDDINGS: dict[Of, str] = {"scores": "embedding", "features": "features"}  # what of → figure


def confusion_files(
    models: Sequence[Predictions], pairs: Sequence[Pair], preset: Preset
) -> dict[str, bytes]:
    """``confusion.pdf``, ``.svg``, ``.png`` and ``.pgf``: what each of ``models`` makes of the
    clips of ``pairs``, as ``preset`` prints.
    """
    return figure_files("confusion", pairs_figure(models, pairs, preset))


def more_figures(
    names: Sequence[str],
    models: Sequence[Predictions],
    paired: PairedPredictions | None,
    pairs: Sequence[Pair],
    preset: Preset,
    method: Method = "tsne",
    colors: Sequence[str] | None = None,
) -> dict[str, bytes]:
    """Of the figures that ``names`` asks for, *gains* (of two models), *slices*, *matrix*,
    *calibration*, and the scores as points, marked by who is right (*embedding*) or by the classes
    of the first ``pairs`` (*embedding-pairs*), the same of the features (*features*,
    *features-pairs*); each in all its formats. ``colors`` are those of ``models``, by default as
    `table_colors` has them beside the bundled models.

    Raises:
        DataError: if there is one model only, or a table has no scores or features, where a figure
            needs more.
    """
    colors = colors or table_colors(models, bundled_models())
    figures = {}
    if "gains" in names:
        if paired is None:
            raise DataError(
                "the figure of gains is of two models; name the second one's answers too"
            )
        figures["gains"] = gains_figure(compare(paired, class_groups(paired)), preset, colors)
    if "slices" in names:
        titles = [model.model for model in models]
        figures["slices"] = slices_figure(measure_slices(models, paired), titles, preset, colors)
    if "matrix" in names:
        figures["matrix"] = matrix_figure(models, preset)
    if "calibration" in names:
        figures["calibration"] = calibration_figure(
            [reliability(model) for model in models], preset, colors
        )
    for of, name in EMBEDDINGS.items():
        if wanted := [one for one in (name, f"{name}-pairs") if one in names]:
            found = [embed(model, method, of=of) for model in models]
            for one in wanted:
                figures[one] = _embedding(found, models, paired, pairs, preset, colors, one != name)
    return {
        file: content
        for name, figure in figures.items()
        for file, content in figure_files(name, figure).items()
    }


def _embedding(
    found: Sequence[Embedding],
    models: Sequence[Predictions],
    paired: PairedPredictions | None,
    pairs: Sequence[Pair],
    preset: Preset,
    colors: Sequence[str],
    by_pairs: bool,
) -> Figure:
    if by_pairs:
        marks = [
            mark_pairs(model, pairs, one.rows) for model, one in zip(models, found, strict=True)
        ]
        return embedding_figure(found, marks, preset)
    marks = [
        mark_right(paired, one.rows) if paired else mark_wrong(models[0], one.rows) for one in found
    ]
    return embedding_figure(found, marks, preset, (*colors, color_beside(colors)))


def significance_files(
    paired: PairedPredictions, rows: Sequence[Comparison], blocks: str = ""
) -> dict[str, bytes]:
    """``significance.csv``, ``.tex`` and ``.md``, ``caption.txt`` and, for LaTeX, ``caption.tex``;
    ``blocks`` says what was drawn together, if anything was.
    """
    text = caption(paired, rows, blocks)
    return {
        "significance.csv": csv_text(comparison_rows(rows)).encode(),
        "significance.tex": latex_table(rows).encode(),
        "significance.md": markdown_table(rows).encode(),
        "caption.txt": text.encode(),
        "caption.tex": latex_escape(text).replace("−", "$-$").encode(),
    }


def slice_files(
    models: Sequence[Predictions],
    paired: PairedPredictions | None,
    blocks: Sequence[str] | None = None,
    seed: int = 0,
) -> dict[str, bytes]:
    """``slices.csv``, and with two models the tests as ``slices.tex`` and ``slices.md``; the
    arguments are those of `measure_slices`.

    Raises:
        DataError: as `measure_slices`.
    """
    results = measure_slices(models, paired, blocks, seed)
    files = {"slices.csv": csv_text(slice_rows(results)).encode()}
    if paired is not None:
        tests = [one.comparison for one in results if one.comparison is not None]
        rows = [*compare(paired, {}, blocks, seed), *tests]
        files["slices.tex"] = latex_table(rows).encode()
        files["slices.md"] = markdown_table(rows).encode()
    return files


def label_error_files(models: Sequence[Predictions]) -> dict[str, bytes]:
    """``label-errors.csv``, the clips of ``models`` whose labels are likely wrong.

    Raises:
        DataError: if there are no scores.
    """
    rows = label_error_rows(models, [find_label_errors(model) for model in models])
    columns = ["clip", "label", *(f"suggested_{letter}" for letter in "ab"[: len(models)])]
    return {"label-errors.csv": csv_text(rows, columns).encode()}
