"""Evaluating a list of videos: one process with one thread, against two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gsm_model.benchmark.timing import Timing
from gsm_model.data.synthetic.export import write_dataset
from gsm_model.errors import DataError

ONE, TWO = "one process, one thread", "two processes, one thread each"


def benchmark_evaluation(
    checkpoint: Path,
    clips_per_class: int = 10,
    runs: int = 3,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """``checkpoint`` over drawn clips written as video files, by the command, in one process and in
    two, in turn; of each the time from the first video to the joined table, without the start of
    Python. Ratios are to one process: how many times as long that takes.

    Raises:
        ValueError: if ``runs`` is not positive.
        DataError: if a run fails.
    """
    if runs < 1:
        raise ValueError(f"at least one run is needed, got {runs}")
    seconds: dict[str, list[float]] = {ONE: [], TWO: []}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "clips"
        write_dataset(data, "test", clips_per_class, "mp4")
        for number in range(runs):
            for devices, taken in enumerate(seconds.values(), start=1):
                taken.append(
                    _evaluate(
                        checkpoint, data, Path(folder) / f"{devices}-{number}.parquet", devices
                    )
                )
            if progress is not None:
                progress(number + 1, runs)
    found = {name: np.array(taken) for name, taken in seconds.items()}
    return [Timing(name, taken, found[ONE] / taken) for name, taken in found.items()]


def _evaluate(checkpoint: Path, data: Path, out: Path, devices: int) -> float:
    command = [
        sys.executable,
        "-m",
        "gsm_model",
        "evaluate",
        "--checkpoint",
        str(checkpoint),
        "--data",
        str(data),
    ]
    command += ["--out", str(out), "--devices", str(devices), "--device", "cpu", "--json"]
    run = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    if run.returncode:
        raise DataError(
            "the evaluation failed:"
            f" {run.stderr.strip().splitlines()[-1] if run.stderr.strip() else run.returncode}"
        )
    return json.loads(run.stdout[run.stdout.index("{") :])["models"][0]["seconds"]
