"""The clips of one cell of a confusion matrix: a table, and a film of each whose file is there."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gsm_model.confusion.groups import matching_classes
from gsm_model.confusion.pairs import Pair
from gsm_model.errors import DataError, VideoError
from gsm_model.io.tables import csv_text
from gsm_model.predictions.clip_files import ClipFolder, film
from gsm_model.predictions.table import Predictions

MOST_FILMS = 50


def parse_cell(text: str, labels: tuple[str, ...]) -> Pair:
    """Two class names with a comma between them, true class and predicted class; a name with a
    comma in it is in quotes.

    Raises:
        DataError: if these are not two of the ``labels``.
    """
    fields = [field.strip() for field in next(csv.reader([text]), [])]
    if len(fields) != 2:
        raise DataError(
            f"--cell: has {len(fields)} names, not 2: the true class, a comma, the predicted class"
        )
    found = [matching_classes(name, labels, "--cell", 1) for name in fields]
    if any(len(classes) > 1 for classes in found):
        raise DataError("--cell: names several classes; give one true and one predicted class")
    return found[0][0], found[1][0]


def cell_clips(models: Sequence[Predictions], cell: Pair) -> np.ndarray:
    """The places (m,) int64 of the clips of the true class that any of one or two joined
    ``models`` takes for the other class of ``cell``.
    """
    taken = np.any([model.predicted == cell[1] for model in models], axis=0)
    return np.flatnonzero((models[0].truth == cell[0]) & taken)


def cell_files(
    models: Sequence[Predictions], cell: Pair, videos: Path | None = None
) -> dict[str, bytes]:
    """``cell.csv``, the `cell_clips` with what each model predicts, and, with the folder ``videos``
    that their files lie in (`ClipFolder`), a film of each of the first fifty that is there:
    ``cell-001.mp4``, …. What is wrong with a clip stands in its row.
    """
    labels, folder = models[0].labels, None if videos is None else ClipFolder(videos)
    rows: list[dict[str, object]] = []
    films: dict[str, bytes] = {}
    for number, row in enumerate(cell_clips(models, cell).tolist(), start=1):
        line: dict[str, object] = {"clip": models[0].ids[row], "true": labels[cell[0]]}
        for letter, model in zip("ab", models, strict=False):
            line[letter] = labels[model.predicted[row]]
        if folder is not None:
            line |= {"film": "", "error": ""}
            try:
                found = folder.find(models, row)
                if number <= MOST_FILMS:
                    line["film"] = f"cell-{number:03d}.mp4"
                    films[f"cell-{number:03d}.mp4"] = film(found).content
            except VideoError as error:
                line |= {"film": "", "error": str(error)}
        rows.append(line)
    columns = ["clip", "true", *"ab"[: len(models)]]
    return {"cell.csv": csv_text(rows, columns).encode(), **films}
