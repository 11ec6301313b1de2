"""What the app keeps in memory: one cache a kind of result, each bounded in bytes, what comes of an
upload kept for its session alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import fields, is_dataclass
from typing import TypeVar

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.cache.lru import OnceCache
from app.shell.settings import read_settings
from gsm_model.models.inference.device_queue import BusyError, within_limits

Result = TypeVar("Result")
MEGABYTES = {
    "models": None,
    "clips": 1024,
    "films": 128,
    "answers": 256,
    "gates": 512,
    "maps": 256,
    "trials": 16,
    "tables": 512,
    "figures": 128,
    "charts": 256,
}


@st.cache_resource(show_spinner=False)
def caches() -> dict[str, OnceCache]:
    """Every cache by the kind of what it keeps."""
    settings = read_settings()
    return {
        kind: OnceCache((limit or settings.model_megabytes) * 2**20)
        for kind, limit in MEGABYTES.items()
    }


def keep(
    kind: str,
    key: Hashable,
    compute: Callable[[], Result],
    owner: str | None = None,
    size: Callable[[Result], int] | None = None,
    doing: str = "",
) -> Result:
    """The result of ``compute`` for ``key``, computed once and kept with others of its ``kind``;
    for ``owner`` alone if there is one.

    The same object is given to all who ask: nobody may change it. Meanwhile the page says what it
    is ``doing``, and, where the models are busy, how many are before.

    Raises:
        BusyError: if too many wait for the models, or it takes too long.
    """
    cache = caches()[kind]
    if cache.has(key, owner):
        return cache.get(key, compute, size or size_of, owner)
    with st.spinner(doing) if doing else nullcontext(), in_line():
        return cache.get(key, compute, size or size_of, owner)


@contextmanager
def in_line() -> Iterator[None]:
    """Wait for the models in this block with a word on the page; leaving the page, or closing it,
    gives the place up.
    """
    settings = read_settings()
    place: list[DeltaGenerator] = []

    def tell(ahead: int) -> None:
        if not place:
            place.append(st.empty())
        requests = "1 request is" if ahead == 1 else f"{ahead} requests are"
        place[0].info(f"{requests} ahead of yours.", icon=":material/hourglass_top:")

    def clear() -> None:
        for shown in place:
            shown.empty()

    try:
        with within_limits(tell, settings.most_waiting, settings.longest_wait):
            yield
    except BusyError:
        clear()
        raise
    clear()


def forget(owner: str) -> None:
    """Drop all that is kept for ``owner``."""
    for cache in caches().values():
        cache.forget(owner)


def size_of(value: object) -> int:
    """About how many bytes ``value`` takes: its arrays, texts and bytes, however deep in
    dataclasses, lists and dictionaries.
    """
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, (bytes, str)):
        return len(value)
    if is_dataclass(value):
        return 64 + sum(size_of(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, Mapping):
        return 64 + sum(size_of(key) + size_of(one) for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return 64 + sum(map(size_of, value))
    return 64
