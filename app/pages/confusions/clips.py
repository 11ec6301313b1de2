"""Looking at the clips that a part of the Confusions page lists: each plays there and opens on
other pages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.components.sentences import escape
from app.queries.clip_films import can_be_seen, clip_to_open, film_of
from app.shell import session
from app.shell.layout import explain_error, keep_content
from app.shell.permalink import go_to
from gsm_model.errors import LensError
from gsm_model.predictions.table import Predictions

OPENS = ("compare", "gates", "gradcam")
NO_FOLDER = (
    "The app has no files of these clips. Upload one in the sidebar to look at it; the"
    " administrator can name the folder that they lie in (`GATE_SHIFT_LENS_VIDEOS`)."
)


def look_at(models: Sequence[Predictions], rows: np.ndarray, key: str, first: bool = True) -> None:
    """A choice among the clips at ``rows`` of the models' tables; the chosen one plays, and can be
    opened on other pages. ``key`` is this part's of the page; ``first``: the first is chosen
    without being asked for.
    """
    if not len(rows):
        return
    ids = models[0].ids
    if not can_be_seen(ids[rows[0]]):
        st.caption(NO_FOLDER)
        return
    places = [int(row) for row in rows]
    row = st.selectbox(
        "Look at",
        places,
        index=0 if first else None,
        format_func=lambda row: ids[row],
        key=f"{key}_clip",
        placeholder="Choose a clip",
        width=360,
    )
    if row is None:
        return
    try:
        shown = film_of(models, row)
    except LensError as error:
        explain_error(error, "Choose another clip; nothing else was changed.")
        return
    st.video(shown.content, loop=True, autoplay=True, muted=True, width=360, alt=escape(ids[row]))
    with st.container(horizontal=True):
        for page in OPENS:
            entry = st.session_state["pages"].get(page)
            if entry and st.button(
                f"Open it in {entry.title}",
                icon=entry.icon,
                key=f"open-{page}" if key == "matrix" else f"open-{key}-{page}",
                help="Chooses this clip; the models stay.",
            ):
                _open(models, row, entry)


def _open(models: Sequence[Predictions], row: int, entry: st.Page) -> None:
    try:
        name, content = clip_to_open(models, row)
    except LensError as error:
        explain_error(error, "Nothing else was changed.")
        return
    upload = keep_content(name, content)
    if upload is not None:
        session.choose_clip(upload)
        go_to(entry)
