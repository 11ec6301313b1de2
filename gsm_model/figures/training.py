"""The curves of training runs: loss and accuracy over the steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from gsm_model.figures.fonts import has_all
from gsm_model.figures.labels import in_print
from gsm_model.figures.style import series_style
from gsm_model.training.log import LOG_FILE, read_log

WINDOW = 25
CURVES_FILE = "curves.png"


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
                label=in_print(name),
                linewidth=1.2,
            )
        axes.set_xlabel("step", fontsize=8)
        axes.set_ylabel(title, fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0, top=1.02 if column == "accuracy" else None)
    axes.legend(fontsize=7, frameon=False)
    return figure


def draw_run(run: Path) -> None:
    """Write ``curves.png`` of the training run in the folder ``run`` beside its log.

    Raises:
        DataError: as `read_log`.
    """
    log = read_log(run / LOG_FILE)
    # A name in letters that no font here has is no reason to fail after days of training.
    name = run.name if has_all(run.name) else "this run"
    training_curves([log], [name]).savefig(run / CURVES_FILE, dpi=160)
