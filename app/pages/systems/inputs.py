"""What a TSN can be given in place of pictures: the idea, the cost and what it told of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.components.sentences import escape
from gsm_model.evaluation.system_probes import share_of

Row = Mapping[str, Any]
TOLD = ("which first", "direction", "speed")  # the probes that the table shows
NUMBERS = {
    "parameters, M": "%.2f",
    "GMAC": "%.1f",
    "time": "×%.2f",
    "of it motion": "×%.2f",
    **{probe: "%.1f" for probe in TOLD},
}


def show_inputs(rows: Sequence[Row]) -> None:
    """The table of ``rows`` (`inputs_table`), and the idea of each."""
    st.markdown(
        "### And if a TSN sees motion?",
        help=(
            "The network is a TSN, in which nothing crosses time; what it is given is motion. Right"
            " answers to three of the temporal probes, in per cent; a guess gives 50 %. Time is"
            " that of an answer over TSN's, from the frames on; *of it motion* is what computing"
            " the motion takes, which no GMAC counts."
        ),
    )
    shown = table_of(rows)
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "input": st.column_config.TextColumn(pinned=True, width=150),
            **{
                name: st.column_config.NumberColumn(format=form)
                for name, form in NUMBERS.items()
                if name in shown
            },
        },
        key="systems_inputs",
        placeholder="–",
        alt="What a TSN can be given, with what it costs and what it tells",
    )
    st.caption(
        "Cost is of a ResNet-18 of full width with 174 classes and 8 segments of 224 × 224 pixels,"
        " one field a segment; what was trained is smaller, as above."
    )
    with st.expander("What are these?"):
        st.markdown("\n".join(map(_described, rows)))


def _described(row: Row) -> str:
    return f"- **{escape(row['title'])}** ({escape(row['paper'])}; `{row['file']}`). {row['idea']}"


def table_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The columns of the table, shares in per cent; those of which nothing is known are left
    out.
    """
    columns: dict[str, list[Any]] = {"input": [row["title"] for row in rows]}
    for probe in TOLD:
        shares = [_share(row, probe) for row in rows]
        columns[probe] = [None if one is None else round(100 * one["value"], 1) for one in shares]
        columns[f"{probe}, 95 %"] = [
            None if one is None else f"{100 * one['low']:.0f} to {100 * one['high']:.0f}"
            for one in shares
        ]
    columns["parameters, M"] = [_of(row["parameters"], 1e-6) for row in rows]
    columns["GMAC"] = [_of(row["gmacs"]) for row in rows]
    for name, key in (("time", "ratio"), ("of it motion", "motion")):
        columns[name] = [_of((row["latency_ratio"] or {}).get(key)) for row in rows]
    return {
        name: values
        for name, values in columns.items()
        if any(value is not None for value in values)
    }


def _share(row: Row, probe: str) -> Mapping[str, Any] | None:
    try:
        return share_of(row, probe) if row["probes"] else None
    except KeyError:  # not measured, or it diverged
        return None


def _of(value: float | None, unit: float = 1.0) -> float | None:
    return None if value is None else unit * value
