"""A training recipe's network, optimiser, parameter groups and learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from gsm_model.models.recognizer import Recognizer, build_recognizer
from gsm_model.models.systems.tsm import Shift
from gsm_model.training.config import TrainConfig


def build_model(
    config: TrainConfig, num_classes: int, weights_2d: Mapping[str, Tensor] | None = None
) -> Recognizer:
    """The untrained network that ``config`` describes, or one that starts from ``weights_2d`` as
    `build_recognizer` does.
    """
    return build_recognizer(
        config.backbone,
        config.temporal,
        num_classes,
        config.num_segments,
        config.width,
        config.input_size,
        config.dropout,
        Shift(blocks=tuple(config.shift_blocks.split())) if config.shift_blocks else None,
        modality=config.seen,
        weights_2d=weights_2d,
    )


def build_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """AdamW or SGD over `parameter_groups`."""
    groups = parameter_groups(model, config)
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            groups,
            lr=config.learning_rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
        )
    return torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)


def parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict]:
    """One group; or the release's two: weights, and the biases of convolutions and classifier at
    twice the rate with no decay.

    BatchNorm's weights and biases are in the first, as in the release without partial BatchNorm.
    """
    if config.groups == "one":
        return [{"params": list(model.parameters())}]
    biases = [
        module.bias
        for module in model.modules()
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear) and module.bias is not None
    ]
    chosen = {id(bias) for bias in biases}
    weights = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    return [
        {"params": weights},
        {"params": biases, "lr": 2 * config.learning_rate, "weight_decay": 0.0},
    ]


def build_schedule(optimizer: Optimizer, config: TrainConfig) -> LRScheduler:
    """The learning rate of every step: one cycle, or a linear warm-up and a cosine to zero (each
    group in its own proportion).
    """
    if config.schedule == "one-cycle":
        highest = [group["lr"] for group in optimizer.param_groups]
        return OneCycleLR(optimizer, highest, total_steps=config.steps, pct_start=config.warmup)
    return LambdaLR(
        optimizer,
        partial(warmup_cosine, steps=config.steps, warmup=round(config.warmup * config.steps)),
    )


def warmup_cosine(step: int, steps: int, warmup: int) -> float:
    """Share of the highest learning rate at ``step`` of ``steps``: rises in ``warmup`` equal
    stairs, then falls as a half cosine.
    """
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))
