"""Whether weights are those of a network, whole and finite."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gsm_model.errors import CheckpointError
from gsm_model.models.recognizer import Architecture, build_recognizer

SHOWN_KEYS = 3


def faults(architecture: Architecture, weights: dict[str, Tensor]) -> list[str]:
    """What keeps ``weights`` from being those of such a network, in words; empty where they fit in
    every key and shape.

    Found out without memory for a network, which a file may claim to be of any size. Old files lack
    BatchNorm's batch counters, which nothing reads.

    Raises:
        ValueError: if there is no such network.
    """
    with torch.device("meta"):
        wanted = build_recognizer(
            architecture.backbone,
            architecture.temporal,
            architecture.num_classes,
            1,
            architecture.width,
            shift=architecture.shift,
        ).state_dict()
    missing = [
        key for key in wanted if key not in weights and not key.endswith("num_batches_tracked")
    ]
    unexpected = [key for key in weights if key not in wanted]
    misshaped = [
        f"{key} is {tuple(weights[key].shape)}, not {tuple(wanted[key].shape)}"
        for key in wanted
        if key in weights and weights[key].shape != wanted[key].shape
    ]
    kinds = (("missing", missing), ("unexpected", unexpected), ("misshaped", misshaped))
    return [f"{len(keys)} {what} ({_shown(keys)})" for what, keys in kinds if keys]


def check_whole(weights: Mapping[str, Tensor], name: str) -> None:
    """Refuse tensors that claim to be more than their file holds.

    Raises:
        CheckpointError: if there is one.
    """
    hollow = [
        key
        for key, tensor in weights.items()
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes()
    ]
    if hollow:
        raise CheckpointError(
            f"{name}: {len(hollow)} tensors claim more numbers than the file holds"
            f" ({_shown(hollow)})"
        )


def check_finite(weights: Mapping[str, Tensor], name: str) -> None:
    """Refuse values that are not finite.

    Raises:
        CheckpointError: if there is one.
    """
    bad = [
        key
        for key, tensor in weights.items()
        if tensor.is_floating_point() and not torch.isfinite(tensor).all()
    ]
    if bad:
        raise CheckpointError(
            f"{name}: {len(bad)} tensors hold values that are not finite ({_shown(bad)}); its"
            " training diverged"
        )


def _shown(keys: list[str]) -> str:
    return f"{', '.join(keys[:SHOWN_KEYS])}{', …' if len(keys) > SHOWN_KEYS else ''}"
