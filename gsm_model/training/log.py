"""The log of a training run: a row a step."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from gsm_model.errors import DataError

LOG_FILE = "log.csv"


def read_log(path: Path) -> dict[str, np.ndarray]:
    """A run's ``log.csv``: column name → values, float64, one a step.

    Raises:
        DataError: if the file is missing or no log of a run.
    """
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return {
            name: np.array([float(row[name]) for row in rows])
            for name in ("step", "loss", "accuracy", "learning_rate")
        }
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not the log of a training run ({type(error).__name__})") from None
