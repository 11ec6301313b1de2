"""What looking into a network costs over running it: gates, routing, the report of all layers, a
map of where it looks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from gsm_model.benchmark.networks import noise
from gsm_model.benchmark.timing import Timing, in_turn
from gsm_model.explain.cam.evidence import Target, evidence_of_clips
from gsm_model.explain.gates.report import layer_gates, record_routing
from gsm_model.models.observers import record_gates
from gsm_model.models.recognizer import Recognizer


def benchmark_looking(
    model: Recognizer,
    num_segments: int,
    runs: int = 15,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """One clip of ``num_segments`` frames of noise: the plain forward; with its gates recorded;
    with its routing recorded; with the report of all layers made of that; and the features and
    gradients that Grad-CAM of the last block needs. Ratios are to the plain forward.

    Raises:
        ValueError: if ``runs`` is not positive.
    """
    clip = noise(model, num_segments)
    last = list(model.feature_points())[-1]

    def gates() -> None:
        with torch.inference_mode(), record_gates(model):
            model(clip)

    def routing() -> None:
        with torch.inference_mode(), record_routing(model):
            model(clip)

    def report() -> None:
        with torch.inference_mode(), record_routing(model) as found:
            model(clip)
        layer_gates(model, found)

    def forward() -> None:
        with torch.inference_mode():
            model(clip)

    things = {
        "forward": forward,
        "gates recorded": gates,
        "routing recorded": routing,
        "report of all layers": report,
        "Grad-CAM of the last block": lambda: evidence_of_clips(model, clip, [Target(0)], [last]),
    }
    seconds = in_turn(things, runs, clip.device, progress)
    return [Timing(name, taken, taken / seconds["forward"]) for name, taken in seconds.items()]
