"""How far a long computation is, with a way to stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st


@contextmanager
def flow_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar that says how much of the optical flow is computed while this block runs; nothing where
    there is none to compute.
    """
    box = st.empty()

    def tell(done: int, total: int) -> None:
        box.progress(done / total, f"Optical flow: {done:,} of {total:,} pairs of frames")

    yield tell
    box.empty()


@contextmanager
def cancellable(
    beginning: str, counting: str, key: str, help: str, on_click: Callable[[], None] | None = None
) -> Iterator[Callable[[int, int], None]]:
    """A bar that says ``beginning``, then ``counting`` and how many of how many, while this block
    runs, beside a button that ends it.

    A click on anything ends a run of a page; the button says so.
    """
    box = st.empty()
    with box.container(horizontal=True):
        bar = st.progress(0.0, beginning)
        st.button("Cancel", icon=":material/close:", key=key, help=help, on_click=on_click)

    def tell(done: int, total: int) -> None:
        bar.progress(done / total, f"{counting} {done:,} of {total:,}")

    yield tell
    box.empty()
