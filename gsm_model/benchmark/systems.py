"""How long each system takes beside TSN."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from gsm_model.benchmark.timing import in_turn
from gsm_model.evaluation.systems import BACKBONE, FRAMES, without_zeros
from gsm_model.models.recognizer import build_recognizer


def latency_ratios(
    names: Sequence[str],
    device: torch.device,
    runs: int = 15,
    width: float = 1.0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, float]]:
    """How many times as long as TSN a forward pass of each system takes on ``device``, one clip of
    noise, all in turn: name → median, smallest and largest ``ratio`` over ``runs`` rounds.
    """
    models = {
        name: without_zeros(build_recognizer(BACKBONE, name, num_segments=FRAMES, width=width))
        .eval()
        .channels_last()
        .to(device)
        for name in dict.fromkeys(("none", *names))
    }
    size = models["none"].input.size
    clip = torch.randn(1, FRAMES, 3, size, size, generator=torch.Generator().manual_seed(0))
    clip = clip.to(device)

    def forward(model: nn.Module) -> Callable[[], object]:
        def once() -> object:
            with torch.inference_mode():
                return model(clip)

        return once

    seconds = in_turn({name: forward(one) for name, one in models.items()}, runs, device, progress)
    ratios = {name: taken / seconds["none"] for name, taken in seconds.items()}
    return {
        name: {
            "ratio": round(float(np.median(ratio)), 3),
            "low": round(float(ratio.min()), 3),
            "high": round(float(ratio.max()), 3),
            "runs": runs,
        }
        for name, ratio in ratios.items()
    }
