"""How long a network takes, what looking into it costs on top, and how long a comparison of two large files of answers takes: every figure
from one run, the things compared in turn."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gsm_model.confusion.answers import join_answers, read_answers
from gsm_model.confusion.clusters import cluster_order
from gsm_model.confusion.fixture import CLIPS, random_predictions
from gsm_model.confusion.matrix import confusion
from gsm_model.confusion.pairs import found_pairs, mutual_confusion
from gsm_model.confusion.significance import compare, pair_groups
from gsm_model.evaluation.predictions import write_parquet
from gsm_model.explain.gates import layer_gates, record_routing
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.presets import PRESETS
from gsm_model.figures.style import figure_bytes
from gsm_model.models.recognizer import Recognizer, record_gates

WARM_UP = 2


@dataclass(frozen=True)
class Timing:
    """``what`` was done, its ``seconds`` (runs,) float64, and, where there is something to compare it with, their ``ratio`` (runs,) to the
    plain forward of the same round."""

    what: str
    seconds: np.ndarray
    ratio: np.ndarray | None = None

    def row(self) -> dict:
        """Medians with the smallest and largest: milliseconds and ratio."""
        row: dict = {"what": self.what, **_spread("ms", 1000 * self.seconds)}
        if self.ratio is not None:
            row |= _spread("ratio", self.ratio)
        return row | {"runs": len(self.seconds)}


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    return {name: float(np.median(values)), f"{name}_min": float(values.min()), f"{name}_max": float(values.max())}


def benchmark_gates(
    model: Recognizer, num_segments: int, runs: int = 15, progress: Callable[[int, int], None] | None = None
) -> list[Timing]:
    """One clip of ``num_segments`` frames of noise: the plain forward; with its gates recorded; with its routing recorded; and with the
    report of all layers made of that. One after the other in every round, so that a change of the machine's speed meets all alike.

    Raises:
        ValueError: if ``runs`` is not positive.
    """
    if runs < 1:
        raise ValueError(f"at least one run is needed, got {runs}")
    device = next(model.parameters()).device
    size = model.input.size
    clip = torch.randn(1, num_segments, 3, size, size, generator=torch.Generator().manual_seed(0)).to(device)

    def gates() -> None:
        with record_gates(model):
            model(clip)

    def routing() -> None:
        with record_routing(model):
            model(clip)

    def report() -> None:
        with record_routing(model) as found:
            model(clip)
        layer_gates(model, found)

    things = {"forward": lambda: model(clip), "gates recorded": gates, "routing recorded": routing, "report of all layers": report}
    seconds: dict[str, list[float]] = {name: [] for name in things}
    with torch.inference_mode():
        for number in range(-WARM_UP, runs):
            for name, do in things.items():
                taken = _seconds(do, device)
                if number >= 0:
                    seconds[name].append(taken)
            if progress is not None and number >= 0:
                progress(number + 1, runs)
    plain = np.array(seconds["forward"])
    return [Timing(name, np.array(taken), np.array(taken) / plain) for name, taken in seconds.items()]


def benchmark_confusions(runs: int = 5, clips: int = CLIPS, progress: Callable[[int, int], None] | None = None) -> list[Timing]:
    """Two files of random answers to ``clips`` clips of 174 classes: from the files to the figure and the tests as the page shows them; then
    another view of the matrix.

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
            joined = join_answers(*(read_answers(path) for path in paths))
            models, pairs = [joined.a, joined.b], found_pairs(joined.a, joined.b)
            compare(joined, pair_groups(joined, pairs))
            figure_bytes(pairs_figure(models, pairs, PRESETS["cvpr-page"]), "png", 200)
            shown = time.perf_counter()
            confusion(joined.b, "predicted")
            other = time.perf_counter()
            cluster_order(mutual_confusion(joined.a) + mutual_confusion(joined.b))
            for taken, since, until in zip(seconds.values(), (started, shown, other), (shown, other, time.perf_counter()), strict=True):
                taken.append(until - since)
            if progress is not None:
                progress(number + 1, runs)
    return [Timing(what, np.array(taken)) for what, taken in seconds.items()]


def _seconds(do: Callable[[], object], device: torch.device) -> float:
    """How long ``do`` takes, the work it left to the device included."""
    _wait(device)
    started = time.perf_counter()
    do()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
