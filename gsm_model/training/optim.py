"""A training recipe's network, optimiser, parameter groups and learning rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from gsm_model.errors import DataError
from gsm_model.models.probe import Probe
from gsm_model.models.recognizer import Recognizer, build_recognizer
from gsm_model.models.registry import backbones
from gsm_model.models.systems.tsm import Shift
from gsm_model.models.temporal import TemporalModule
from gsm_model.training.config import TrainConfig

LARGER = 64  # pixels in which a size that fits is looked for


def build_model(
    config: TrainConfig, num_classes: int, weights_2d: Mapping[str, Tensor] | None = None
) -> Recognizer:
    """The untrained network that ``config`` describes, or one that starts from ``weights_2d`` as
    `build_recognizer` does. Its frames are spread evenly, also where published models of the
    network have it otherwise, and keep their shape or are squeezed into a square, as ``config``
    says.

    Raises:
        DataError: if there is no such network, or it cannot take pictures of that size.
    """
    try:
        model = build_recognizer(
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
    except ValueError as error:
        raise DataError(f"the configuration describes no network: {error}") from error
    _check_size(config)
    model.input = replace(model.input, sampling="even", width=None)
    if config.view == "whole":
        model.input = replace(model.input, resize=model.input.size, width=model.input.size)
    return model


def _check_size(config: TrainConfig) -> None:
    """Raise a `DataError` if the backbone cannot take pictures of the configured size: its branches
    halve it differently, or nothing is left of it. Tried without computing anything.
    """
    entry = backbones().get(config.backbone)
    if entry is None:
        return
    with torch.device("meta"):
        backbone = entry.build(config.width).eval()

    @torch.no_grad()
    def fits(side: int) -> bool:
        try:
            backbone(torch.empty(1, 3, side, side, device="meta"), Probe())
        except RuntimeError:
            return False
        return True

    size = config.input_size
    if not fits(size):
        larger = next((side for side in range(size + 1, size + LARGER) if fits(side)), None)
        raise DataError(
            f"'input_size' is {size}, but {entry.title} cannot take pictures of {size} × {size}"
            f" pixels; use {larger or entry.input.size}"
        )


def frozen_norms(model: Recognizer, config: TrainConfig) -> list[nn.BatchNorm2d | nn.BatchNorm3d]:
    """The BatchNorms that ``config`` keeps as they are: of partial BatchNorm all of the backbone
    but its first; those of temporal modules, which are new, learn.

    Source: yjxiong/tsn-pytorch, ``models.py``, ``partialBN``.
    """
    if config.batch_norm == "all":
        return []
    new = {
        norm
        for module in model.base_model.modules()
        if isinstance(module, TemporalModule)
        for norm in module.modules()
    }
    norms = [
        module
        for module in model.base_model.modules()
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d) and module not in new
    ]
    return norms[1:]


def set_training(model: Recognizer, config: TrainConfig) -> None:
    """Training mode, but for `frozen_norms`: they use the statistics they have, and neither these
    nor their weights change.
    """
    model.train()
    for norm in frozen_norms(model, config):
        norm.eval().requires_grad_(False)


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
    """One group of what learns; or the release's two: weights, and the biases of convolutions and
    classifier at twice the rate with no decay.

    BatchNorm's weights and biases are in the first, as in the release without partial BatchNorm.
    """
    if config.groups == "one":
        return [{"params": [each for each in model.parameters() if each.requires_grad]}]
    biases = [
        module.bias
        for module in model.modules()
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear) and module.bias is not None
    ]
    chosen = {id(bias) for bias in biases}
    weights = [
        parameter
        for parameter in model.parameters()
        if parameter.requires_grad and id(parameter) not in chosen
    ]
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
