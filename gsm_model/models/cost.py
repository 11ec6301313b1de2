"""What a model costs: parameters and multiply-adds."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from gsm_model.models.recognizer import Recognizer


@dataclass(frozen=True)
class Cost:
    """``parameters``: how many numbers are learnt. ``macs``: multiply-adds of convolutions and
    linear layers for one clip.
    """

    parameters: int
    macs: int


def cost_of(model: Recognizer, num_segments: int | None = None) -> Cost:
    """The cost of one clip of ``num_segments`` frames (the model's own number if not given).
    Computes nothing of the clip itself.
    """
    skeleton = copy.deepcopy(model).to("meta")
    size, planes = model.input.size, model.architecture.modality.planes
    clip = torch.zeros(
        1, num_segments or model.architecture.num_segments, planes, size, size, device="meta"
    )
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        skeleton(clip)
    return Cost(
        sum(parameter.numel() for parameter in model.parameters()), counter.get_total_flops() // 2
    )
