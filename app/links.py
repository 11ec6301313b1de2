"""The address of what is shown: clip, models, order, frames and layer in the URL, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from gsm_model.video.sampling import ORDERS

KEYS = ("clip", "models", "order", "frames", "layer", "beside")


def parse(query: Mapping[str, str], clips: Sequence[str], models: Sequence[str], frames: Sequence[str]) -> dict[str, object]:
    """The choices that a query names and that exist here; what it names wrongly is left out.

    ``models`` is a list separated by commas; those that exist are kept, in the query's order. ``layer`` is kept if it may be a
    layer's title, ``beside`` (the other order beside the chosen one) is 1 or left out.
    """
    known = {"clip": clips, "order": ORDERS, "frames": frames}
    choices: dict[str, object] = {key: query[key] for key, options in known.items() if query.get(key) in options}
    named = [key for key in query.get("models", "").split(",") if key in models]
    if named:
        choices["models"] = named
    if re.fullmatch(r"[\w.]{1,64}", query.get("layer", "")):
        choices["layer"] = query["layer"]
    if query.get("beside") == "1":
        choices["beside"] = True
    return choices


def apply_link(clips: Sequence[str], models: Sequence[str], frames: Sequence[str]) -> None:
    """Before any widget: take over what the address says, if a person opened it or went back to it."""
    query = {key: st.query_params[key] for key in KEYS if key in st.query_params}
    # Going to another page empties the query; that is no wish to lose the choices.
    if query and query != st.session_state.get("written_link"):
        st.session_state.update(parse(query, clips, models, frames))


def write_link() -> None:
    """After all widgets: make the address name what is shown."""
    state = st.session_state
    link = {
        "clip": state.get("clip") or "",
        "models": ",".join(state.get("models", [])),
        "order": state.get("order", "forward"),
        "frames": state.get("frames", ""),
        "layer": state.get("layer", ""),
        "beside": "1" if state.get("beside") else "",
    }
    link = {key: value for key, value in link.items() if value}
    if {key: st.query_params.get(key) for key in KEYS} != {key: link.get(key) for key in KEYS}:
        st.query_params.from_dict(link)
    st.session_state["written_link"] = link
