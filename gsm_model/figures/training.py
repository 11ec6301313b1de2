"""The curves of training runs: loss and accuracy over the steps."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from gsm_model.errors import DataError
from gsm_model.figures.style import series_style

WINDOW = 25


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


def running_mean(values: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """The mean of up to ``window`` values that end at each place; the same length as ``values``."""
    sums = np.cumsum(np.insert(values, 0, 0.0))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def training_curves(logs: Sequence[dict[str, np.ndarray]], names: Sequence[str]) -> Figure:
    """Loss and training accuracy of each run, running means over 25 steps, side by side."""
    figure = Figure(figsize=(6.875, 2.4), layout="constrained")
    for axes, (column, title) in zip(
        figure.subplots(1, 2),
        (("loss", "training loss"), ("accuracy", "training accuracy")),
        strict=True,
    ):
        for number, (log, name) in enumerate(zip(logs, names, strict=True)):
            look = series_style(number)
            axes.plot(
                log["step"],
                running_mean(log[column]),
                look.dash,
                color=look.color,
                label=name,
                linewidth=1.2,
            )
        axes.set_xlabel("step", fontsize=8)
        axes.set_ylabel(title, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0, top=1.02 if column == "accuracy" else None)
    axes.legend(fontsize=7, frameon=False)
    return figure
