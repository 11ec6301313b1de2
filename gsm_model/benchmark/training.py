"""Training steps: forward, loss and backward of a batch, in the release's formulation and in
ours.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import torch
import torch.nn.functional as F

from gsm_model.benchmark.networks import RELEASED, network, noise
from gsm_model.benchmark.released import as_released
from gsm_model.benchmark.timing import Timing, in_turn
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.registry import systems

FLOAT32 = "float32"
LAST = "channels last"
BFLOAT16 = "channels last, bfloat16"


def benchmark_training(
    backbone: str,
    temporals: Sequence[str],
    device: torch.device,
    num_segments: int = 8,
    clips: int = 2,
    runs: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """One step on ``clips`` clips of noise (forward, cross-entropy, backward) with each of
    ``temporals``, in turn: the release's formulation (GSM), ours in float32 in the default layout,
    channels last, and that with bfloat16 by autocast. Ratios are to the same
    network in float32 in the default layout: how many times as long that takes.

    Raises:
        ValueError: for an unknown name, or if ``runs`` is not positive.
    """
    things = {}
    for temporal in temporals:
        model = network(backbone, temporal, num_segments).to(device).train()
        title = systems()[temporal].title
        batch, labels = (
            noise(model, num_segments, clips),
            torch.zeros(clips, dtype=torch.long, device=device),
        )
        last = copy.deepcopy(model).channels_last()
        ways = {FLOAT32: (model, False), LAST: (last, False), BFLOAT16: (last, True)}
        if temporal == "gsm":
            ways[RELEASED] = (as_released(model), False)
        for how, (one, half) in ways.items():
            things[f"{title}, {how}"] = lambda one=one, half=half, batch=batch, labels=labels: (
                _step(one, batch, labels, half)
            )
    seconds = in_turn(things, runs, device, progress)
    return [
        Timing(name, taken, seconds[f"{name.split(', ')[0]}, {FLOAT32}"] / taken)
        for name, taken in seconds.items()
    ]


def _step(model: Recognizer, batch: torch.Tensor, labels: torch.Tensor, half: bool) -> None:
    with torch.autocast(batch.device.type, torch.bfloat16) if half else nullcontext():
        logits = model(batch)
    F.cross_entropy(logits.float(), labels).backward()
    model.zero_grad(set_to_none=True)
