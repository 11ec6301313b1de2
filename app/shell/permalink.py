"""The address of what is shown: clip, models, order, frames and layer in the URL, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

import streamlit as st

from gsm_model.explain.cam.names import METHODS
from gsm_model.video.sampling import ORDERS

SHOWN = 40  # characters of a name that is told
KEYS = (
    "clip",
    "models",
    "order",
    "frames",
    "layer",
    "beside",
    "target",
    "versus",
    "method",
    "map_layer",
)


def parse(
    query: Mapping[str, str], clips: Sequence[str], models: Sequence[str], frames: Sequence[str]
) -> dict[str, object]:
    """The choices that a query names and that exist here; what it names wrongly is left out.

    ``models`` is a list separated by commas; those that exist are kept once, in the query's
    order.
    ``layer`` (of gates) and ``map_layer`` are kept if they may be a layer's name, ``beside`` (the
    other order beside the chosen one) is 1 or left out; ``target`` and ``versus`` are numbers of
    classes, ``method`` how maps are made.
    """
    known = {"clip": clips, "order": ORDERS, "frames": frames}
    choices: dict[str, object] = {
        key: query[key] for key, options in known.items() if query.get(key) in options
    }
    named = dict.fromkeys(key for key in query.get("models", "").split(",") if key in models)
    if named:
        choices["models"] = list(named)
    for key in ("layer", "map_layer"):
        if re.fullmatch(r"[\w.:]{1,64}", query.get(key, "")):
            choices[key] = query[key]
    for key in ("target", "versus"):
        if re.fullmatch(r"\d{1,4}", query.get(key, "")):
            choices[key] = int(query[key])
    if query.get("method") in METHODS:
        choices["method"] = query["method"]
    if query.get("beside") == "1":
        choices["beside"] = True
    return choices


def not_here(query: Mapping[str, str], clips: Sequence[str], models: Sequence[str]) -> list[str]:
    """The clip and the models that a query names and that do not exist here, cut to `SHOWN`."""
    named = [("clip", query.get("clip", ""), clips)]
    named += [("model", key, models) for key in dict.fromkeys(query.get("models", "").split(","))]
    missing = [(what, key) for what, key, known in named if key and key not in known]
    cut = [key if len(key) <= SHOWN else f"{key[: SHOWN - 1]}…" for _, key in missing]
    return [f"{what} “{key}”" for (what, _), key in zip(missing, cut, strict=True)]


def apply_link(clips: Sequence[str], models: Sequence[str], frames: Sequence[str]) -> None:
    """Before any widget: take over what the address says, if a person opened it or went back to
    it.
    """
    query = {key: st.query_params[key] for key in KEYS if key in st.query_params}
    # Going to another page empties the query; that is no wish to lose the choices.
    if query and query != st.session_state.get("written_link"):
        st.session_state.update(parse(query, clips, models, frames))
        st.session_state["not_here"] = not_here(query, clips, models), None
        # Taken over once: what is clicked before this run has ended counts more in the next.
        st.session_state["written_link"] = query


def _number(index: int | None) -> str:
    return "" if index is None or index < 0 else str(index)


def current_link() -> dict[str, str]:
    """What is shown now, as an address says it."""
    state = st.session_state
    link = {
        "clip": state.get("clip") or "",
        "models": ",".join(state.get("models", [])),
        "order": state.get("order", "forward"),
        "frames": state.get("frames", ""),
        "layer": state.get("layer", ""),
        "beside": "1" if state.get("beside") else "",
        "target": _number(state.get("target")),
        "versus": _number(state.get("versus")),
        "method": state.get("method", ""),
        "map_layer": state.get("map_layer", ""),
    }
    return {key: value for key, value in link.items() if value}


def write_link() -> None:
    """After all widgets: make the address name what is shown.

    But not where the address of the page that is shown was emptied: that is a step back, to before
    it was written, and writing it again would lead forward once more, for ever.
    """
    link, page = current_link(), st.session_state.get("page_now")
    said = {key: st.query_params.get(key) for key in KEYS}
    stepped_back = not any(said.values()) and (page, link) == (
        st.session_state.get("linked_page"),
        st.session_state.get("written_link"),
    )
    if said != {key: link.get(key) for key in KEYS} and not stepped_back:
        st.query_params.from_dict(link)
    st.session_state["linked_page"], st.session_state["written_link"] = page, link


def go_to(page: st.Page) -> NoReturn:
    """Show another page now; what is chosen stays chosen, which streamlit itself would forget."""
    st.session_state["written_link"] = None
    st.switch_page(page, query_params=current_link())
