"""All that can be taken away of what the frames of one clip are worth, as files."""

from __future__ import annotations

import json

from gsm_model.explain.shapley.frames import FrameShapley
from gsm_model.explain.shapley.tables import frame_rows, pair_rows, shapley_object
from gsm_model.exports.provenance import Recipe
from gsm_model.figures.shapley import shapley_figure
from gsm_model.figures.style import figure_files
from gsm_model.io.tables import csv_text


def shapley_files(clip: str, found: FrameShapley, recipe: Recipe) -> dict[str, bytes]:
    """File name → content: tables of frames and of pairs of frames, all numbers, the figure, and
    the ``recipe`` that makes them.
    """
    about = {
        "target": found.target_name,
        "filling": found.filling,
        "frames.csv": "a row a frame; values add up to full - empty, in logits",
        "pairs.csv": "a row for every two frames, in logits",
    }
    about |= {} if found.caution is None else {"caution": found.caution.text}
    numbers = {"clip": clip} | shapley_object(found)
    return {
        "frames.csv": csv_text(frame_rows(clip, found)).encode(),
        "pairs.csv": csv_text(pair_rows(clip, found)).encode(),
        "shapley.json": (json.dumps(numbers, ensure_ascii=False) + "\n").encode(),
        **figure_files("shapley", shapley_figure(found)),
        "recipe.json": recipe.json(about),
    }
