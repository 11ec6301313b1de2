"""The log of a training run: a row a step."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gsm_model.errors import DataError
from gsm_model.io.atomic import write_whole

LOG_FILE = "log.csv"
# The step; the loss of its clips; the share of them that is answered right, and of those whose
# class has its time reversal among the classes the share that scores the class higher, empty
# where there are none; the learning rate.
COLUMNS = ("step", "loss", "accuracy", "learning_rate", "within_pair")
_OPTIONAL = ("within_pair",)  # which older logs lack
_FORMS = {"step": "d", "loss": ".5f", "accuracy": ".4f", "learning_rate": ".6g"}


def read_log(path: Path) -> dict[str, np.ndarray]:
    """A run's ``log.csv``: column name → values, float64, one a step, NaN where there is none.

    Raises:
        DataError: if the file is missing or no log of a run.
    """
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return {
            name: np.array([float(row[name] or "nan") for row in rows])
            for name in COLUMNS
            if name not in _OPTIONAL or (rows and name in rows[0])
        }
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not the log of a training run ({type(error).__name__})") from None


def append_to_log(path: Path, row: Mapping[str, float]) -> None:
    """Add a step to the log at ``path``, in the columns that it has."""
    with path.open(newline="") as file:
        columns = next(csv.reader(file))
    with path.open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(
            "" if np.isnan(row[name]) else format(row[name], _FORMS.get(name, ".4f"))
            for name in columns
        )


def begin_log(path: Path, steps: int) -> None:
    """Begin the log, or keep the rows of the first ``steps`` steps: those after the saved state
    will be run again.
    """
    rows = path.read_text().splitlines() if path.exists() else []
    write_whole(path, "\n".join([*(rows or [",".join(COLUMNS)])[: steps + 1], ""]))
