"""How long a network takes, and what looking into it costs on top: every figure from one run, the things compared in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from gsm_model.explain.gates import layer_gates, record_routing
from gsm_model.models.recognizer import Recognizer, record_gates

WARM_UP = 2


@dataclass(frozen=True)
class Timing:
    """``what`` was done, its ``seconds`` (runs,) float64, and their ``ratio`` (runs,) to the plain forward of the same round."""

    what: str
    seconds: np.ndarray
    ratio: np.ndarray

    def row(self) -> dict:
        """Medians with the smallest and largest: milliseconds and ratio."""
        milliseconds = 1000 * self.seconds
        return {
            "what": self.what,
            "ms": float(np.median(milliseconds)),
            "ms_min": float(milliseconds.min()),
            "ms_max": float(milliseconds.max()),
            "ratio": float(np.median(self.ratio)),
            "ratio_min": float(self.ratio.min()),
            "ratio_max": float(self.ratio.max()),
            "runs": len(self.seconds),
        }


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
