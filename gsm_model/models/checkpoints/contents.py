"""Which part of a file holds the weights.

Training frameworks put the weights one or more levels down, beside optimisers, settings and
averaged copies of the same weights. The weights are known by what they are, a dictionary of named
tensors one of which is a matrix or a kernel; what it is called decides only where there are
several.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gsm_model.errors import CheckpointError
from gsm_model.models.checkpoints.fit import MAX_KEY
from gsm_model.models.checkpoints.safe_load import Inert

USUAL = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "module",
)
AVERAGED = re.compile(r"(^|_)(ema|swa|averaged?|avg|shadow)(_|$)")
# What is never weights although it may hold named tensors.
_BESIDE = re.compile(r"optim|sched|scaler|rng|callback|param_groups|^(hyper|loss|criterion)", re.I)
_MAX_DEPTH = 4
_SHOWN = 5


@dataclass(frozen=True)
class Weights:
    """Named tensors of a file, and how that set was chosen.

    ``entry`` is what the file calls the set, empty where it is the whole file; ``averaged`` whether
    that is a name for averaged weights (EMA, SWA); ``others`` are the sets that were left.
    """

    state: dict[str, Tensor]
    entry: str = ""
    averaged: bool = False
    others: tuple[str, ...] = ()

    def reading(self) -> list[str]:
        """What was decided in choosing it, in words; empty where there was no choice."""
        said = []
        if self.averaged:
            only = "" if self.others else ", the only set in the file"
            said.append(f"weights are the averaged ones (EMA), '{self.entry}'{only}")
        if self.others:
            chosen = self.entry or "those at the top"
            left = ", ".join(f"'{other}'" for other in self.others)
            said.append(f"of several sets of weights '{chosen}' was taken, {left} left")
        return said


def weights_in(content: Any, name: str) -> Weights:
    """The weights in what `read_torch_file` read.

    Raises:
        CheckpointError: if there are none, which says what there is, or several of which no name
            says which is the network's.
    """
    found = list(_sets(content, (), set()))
    if not found:
        raise CheckpointError(
            f"{name}: holds no state_dict of tensors, but {_described(content)}. Save the model's"
            " state_dict with torch.save and choose that file."
        )
    plain = [one for one in found if not _is_averaged(one[0])]
    chosen = min(plain or found, key=lambda one: _rank(one[0]))
    if sum(_rank(one[0]) == _rank(chosen[0]) for one in plain or found) > 1:
        names = ", ".join(f"'{'.'.join(path)}'" for path, _ in (plain or found)[:_SHOWN])
        raise CheckpointError(
            f"{name}: holds several sets of weights ({names}), and no name says which is the"
            " network's. Save the one you mean alone, as 'state_dict'."
        )
    path, state = chosen
    others = tuple(".".join(other) for other, _ in found if other != path)
    return Weights(state, ".".join(path), _is_averaged(path), others)


def _sets(
    node: Any, path: tuple[str, ...], seen: set[int]
) -> Iterator[tuple[tuple[str, ...], dict[str, Tensor]]]:
    """Every set of weights at or under ``node``, with where it is. ``seen`` are the dictionaries
    that were looked into, so that none that holds itself is again.
    """
    if isinstance(node, Inert):
        state = dict(_of_module(node, "", set()))
        if state:
            yield path, state
        return
    if not isinstance(node, dict):
        return
    entries = {key: value for key, value in dict.items(node) if isinstance(key, str)}
    tensors = {key: value for key, value in entries.items() if isinstance(value, Tensor)}
    if any(tensor.ndim >= 2 for tensor in tensors.values()):
        yield path, tensors
    elif len(path) < _MAX_DEPTH and id(node) not in seen:
        seen.add(id(node))
        for key, value in entries.items():
            if not _BESIDE.search(key):
                yield from _sets(value, (*path, key), seen)


def _of_module(module: Inert, prefix: str, seen: set[int]) -> Iterator[tuple[str, Tensor]]:
    """The named tensors of a whole module that was saved instead of its weights, as its state_dict
    would have them, read off what the file says of it.
    """
    state = module.state
    if not isinstance(state, dict) or id(module) in seen or len(prefix) > MAX_KEY:
        return
    seen.add(id(module))
    temporary = state.get("_non_persistent_buffers_set", ())
    for kind in ("_parameters", "_buffers"):
        for key, value in _items(state.get(kind)):
            if isinstance(value, Tensor) and not (kind == "_buffers" and key in temporary):
                yield prefix + key, value.detach()
    for key, value in _items(state.get("_modules")):
        if isinstance(value, Inert):
            yield from _of_module(value, f"{prefix}{key}.", seen)


def _items(node: Any) -> list[tuple[str, Any]]:
    if not isinstance(node, dict):
        return []
    return [(key, value) for key, value in dict.items(node) if isinstance(key, str)]


def _is_averaged(path: tuple[str, ...]) -> bool:
    return any(AVERAGED.search(part) for part in path)


def _rank(path: tuple[str, ...]) -> tuple[int, ...]:
    """By how usual its name is, then by how deep it lies."""
    names = [re.sub(r"_?(ema|swa|averaged?|avg|shadow)_?", "", part) for part in path]
    usual = [USUAL.index(part) if part in USUAL else len(USUAL) for part in names]
    return (min(usual, default=-1), len(path))


def _described(content: Any) -> str:
    """What a file holds, in words."""
    if isinstance(content, dict):
        keys = [f"'{key}' ({_kind(value)})" for key, value in dict.items(content)]
        shown = ", ".join(keys[:_SHOWN]) + (", …" if len(keys) > _SHOWN else "")
        return f"a dictionary of {shown}" if keys else "an empty dictionary"
    return _kind(content)


def _kind(value: Any) -> str:
    if isinstance(value, Inert):
        return "an object that is not read"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return {"dict": "a dictionary", "OrderedDict": "a dictionary", "NoneType": "nothing"}.get(
        type(value).__name__, type(value).__name__
    )
