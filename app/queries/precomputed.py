"""What is known of models beside a clip: their cost, their tables of predictions, their gates over
a data set, as figures too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from app.cache.store import keep
from app.shell.session import ModelRef, digest, load_model, user_session
from app.shell.uploads import Upload
from gsm_model.bundled import gate_tables, intervention_tables
from gsm_model.evaluation.reversal import Flips, flips_of_models
from gsm_model.explain.gates.dataset import read_data_gates
from gsm_model.explain.gates.intervention_dataset import effects_table, read_interventions
from gsm_model.figures.gate_dataset import data_gates_figure
from gsm_model.figures.interventions import interventions_figure
from gsm_model.figures.reversal import flips_figure
from gsm_model.figures.style import figure_bytes
from gsm_model.models.cost import Cost, cost_of
from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.table import Predictions


def cost(ref: ModelRef) -> Cost:
    """The cost of a clip of as many frames as ``ref``'s model was trained with."""
    model = load_model(ref)
    segments = model.architecture.num_segments
    return keep(
        "tables", ("cost", ref.sha256, ref.labels, segments), lambda: cost_of(model, segments)
    )


def prediction_tables(files: list[Upload], private: bool) -> list[Predictions]:
    """The tables of predictions in ``files``; read once for each content.

    Raises:
        LensError: if one is no such table.
    """
    owner = user_session().name if private else None
    return [
        keep(
            "tables",
            ("table", file.sha256, file.name),
            partial(read_parquet, file.path, file.name),
            owner,
        )
        for file in files
    ]


@dataclass(frozen=True)
class Printed:
    """A figure as it prints: ``picture`` for the page (PNG), ``pdf`` to take away."""

    picture: bytes
    pdf: bytes


@dataclass(frozen=True)
class Reversed:
    """What becomes of models' answers on a data set when the frames are reversed: in numbers, and
    as the figure prints.
    """

    models: list[tuple[str, tuple[Flips, ...]]]
    figure: Printed


def flips(files: list[Upload], private: bool) -> Reversed:
    """What `flips_of_models` makes of the tables in ``files``; computed and drawn once.

    Raises:
        LensError: if one is no such table, or they do not belong together.
    """

    def make() -> Reversed:
        models = flips_of_models(prediction_tables(files, private))
        figure = flips_figure(models)
        return Reversed(
            models, Printed(figure_bytes(figure, "png", 160), figure_bytes(figure, "pdf"))
        )

    return keep(
        "figures",
        ("flips", *((file.sha256, file.name) for file in files)),
        make,
        user_session().name if private else None,
    )


def data_gates(ref: ModelRef) -> list[dict]:
    """What is known of the gates of ``ref``'s model on a data set (`data_gates_table`); empty where
    nothing is.
    """
    return _of_checkpoint(
        ref,
        [
            keep("tables", ("gates", digest(path)), partial(read_data_gates, path))
            for path in gate_tables()
        ],
    )


def data_effects(ref: ModelRef) -> list[dict]:
    """What is known of experiments on the gates of ``ref``'s model on a data set (`effects_table`);
    empty where nothing is.
    """
    return _of_checkpoint(
        ref,
        [
            keep("tables", ("effects", digest(path)), partial(_effects, path))
            for path in intervention_tables()
        ],
    )


def _effects(path: Path) -> list[dict]:
    return effects_table(read_interventions(path))


def _of_checkpoint(ref: ModelRef, tables: list[list[dict]]) -> list[dict]:
    return next((rows for rows in tables if rows[0]["checkpoint"] == ref.sha256), [])


def printed(kind: Literal["gates", "interventions"], rows: list[dict]) -> Printed:
    """The figure of a model's gates, or of experiments on them, over a data set; drawn once."""

    def draw() -> Printed:
        figure = (data_gates_figure if kind == "gates" else interventions_figure)(rows)
        return Printed(figure_bytes(figure, "png", 160), figure_bytes(figure, "pdf"))

    key = (kind, rows[0]["checkpoint"], rows[0]["data"], rows[0]["n"])
    return keep("figures", key, draw, doing="Drawing the figure …")
