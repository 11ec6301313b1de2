"""Get a published model: matched pairs first, then the whole catalogue; what runs, what is here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.sentences import escape
from app.shell import session
from app.shell.layout import explain_error
from app.shell.permalink import go_to
from app.shell.published import Job, downloads
from gsm_model.errors import DownloadError, LensError
from gsm_model.models.published.catalogue import (
    MatchedPair,
    Published,
    catalogue,
    find,
    matched_pairs,
)
from gsm_model.models.published.store import (
    cache_folder,
    delete,
    downloads_allowed,
    is_cached,
    place_of,
)

TITLE = "Get a published model"
ANCHOR = "get-a-published-model"
LOOK_EVERY = 0.5  # seconds, while something is downloaded
GET, LOAD = "Get", "Load"
SHOWN = {"loads": "loadable", "here": "here", "all": "all"}


def show() -> None:
    """The section."""
    st.markdown(f"### {TITLE}")
    allowed = _allowed()
    if message := st.session_state.pop("published_added", None):
        st.success(message, icon=":material/check_circle:")
    st.markdown(
        f"{len(catalogue())} checkpoints are listed,"
        f" {sum(one.loadable for one in catalogue().values())} of which load here. They come from"
        " their publishers, are checked, and stay on this computer; other pages can be used"
        " meanwhile. Accuracies are the authors' own."
    )
    if not allowed:
        st.info(
            "Downloads are switched off here (GATE_SHIFT_LENS_DOWNLOADS). What is here already can"
            " be loaded.",
            icon=":material/cloud_off:",
        )
    _show_running()
    for fault in st.session_state.get("published_faults", []):
        explain_error(DownloadError(fault), "Nothing was loaded.")
    if not downloads().of(session.user_session().name):  # else the page is shown anew when they end
        st.session_state["published_faults"] = []
    _show_pairs(allowed)
    _show_catalogue(allowed)
    _show_what_is_here(allowed)


def _allowed() -> bool:
    try:
        return downloads_allowed()
    except DownloadError as error:
        explain_error(error, "Please contact the administrator.")
        return False


# What runs


def take_what_came() -> None:
    """Offer models whose download has ended, or whose file was here, to this session; a pair that
    is whole is compared. Before anything of the page is shown.
    """
    pair = st.session_state.get("pair_wanted", ())
    to_load = st.session_state.pop("published_to_load", [])
    for job in downloads().take_ended(session.user_session().name):
        if job.path is None:
            _note_fault(job.fault)
            pair = st.session_state["pair_wanted"] = ()
        elif job.one.name not in pair:
            to_load.append(job.one.name)
    if pair and all(is_cached(find(name)) for name in pair):
        st.session_state["pair_wanted"] = ()
        if _load(pair):
            st.session_state["choose_models"] = list(pair)
            go_to(st.session_state["pages"]["compare"])
    if to_load and _load(to_load):
        st.session_state["published_added"] = (
            f"Loaded {escape(', '.join(to_load))}; chosen in the sidebar, ready on Compare."
        )
        st.rerun()


def _load(names: Sequence[str]) -> bool:
    """Offer models whose files are here; whether all could be loaded."""
    try:
        with st.spinner("Reading the checkpoints …"):
            for name in names:
                session.add_published(find(name))
    except LensError as error:
        _note_fault(str(error))
        return False
    return True


def _note_fault(fault: str) -> None:
    """Have the section say what went wrong."""
    st.session_state.setdefault("published_faults", []).append(fault)


def _show_running() -> None:
    if downloads().of(session.user_session().name):
        st.fragment(run_every=LOOK_EVERY)(_running)()


def _running() -> None:
    """A bar a download, each with a button that stops it."""
    jobs = downloads().of(session.user_session().name)
    if not jobs or any(job.ended for job in jobs):
        st.rerun()
    for job in jobs:
        with st.container(horizontal=True, vertical_alignment="center", key=f"job-{job.one.name}"):
            st.progress(job.share, f"{job.one.name}: {job.in_words()}")
            st.button(
                "Cancel",
                icon=":material/close:",
                key=f"cancel-{job.one.name}",
                help="What came is kept; the next download goes on from there.",
                on_click=_stop,
                args=(job,),
            )


def _stop(job: Job) -> None:
    downloads().drop(job.one.name, session.user_session().name)
    pair = st.session_state.get("pair_wanted", ())
    if job.one.name in pair:
        st.session_state["pair_wanted"] = ()
        for name in pair:
            downloads().drop(name, session.user_session().name)


# Matched pairs


def _show_pairs(allowed: bool) -> None:
    pairs = [
        pair for pair in matched_pairs() if allowed or all(is_cached(one) for one in pair.models)
    ]
    if not pairs:
        return
    st.markdown(
        "**Matched pairs**: one publisher, backbone, data set and number of frames; in the first"
        " nothing crosses time."
    )
    _show_pair(pairs[0])
    if pairs[1:]:
        with st.expander(f"{len(pairs) - 1} more pairs"):
            for pair in pairs[1:]:
                _show_pair(pair)


def _show_pair(pair: MatchedPair) -> None:
    first, second = pair.models
    accuracies = " · ".join(
        f"{one.system_title} {one.accuracy[0].top1:.1f} %"
        + (f" ({one.accuracy[0].protocol})" if one.accuracy[0].protocol else "")
        for one in pair.models
    )
    megabytes = sum(one.megabytes or 0 for one in pair.models)
    with st.container(border=True, key=f"pair-{second.name}"):
        left, right = st.columns([3, 1], vertical_alignment="center")  # below each other on a phone
        with left:
            st.markdown(
                f"**{first.system_title} and {second.system_title}, {second.backbone_title},"
                f" {second.frames} frames, {second.data}**  \n{accuracies}"
            )
            st.caption(
                f"{second.publisher} · {megabytes:.0f} MB · code {second.licence}"
                f" · {second.terms} {pair.note}"
            )
        here = all(is_cached(one) for one in pair.models)
        wanted = st.session_state.get("pair_wanted") == (first.name, second.name)
        right.button(
            "Compare" if here else "Get both and compare",
            icon=":material/compare_arrows:" if here else ":material/download:",
            key=f"get-{second.name}",
            disabled=wanted,
            width="stretch",
            on_click=_want_pair,
            args=(pair,),
        )


def _want_pair(pair: MatchedPair) -> None:
    st.session_state["pair_wanted"] = tuple(one.name for one in pair.models)
    for one in pair.models:
        if not is_cached(one):
            downloads().start(one, session.user_session().name)


# The catalogue


def _show_catalogue(allowed: bool) -> None:
    found = _filtered()
    st.caption(f"{len(found)} of {len(catalogue())}")
    loaded = {ref.published for ref in session.models().values()}
    waiting = {job.one.name for job in downloads().of(session.user_session().name)}
    actions = [_action(one, allowed, loaded, waiting) for one in found]
    st.dataframe(
        {
            "get": actions,
            "name": [one.name for one in found],
            "system": [one.system_title for one in found],
            "data": [one.data for one in found],
            "frames": [one.frames for one in found],
            "top-1": [one.top1 for one in found],
            "protocol": [_protocol(one) for one in found],
            "MB": [one.megabytes for one in found],
            "licence": [one.licence for one in found],
            "needs": [one.needs for one in found],
            "note": [one.note for one in found],
            "page": [one.page for one in found],
        },
        hide_index=True,
        height=min(38 + 35 * max(len(found), 1), 400),
        column_config={
            "get": st.column_config.ButtonColumn(
                key="catalogue_click", on_click=_click, args=(tuple(found),), pinned=True
            ),
            "name": st.column_config.TextColumn(width=290),
            "top-1": st.column_config.NumberColumn(
                format="%.1f", help="Percent, as the authors state it, under their protocol."
            ),
            "MB": st.column_config.NumberColumn(
                format="%d",
                help="Of float32 weights, where the publisher does not state the file's size.",
            ),
            "licence": st.column_config.TextColumn(
                help="Of the publisher's code. The data set's terms may bind the weights too."
            ),
            "needs": st.column_config.TextColumn(help="What this version lacks to load it."),
            "page": st.column_config.LinkColumn(display_text="open"),
        },
        key="catalogue",
        alt="The published checkpoints that the filters leave",
    )


def _protocol(one: Published) -> str:
    return one.accuracy[0].protocol or "not stated" if one.accuracy else ""


def _action(one: Published, allowed: bool, loaded: set[str], waiting: set[str]) -> str | None:
    """What the button of a row says; nothing where there is nothing to do."""
    if not one.loadable or one.name in loaded or one.name in waiting:
        return None
    if is_cached(one):
        return LOAD
    return GET if allowed else None


def _click(found: tuple[Published, ...]) -> None:
    click = st.session_state["catalogue_click"]
    one = found[click["row"]]
    if is_cached(one):
        st.session_state["published_to_load"] = [one.name]
    elif downloads_allowed():
        downloads().start(one, session.user_session().name)


def _filtered() -> list[Published]:
    """What the filters leave, in the catalogue's order."""
    rows = list(catalogue().values())
    left, middle, right = st.columns(3)
    data = left.multiselect("Data", sorted({one.data for one in rows}), key="published_data")
    systems = middle.multiselect(
        "System", list(dict.fromkeys(one.system_title for one in rows)), key="published_system"
    )
    which = right.segmented_control(
        "Which", list(SHOWN), format_func=SHOWN.__getitem__, default="loads", key="published_which"
    )
    with st.expander("More filters"):
        left, middle, right, last = st.columns(4)
        frames = left.multiselect(
            "Frames", sorted({one.frames for one in rows if one.frames}), key="published_frames"
        )
        least = middle.number_input(
            "Top-1 at least", 0.0, 100.0, 0.0, 5.0, key="published_top1", format="%g"
        )
        most = right.number_input(
            "MB at most", 0, 2000, 0, 50, key="published_megabytes", help="0 is no limit."
        )
        licences = last.multiselect(
            "Licence", sorted({one.licence for one in rows}), key="published_licence"
        )
    return [
        one
        for one in rows
        if (not data or one.data in data)
        and (not systems or one.system_title in systems)
        and (not frames or one.frames in frames)
        and (not licences or one.licence in licences)
        and (not least or (one.top1 or 0) >= least)
        and (not most or (one.megabytes is not None and one.megabytes <= most))
        and (which != "loads" or one.loadable)
        and (which != "here" or is_cached(one))
    ]


# What is here


def _show_what_is_here(allowed: bool) -> None:
    here = [one for one in catalogue().values() if is_cached(one)]
    if not here:
        return
    total = sum(place_of(one).stat().st_size for one in here if is_cached(one)) / 1e6
    with st.expander(f"{len(here)} published files are here, {total:,.0f} MB"):
        st.caption(f"They lie in `{cache_folder()}`.")
        for one in here:
            left, right = st.columns([5, 1], vertical_alignment="center")
            left.markdown(f"`{one.name}/{one.file}`")
            if allowed:
                right.button(
                    "Delete",
                    icon=":material/delete:",
                    key=f"delete-{one.name}",
                    on_click=_delete,
                    args=(one,),
                )


def _delete(one: Published) -> None:
    st.session_state.get("loaded_models", {}).pop(one.name, None)
    try:
        delete(one)
    except DownloadError as error:
        _note_fault(str(error))
