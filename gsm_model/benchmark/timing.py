"""Timing things against each other: in turn, round after round, so that a change of the machine's
speed meets all alike.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

WARM_UP = 2


@dataclass(frozen=True)
class Timing:
    """``what`` was done, its ``seconds`` (runs,) float64, and, where there is something to compare
    it with, its ``ratio`` (runs,) to that in the same round. ``work`` are its multiply-adds, where
    they are known."""

    what: str
    seconds: np.ndarray
    ratio: np.ndarray | None = None
    work: int | None = None

    def row(self) -> dict:
        """Medians with the smallest and largest: milliseconds and ratio; and thousand million
        multiply-adds a second.
        """
        row: dict = {"what": self.what, **_spread("ms", 1000 * self.seconds)}
        if self.ratio is not None:
            row |= _spread("ratio", self.ratio)
        if self.work is not None:
            row["gmac_per_second"] = self.work / 1e9 / float(np.median(self.seconds))
        return row | {"runs": len(self.seconds)}


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    return {
        name: float(np.median(values)),
        f"{name}_min": float(values.min()),
        f"{name}_max": float(values.max()),
    }


def in_turn(
    things: Mapping[str, Callable[[], object]],
    runs: int,
    device: torch.device,
    progress: Callable[[int, int], None] | None = None,
    before: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, np.ndarray]:
    """Do each of ``things`` once a round; name → seconds (``runs``,) float64, without the first
    rounds, that warm up.

    What is to be done ``before`` a thing is not timed.

    Raises:
        ValueError: if ``runs`` is not positive.
    """
    if runs < 1:
        raise ValueError(f"at least one run is needed, got {runs}")
    seconds: dict[str, list[float]] = {name: [] for name in things}
    for number in range(-WARM_UP, runs):
        for name, do in things.items():
            if before and name in before:
                before[name]()
            taken = seconds_of(do, device)
            if number >= 0:
                seconds[name].append(taken)
        if progress is not None and number >= 0:
            progress(number + 1, runs)
    return {name: np.array(taken) for name, taken in seconds.items()}


def seconds_of(do: Callable[[], object], device: torch.device) -> float:
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


def multiply_add_peak(dtype: torch.dtype, device: torch.device, runs: int = 9) -> float:
    """The most multiply-adds a second that ``device`` was seen to do, in thousand millions: the
    faster of a product of two 1024 × 1024 matrices and a channels-last 1×1 convolution of 8 × 256 ×
    56 × 56."""
    side = torch.randn(1024, 1024).to(device, dtype)
    x = torch.randn(8, 256, 56, 56).to(device, dtype).contiguous(memory_format=torch.channels_last)
    w = torch.randn(256, 256, 1, 1).to(device, dtype).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        found = in_turn(
            {"product": lambda: side @ side, "convolution": lambda: F.conv2d(x, w)}, runs, device
        )
    work = {"product": 1024**3, "convolution": 8 * 56 * 56 * 256 * 256}
    return max(work[name] / 1e9 / float(seconds.min()) for name, seconds in found.items())


def machine(device: torch.device) -> dict[str, str | int]:
    """What a figure was measured on, in words."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": device.type,
        "name": name,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            name = next(
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            )
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {torch.backends.cpu.get_cpu_capability()}"
