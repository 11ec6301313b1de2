"""One system of the Systems page: its idea, a drawing, what it told, and links that load it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.sentences import escape, tenths
from app.shell.layout import link_to
from gsm_model.bundled import system_checkpoints
from gsm_model.evaluation.systems import fate, trainings
from gsm_model.exports.systems import reach_text
from gsm_model.figures.system_drawing import LEGEND, system_drawings
from gsm_model.models.registry import systems

Row = Mapping[str, Any]
BESIDE = "none"  # what a system is compared with on other pages: time left out
LINKS = {"compare": "Compare", "order": "Order", "gates": "Gates", "gradcam": "Grad-CAM"}
SPLITS = {"test": "test clips", "shifted": "shifted clips", "filmed": "filmed clips"}
FIGURES = {
    "top1": "top-1",
    "within_pair": "within pair",
    "pair": "pair",
    "changes_when_reversed": "changes when reversed",
    "reversed_to_reversed_class": "reversed to reversed class",
}


def show_system(row: Row, rows: Sequence[Row]) -> None:
    """All there is of the system of ``row``, one of ``rows``."""
    st.markdown(f"### {escape(row['title'])}")
    left, right = st.columns(2)
    with left:
        st.markdown(row["idea"])
        st.markdown(f"{escape(row['paper'])}. In `{row['file']}`; `temporal={row['name']}`.")
        _show_cost(row)
    with right:
        _draw(row["name"])
    _show_figures(row)
    _show_links(row, rows)


def _draw(name: str) -> None:
    drawings = system_drawings(systems()[name])
    plus = '<span style="font-size: 1.4rem">+</span>'
    st.markdown(
        '<div style="display: flex; flex-wrap: wrap; align-items: center; gap: 12px">'
        f"{plus.join(drawings)}</div>",
        unsafe_allow_html=True,  # st.html takes no drawings
    )
    st.caption(LEGEND)


def _show_cost(row: Row) -> None:
    if row["parameters"] is None:
        st.markdown("What it costs was not measured.")
        return
    text = (
        f"**{row['parameters'] / 1e6:.2f} M** parameters, **{row['gmacs']:.1f} GMAC** a clip; the"
        f" scores of a frame can depend on frames {reach_text(row['reach'])}"
    )
    if found := row["measured_reach"]:
        text += f" (by its structure; changing frames one by one gives {reach_text(found)})"
    if latency := row["latency_ratio"]:
        machine = escape(str(latency.get("name", latency.get("device", ""))))
        text += (
            f"; a forward pass takes {latency['ratio']:.2f} times TSN's ({latency['low']:.2f} to"
            f" {latency['high']:.2f}; {machine})"
        )
    if step := row["training_ratio"]:
        text += (
            f", a step of training {step['ratio']:.2f} times TSN's ({step['low']:.2f} to"
            f" {step['high']:.2f})"
        )
    st.markdown(f"{text}.")


def _show_figures(row: Row) -> None:
    """What it told, split by split, with intervals."""
    told = {name: row[split] for split, name in SPLITS.items() if row.get(split)}
    if not told:
        st.markdown(f"**{fate(row).capitalize()}** by the common recipe.")
        return
    names = [name for name in FIGURES if any(name in figures for figures in told.values())]
    heads = [f"{name} ({figures['top1']['n']:,})" for name, figures in told.items()]
    lines = [f"| figure | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name in names:
        cells = [_share(figures.get(name)) for figures in told.values()]
        lines.append(f"| {FIGURES[name]} | {' | '.join(cells)} |")
    st.markdown("\n".join(lines))
    for split, name in SPLITS.items():
        if several := trainings(row, split):
            values = ", ".join(tenths(value).replace(" ", "\u00a0") for value in several)
            st.caption(f"Within pair on {name} of its {len(several)} trainings: {values}.")


def _share(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "–"
    ends = f"{100 * figure['low']:.1f} to {100 * figure['high']:.1f}"
    return f"{tenths(figure['value'])} ({ends})".replace(" %", "\u00a0%")


def key_of(row: Row) -> str | None:
    """What the trained checkpoint of ``row`` is called in an address; ``None`` where there is no
    file.
    """
    key = str(row["checkpoint"] or "").removesuffix(".safetensors")
    return key if key in system_checkpoints() else None


def _show_links(row: Row, rows: Sequence[Row]) -> None:
    key = key_of(row)
    if key is None:
        if row["checkpoint"]:
            st.caption("Its trained weights did not come with this installation.")
        return
    [beside] = [key_of(one) for one in rows if one["name"] == BESIDE]
    alone = beside in (None, key)
    together = "" if alone else ", on all but Gates beside the TSN trained alike"
    st.markdown(f"Its trained network{together}:")
    with st.container(horizontal=True):
        for module, title in LINKS.items():
            if not (module == "gates" and row["name"] == BESIDE):
                models = key if alone or module == "gates" else f"{key},{beside}"
                link_to(module, f"**{title}**", {"models": models})
