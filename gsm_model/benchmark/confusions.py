"""Two large files of answers compared: from the files to the figure and the tests, and another view
of the matrix.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gsm_model.benchmark.timing import Timing
from gsm_model.confusion.clusters import cluster_order
from gsm_model.confusion.fixture import CLIPS, random_predictions
from gsm_model.confusion.matrix import confusion
from gsm_model.confusion.pairs import found_pairs, mutual_confusion
from gsm_model.confusion.significance import compare, pair_groups
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.presets import PRESETS
from gsm_model.figures.style import figure_bytes
from gsm_model.predictions.join import join_predictions
from gsm_model.predictions.read import read_predictions
from gsm_model.predictions.write import write_parquet


def benchmark_confusions(
    runs: int = 5, clips: int = CLIPS, progress: Callable[[int, int], None] | None = None
) -> list[Timing]:
    """Two files of random answers to ``clips`` clips of 174 classes: from the files to the figure
    and the tests as the page shows them; then another view of the matrix.

    Raises:
        ValueError: if ``runs`` is not positive.
    """
    if runs < 1:
        raise ValueError(f"at least one run is needed, got {runs}")
    seconds: dict[str, list[float]] = {
        "file to figure and tests": [],
        "another view of the matrix": [],
        "classes that are alike together": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.parquet" for name in "ab"]
        for seed, path in enumerate(paths):
            write_parquet(random_predictions(path.stem, seed, 2.0 + seed, clips), path)
        for number in range(runs):
            started = time.perf_counter()
            paired = join_predictions(*(read_predictions(path) for path in paths))
            models, pairs = [paired.a, paired.b], found_pairs(paired.a, paired.b)
            compare(paired, pair_groups(paired, pairs))
            figure_bytes(pairs_figure(models, pairs, PRESETS["cvpr-page"]), "png", 200)
            shown = time.perf_counter()
            confusion(paired.b, "predicted")
            other = time.perf_counter()
            cluster_order(mutual_confusion(paired.a) + mutual_confusion(paired.b))
            for taken, since, until in zip(
                seconds.values(),
                (started, shown, other),
                (shown, other, time.perf_counter()),
                strict=True,
            ):
                taken.append(until - since)
            if progress is not None:
                progress(number + 1, runs)
    return [Timing(what, np.array(taken)) for what, taken in seconds.items()]
