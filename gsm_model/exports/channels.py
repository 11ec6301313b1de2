"""All that can be taken away of what a model's channels carry, as files."""

from __future__ import annotations

import json

from gsm_model.explain.channels.contrast import Contrast
from gsm_model.explain.channels.features import Side
from gsm_model.explain.channels.report import ChannelReport
from gsm_model.explain.channels.tables import (
    channel_rows,
    channels_object,
    contrast_rows,
    moved_rows,
)
from gsm_model.exports.provenance import Recipe
from gsm_model.figures.channels import channels_figure
from gsm_model.figures.style import figure_files
from gsm_model.io.tables import csv_text


def channels_files(
    report: ChannelReport | None, found: Contrast, side: Side, recipe: Recipe
) -> dict[str, bytes]:
    """File name → content: tables, all numbers, the figure of ``side``, and the ``recipe`` that
    makes them; without a report those of the contrast alone.
    """
    about: dict[str, str | int] = {
        "clips": found.n,
        "contrast.csv": "a row a layer: the share of channels that change",
    }
    tables = {"contrast.csv": contrast_rows(found)}
    if report is not None:
        about["channels.csv"] = "a row a layer, side, summary and factor; information in bits"
        tables |= {"channels.csv": channel_rows(report), "moved.csv": moved_rows(report)}
    numbers = json.dumps(channels_object(report, found), ensure_ascii=False) + "\n"
    return {
        **{name: csv_text(rows).encode() for name, rows in tables.items() if rows},
        "channels.json": numbers.encode(),
        **figure_files("channels", channels_figure(report, found, side)),
        "recipe.json": recipe.json(about),
    }
