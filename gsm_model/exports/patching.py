"""All that can be taken away of one clip's patching, as files."""

from __future__ import annotations

import json

from gsm_model.explain.patching.clips import Patching
from gsm_model.explain.patching.features import Side
from gsm_model.explain.patching.tables import patching_object, patching_rows
from gsm_model.exports.provenance import Recipe
from gsm_model.figures.patching import patching_figure
from gsm_model.figures.style import figure_files
from gsm_model.io.tables import csv_text


def patching_files(clip: str, found: Patching, side: Side, recipe: Recipe) -> dict[str, bytes]:
    """File name → content: the table, all numbers, the figure of ``side``, and the ``recipe`` that
    makes them.
    """
    about = {
        "target": found.target.name(found.card),
        "donor": found.donor_name,
        "patching.csv": "a row a side, layer and frame; effects are 0 to 1 of the whole difference",
    }
    about |= {} if found.caution is None else {"caution": found.caution.text}
    numbers = {"clip": clip} | patching_object(found, side)
    return {
        "patching.csv": csv_text(patching_rows(clip, found)).encode(),
        "patching.json": (json.dumps(numbers, ensure_ascii=False) + "\n").encode(),
        **figure_files("patching", patching_figure(found, side)),
        "recipe.json": recipe.json(about),
    }
