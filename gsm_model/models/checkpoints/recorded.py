"""Settings of a network that training frameworks keep beside its weights: arguments, configurations
as objects or as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from gsm_model.models.checkpoints.safe_load import Inert

_SHARE = ("shift_div", "n_div", "fold_div", "shift_share")
_SEGMENTS = ("num_segments", "n_segment", "num_segment", "n_segments")
_IN_TEXT = re.compile(
    rf"[\"']?\b({'|'.join((*_SHARE, *_SEGMENTS))})\b[\"']?\s*[=:]\s*(\d{{1,4}})\b(?!\.)"
)
_MAX_TEXT = 2**20
_MAX_DEPTH = 6
_MAX_VALUES = 100_000


@dataclass(frozen=True)
class Recorded:
    """One in how many channels a TSM shifts each way, and how many frames it was trained with, as
    the file says; ``None`` where it does not, or says several.
    """

    share: int | None = None
    segments: int | None = None


def recorded_in(content: Any) -> Recorded:
    """The settings in what `read_torch_file` read."""
    found: dict[str, set[int]] = {"share": set(), "segments": set()}
    for _, (name, value) in zip(range(_MAX_VALUES), _settings(content, 0), strict=False):
        found["share" if name in _SHARE else "segments"].add(value)
    share, segments = (
        next(iter(found[kind])) if len(found[kind]) == 1 else None for kind in ("share", "segments")
    )
    return Recorded(
        share if share is not None and 2 <= share <= 64 else None,
        segments if segments is not None and 1 <= segments <= 64 else None,
    )


def _settings(node: Any, depth: int) -> Iterator[tuple[str, int]]:
    if isinstance(node, Inert):
        node = node.state
    if isinstance(node, str):
        for match in _IN_TEXT.finditer(node[:_MAX_TEXT]):
            yield match.group(1), int(match.group(2))
    if depth > _MAX_DEPTH or not isinstance(node, (dict, list, tuple)):
        return
    if not isinstance(node, dict):
        for value in node[:1000]:
            yield from _settings(value, depth + 1)
        return
    for key, value in dict.items(node):
        if isinstance(value, Tensor):
            continue
        if key in _SHARE or key in _SEGMENTS:
            if isinstance(value, (int, str)) and re.fullmatch(r"\d{1,4}", str(value)):
                yield key, int(value)
        else:
            yield from _settings(value, depth + 1)
