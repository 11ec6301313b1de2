"""Which attributions find what is known: the section of the Grad-CAM page with the stored test."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.components.sentences import escape, percent
from app.queries.cams import known_answers
from app.shell.layout import Choices

HELP = (
    "Drawn clips in which only some frames show the action, at a random place; the others show the"
    " same scene without it. **Where**: of a map's positive values in those frames, the share on"
    " what moves. **When**: of all its positive values, the share in those frames. **Which way**:"
    " on how many clips the map of the class sums to more than the map of the same action"
    " backwards. **ρ**: the rank correlation of these two maps. **Passes**: a map's time over that"
    " of a forward pass. In parentheses: 95 % intervals over the clips."
)
COMMAND = "python -m gsm_model benchmark attribution"


def show_known_answers(choices: Choices) -> None:
    """The stored table of each chosen model that was measured, and the command that makes one."""
    box = st.expander("Which methods find a known answer?", on_change="rerun", key="known_answers")
    with box:
        if not box.open:
            return
        st.caption(HELP)
        for ref in choices.models:
            name, found = escape(choices.names[ref.key]), known_answers(ref)
            if found is None:
                st.markdown(f"**{name}** was not measured.")
                continue
            st.markdown(described(name, found))
            st.dataframe(shown_rows(found), hide_index=True, height="content")
        st.code(COMMAND, language="bash", wrap_lines=True)


def described(name: str, found: Mapping) -> str:
    """What the table of ``found`` (`attribution_object`) is of, what chance reaches, and how often
    the model itself is right.
    """
    measures = {one["metric"]: one for one in found["measures"]}
    chance, within = found["chance"], measures["within pair"]
    return (
        f"**{name}**, {found['clips']:,} clips of {escape(found['data'])}, the action in"
        f" {found['frames_with_action']} of {found['frames']} frames. By chance: where"
        f" {percent(chance['where'])}, when {percent(chance['when'])}, which way 50 %. The model"
        f" itself scores the class above its reversal on {percent(within['value'])}"
        f" ({percent(within['low'])} to {percent(within['high'])})."
    )


def shown_rows(found: Mapping) -> list[dict[str, str]]:
    """The table as it is shown: one row a method."""
    return [
        {
            "method": row["method"],
            "where": _span(row, "where"),
            "when": _span(row, "when"),
            "which way": "one map for both" if _has_one_map(row) else _span(row, "which_way"),
            "ρ": "" if _has_one_map(row) else f"{row['correlation']:+.2f}".replace("-", "−"),
            "passes": f"{row['cost']:.1f}",
        }
        for row in found["rows"]
    ]


def _has_one_map(row: Mapping) -> bool:
    return row["correlation"] is None


def _span(row: Mapping, name: str) -> str:
    if row[name] is None:
        return "no positive value"
    low, high = percent(row[f"{name}_low"]), percent(row[f"{name}_high"])
    return f"{percent(row[name])} ({low} to {high})"
