"""Does a map follow the model and the class? Whether it changes with random weights and for another
class, and stays for the same moment.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
import torch
from torch import Tensor, nn

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.names import Method
from gsm_model.explain.cam.report import cams_of_clips
from gsm_model.models.recognizer import Recognizer


@dataclass(frozen=True)
class Sanity:
    """Rank correlations (Spearman's ρ, −1 … 1) of a map with what it should differ from, and with
    what it should be like.

    ``randomised``: (part of the network, ρ) when that part and all after it have random weights,
    from the classifier down; a map that hardly changes does not show what was learnt.
    ``other_class``: with the map for another class; ``None`` without one.
    """

    randomised: tuple[tuple[str, float], ...]
    other_class: float | None


def check_sanity(
    model: Recognizer,
    clip: Tensor,
    target: Target,
    method: Method,
    layer: str,
    other: Target | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Sanity:
    """Cascading randomisation of ``model``, and the class check, for the map of ``clip`` (T, 3, S,
    S) by ``method`` at ``layer``.

    Source: Adebayo and others, *Sanity Checks for Saliency Maps*, NeurIPS 2018.
    """

    def of(network: Recognizer, wanted: Target) -> np.ndarray:
        return cams_of_clips(network, clip[None], wanted, method, [layer])[2][0].maps[0]

    ours = of(model, target)
    broken = copy.deepcopy(model)
    parts = [part for part in randomised_parts(broken) if part[1]]
    found = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for number, (name, modules) in enumerate(parts):
            for module in modules:
                _randomise(module)
            found.append((name, rank_correlation(ours, of(broken, target))))
            if progress is not None:
                progress(number + 1, len(parts))
    return Sanity(tuple(found), None if other is None else rank_correlation(ours, of(model, other)))


def randomised_parts(model: Recognizer) -> list[tuple[str, list[nn.Module]]]:
    """The network's parts from the classifier down, each with its modules that have weights: the
    classifier, then stage by stage or block by block the backbone, in the order of its children,
    last first."""
    parts: dict[str, list[nn.Module]] = {}
    blocks = list(model.base_model.block_ends())
    for name, module in model.base_model.named_modules():
        if name and next(module.parameters(recurse=False), None) is not None:
            child = name.split(".")[0]
            # An Inception's convolutions stand side by side; their names say which block they are
            # of, the longest that fits.
            part = max((block for block in blocks if f"{block}_" in child), key=len, default=child)
            parts.setdefault(part, []).append(module)
    return [("classifier", [model.new_fc]), *reversed(list(parts.items()))]


@torch.no_grad()
def _randomise(module: nn.Module) -> None:
    for name, parameter in module.named_parameters(recurse=False):
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=float(parameter.std()) or 0.05)
        elif name == "bias":
            parameter.zero_()
        else:
            parameter.uniform_(0.5, 1.5)


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's ρ of two maps of one shape; 0 where one is the same everywhere."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(scipy.stats.spearmanr(a.ravel(), b.ravel()).statistic)


def agreement(maps: Sequence[np.ndarray]) -> float:
    """The mean Spearman's ρ of the first of ``maps`` with each other, such as maps of the clip
    sampled a frame earlier and later.
    """
    return float(np.mean([rank_correlation(maps[0], other) for other in maps[1:]]))
