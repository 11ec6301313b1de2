"""Charts, each drawn once for each content of what it shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass

import numpy as np
import plotly.graph_objects as go

from app.cache.store import keep, size_of
from app.shell.session import user_session

CHART_BYTES = 100_000  # about what a chart takes beside its data


def drawn(draw: Callable[..., go.Figure], *what: object) -> go.Figure:
    """The chart ``draw(*what)``, drawn once for each content of ``what`` in each session."""
    key = (draw.__module__, draw.__qualname__, digest_of(what))
    return keep("charts", key, lambda: draw(*what), user_session().name, size=chart_size)


def chart_size(chart: go.Figure) -> int:
    """About how many bytes ``chart`` takes."""
    return CHART_BYTES + sum(size_of(trace.to_plotly_json()) for trace in chart.data)


def digest_of(value: object) -> str:
    """A text that differs where ``value`` does: its arrays, numbers and texts, however deep in
    dataclasses, lists and dictionaries.
    """
    found = hashlib.sha256()
    _digest(value, found)
    return found.hexdigest()


def _digest(value: object, found: hashlib._Hash) -> None:
    if isinstance(value, np.ndarray):
        found.update(f"{value.dtype}{value.shape}".encode())
        found.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value):
        for field in fields(value):
            _digest(getattr(value, field.name), found)
    elif isinstance(value, Mapping):
        for key, one in value.items():
            _digest(key, found)
            _digest(one, found)
    elif isinstance(value, (list, tuple)):
        found.update(f"[{len(value)}".encode())
        for one in value:
            _digest(one, found)
    else:
        found.update(repr(value).encode() + b"\0")
