"""Server: for whoever runs the app for others: how is it doing? Shown where the settings ask for
it.
"""

from __future__ import annotations

import platform
import time
from importlib.metadata import version

import psutil
import streamlit as st

from app.cache import store
from app.components.sentences import escape
from app.shell import session
from app.shell.layout import Choices, device_name, heading, how_it_runs
from app.shell.uploads import UploadStore
from gsm_model.models.inference.device_queue import queue_lengths

QUESTION = "How is the server doing?"
LIBRARIES = (
    "streamlit",
    "torch",
    "torchvision",
    "av",
    "numpy",
    "plotly",
    "matplotlib",
    "grad-cam",
    "scikit-learn",
)
EVERY_SECONDS = 5


def show(choices: Choices) -> None:
    """Memory, models, caches, the queue, versions; up to date every few seconds."""
    heading(
        QUESTION,
        "Nothing here is about anybody's files. `/_stcore/health` answers *ok* while the server"
        " lives.",
    )
    _now()
    with st.expander("Versions"):
        found = {name: _version(name) for name in LIBRARIES}
        st.table(
            {"library": ["Python", *found], "version": [platform.python_version(), *found.values()]}
        )


@st.fragment(run_every=EVERY_SECONDS)
def _now() -> None:
    process = psutil.Process()
    waiting = sum(queue_lengths().values())
    limits = session.settings()
    figures = {
        "Sessions": (
            f"{session.user_sessions()}",
            "Browser tabs that are connected, or were a moment ago.",
        ),
        "In line for the models": (
            f"{waiting}",
            f"One runs, the others wait; more than {limits.most_waiting} are refused.",
        ),
        "Memory of the process": (
            f"{process.memory_info().rss / 2**20:,.0f} MB",
            "Resident, with everything that is shared.",
        ),
        "Free memory": (
            f"{psutil.virtual_memory().available / 2**20:,.0f} MB",
            "Of the machine, or of what this program sees of it.",
        ),
        "Uploads on disk": (
            f"{UploadStore.total() / 2**20:,.0f} MB",
            f"Of all sessions; at most {limits.total_megabytes:,} MB.",
        ),
        "Up": (_duration(time.monotonic() - session.STARTED), "Since its first page was shown."),
    }
    for columns, part in (
        (st.columns(3), list(figures.items())[:3]),
        (st.columns(3), list(figures.items())[3:]),
    ):
        for column, (name, (value, what)) in zip(columns, part, strict=True):
            column.metric(name, value, help=what, border=True)
    st.markdown(
        "### What is kept in memory",
        help="Each kind of result has its own bound; the oldest are forgotten first.",
    )
    rows: dict[str, list[str | float]] = {"kind": [], "results": [], "MB": [], "at most MB": []}
    for kind, cache in store.caches().items():
        count, size = cache.usage()
        rows["kind"].append(kind)
        rows["results"].append(count)
        rows["MB"].append(round(size / 2**20, 1))
        rows["at most MB"].append(cache.max_bytes // 2**20)
    st.dataframe(rows, hide_index=True)
    st.markdown(f"Models run on {escape(device_name())}: {escape(how_it_runs())}.")


def _version(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return "not installed"


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    return (
        f"{minutes // 1440} d {minutes // 60 % 24} h"
        if minutes >= 1440
        else f"{minutes // 60} h {minutes % 60} min"
    )
