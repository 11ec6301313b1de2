"""Whether weights are those of a network, whole and finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from gsm_model.errors import CheckpointError
from gsm_model.models.recognizer import Architecture, build_recognizer
from gsm_model.models.undrawn import Undrawn

SHOWN_KEYS = 3
MAX_KEY = 512


def faults(architecture: Architecture, weights: dict[str, Tensor]) -> list[str]:
    """What keeps ``weights`` from being those of such a network, in words; empty where they fit in
    every key and shape.

    Found out without memory for a network, which a file may claim to be of any size. Old files lack
    BatchNorm's batch counters, which nothing reads.

    Raises:
        ValueError: if there is no such network.
    """
    with torch.device("meta"), Undrawn():
        wanted = build_recognizer(
            architecture.backbone,
            architecture.temporal,
            architecture.num_classes,
            1,
            architecture.width,
            shift=architecture.shift,
            ratio=architecture.ratio,
            modality=architecture.modality,
            non_local=architecture.non_local,
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
    """Refuse tensors that claim to be more than their file holds, those that are no plain numbers,
    and names that are none.

    Raises:
        CheckpointError: if there is one.
    """
    if max(map(len, weights), default=0) > MAX_KEY:
        raise CheckpointError(f"{name}: names a weight with more than {MAX_KEY} characters")
    odd = [key for key, tensor in weights.items() if not _is_plain(tensor)]
    if odd:
        raise CheckpointError(
            f"{name}: {len(odd)} tensors are sparse, quantised, complex or without content"
            f" ({_shown(odd)}). Save the weights as ordinary tensors."
        )
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


def _is_plain(tensor: Tensor) -> bool:
    return (
        tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not (tensor.is_quantized or tensor.is_complex() or tensor.is_nested)
    )


def never_trained(weights: Mapping[str, Tensor]) -> bool:
    """Whether no BatchNorm of a network has ever seen a clip: all means are 0 and all variances 1,
    as they start. False without BatchNorms, where nothing tells.
    """
    means = [each for key, each in weights.items() if key.endswith("running_mean")]
    variances = [each for key, each in weights.items() if key.endswith("running_var")]
    return bool(means) and all(
        bool((_computable(each) == value).all())
        for of, value in ((means, 0), (variances, 1))
        for each in of
    )


def without_clashes(pairs: Iterable[tuple[str, str, Tensor]], name: str) -> dict[str, Tensor]:
    """Tensors under new names, from triples of the file's name, the new one and the tensor.

    Raises:
        CheckpointError: if two would get one name.
    """
    found: dict[str, Tensor] = {}
    before: dict[str, str] = {}
    for key, new, tensor in pairs:
        if new in found:
            raise CheckpointError(
                f"{name}: '{before[new]}' and '{key}' are both the network's '{new}'. Save the"
                " state_dict of one network."
            )
        found[new], before[new] = tensor, key
    return found


def not_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """Which of ``weights`` hold values that are not finite, as after a training that diverged."""
    return [
        key
        for key, tensor in weights.items()
        if tensor.is_floating_point() and not _is_finite(_computable(tensor))
    ]


def check_finite(weights: Mapping[str, Tensor], name: str) -> None:
    """Refuse values that are not finite.

    Raises:
        CheckpointError: if there is one.
    """
    if bad := not_finite(weights):
        raise CheckpointError(
            f"{name}: {len(bad)} tensors hold values that are not finite ({_shown(bad)}); its"
            " training diverged"
        )


def _is_finite(tensor: Tensor) -> bool:
    """By the extremes, which are no numbers where one value is none, and found much faster than all
    values are looked at.
    """
    if not tensor.numel():
        return True
    low, high = torch.aminmax(tensor.detach())
    return bool(torch.isfinite(low) and torch.isfinite(high))


def _computable(tensor: Tensor) -> Tensor:
    """Numbers of eight bits as larger ones: PyTorch cannot look at them."""
    return tensor.float() if tensor.element_size() == 1 else tensor


def _shown(keys: list[str]) -> str:
    return f"{', '.join(keys[:SHOWN_KEYS])}{', …' if len(keys) > SHOWN_KEYS else ''}"
