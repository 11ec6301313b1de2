"""How far a long computation is, with a way to stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType


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
        _end_fragment_if_clicked()

    yield tell
    box.empty()


def _end_fragment_if_clicked() -> None:
    """End the run of a fragment for what was clicked meanwhile. Streamlit ends the run of a whole
    page so, but lets that of a fragment come to its end first: a *Cancel* in it would do nothing.
    """
    run = get_script_run_ctx()
    if run is None or run.script_requests is None or not run.fragment_ids_this_run:
        return
    if run.script_requests._state is ScriptRequestType.RERUN:  # which has no public name
        st.rerun(scope="fragment")
