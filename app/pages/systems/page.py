"""Systems: what can each way to put time into a 2D network tell, and at what price?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.cache.charts import drawn
from app.components.downloads import packed
from app.components.sentences import systems_tell
from app.pages.systems import charts
from app.pages.systems.detail import show_system
from app.pages.systems.inputs import show_inputs
from app.queries.systems import beside_gsm, rows_of_inputs, rows_of_systems
from app.shell.layout import Choices, explain_error, heading
from gsm_model.confusion.system_differences import SystemDifference
from gsm_model.confusion.tables import p_text
from gsm_model.errors import LensError
from gsm_model.evaluation.system_probes import probed, probes_recipe
from gsm_model.evaluation.systems import fate, is_trained, measured, systems_file, trainings_text
from gsm_model.exports.provenance import Input, Recipe
from gsm_model.exports.system_probes import figure_of_probes, latex_of_probes
from gsm_model.exports.systems import (
    figure_of_systems,
    latex_of_systems,
    reach_text,
    systems_caption,
    trained_network,
)

QUESTION = "What can each system tell, and at what price?"
Row = Mapping[str, Any]
SPLIT_NAMES = {"test": "test clips", "shifted": "shifted clips"}
FIRST = "gsm"
WORDS = """
- **system**: a way to put time into a 2D network. All stand in the same backbone, keep all frames and average their scores.
- **trained alike**: one recipe, the same drawn clips in the same order, for the steps that the caption says: after few, the table says who learns the order of frames soon, not who learns it best. The networks that were trained are narrower and see smaller pictures than those whose cost is shown; which, the caption says.
- **within pair**: the class scores higher than its time reversal; a guess gives 50 %. **top-1**: the likeliest class is the right one.
- **trainings**: the lowest and the highest within pair of several trainings of a system, and how many; what stands beside it is of the first. The intervals are of clips alone, and do not say how far trainings differ.
- **changes**: answers that change when the frames are reversed. Where nothing crosses time, none can.
- **− GSM**: within pair less GSM's on the same clips, in points; **p** by McNemar's exact test, corrected after Holm for the number of systems. It is of these trained networks: another seed may differ otherwise.
- **reach**: how many frames back and ahead the scores of a frame can depend on, of a clip of 8.
- **GMAC**: thousand million multiply-adds, of a ResNet-18 with 174 classes and 8 frames of 224 × 224 pixels. **latency**: the time of a forward pass over TSN's, measured in turn.
- **shifted clips**: drawn clips with patterns, outlines and camera motions that training never shows.
"""  # noqa: E501


def show(choices: Choices) -> None:
    """The table, one system of it, and what was measured of all as charts."""
    top = st.container()
    try:
        rows, inputs = rows_of_systems(), rows_of_inputs()
    except LensError as error:
        with top:
            st.markdown(f"## {QUESTION}")
            explain_error(error, "Nothing else was changed.")
        return
    split = _choose_split(rows)
    found = measured(rows, split)
    differences = beside_gsm(split)
    with top:
        heading(QUESTION, systems_tell(rows, split, differences))
    chosen = _show_table([*found, *(row for row in rows if not row[split])], split, differences)
    if found:
        st.caption(
            f"Trained alike{trained_network(found)}, of each the first training. Cost and reach are"
            " of a ResNet-18 of full width with 174 classes and 8 frames of 224 × 224 pixels."
        )
    show_system(next(row for row in rows if row["name"] == chosen), rows)
    if found:
        _show_cost(found, split, chosen)
    _show_curves(rows, chosen)
    if any((row["pairs"] or {}).get(split) for row in found):
        _show_pairs(found, split)
    if of_time := probed([*rows, *inputs]):
        _show_probes(of_time)
    show_inputs(inputs)
    _show_export(rows, inputs, split)
    with st.expander("What do these words mean?"):
        st.markdown(WORDS)


def _choose_split(rows: Sequence[Row]) -> str:
    """The clips that what is told is of; nothing to choose where nothing was trained."""
    if not any(is_trained(row) for row in rows):
        return "test"
    return st.segmented_control(
        "Measured on",
        list(SPLIT_NAMES),
        format_func=lambda split: SPLIT_NAMES.get(split, split),
        default="test",
        required=True,
        key="systems_split",
        persist_state="session",
    )


# The table


def _show_table(
    rows: Sequence[Row], split: str, differences: Mapping[str, SystemDifference]
) -> str:
    """The table, and the name of the system that is chosen in it or below it."""
    names = [row["name"] for row in rows]
    if st.session_state.get("system") not in names:
        st.session_state["system"] = FIRST if FIRST in names else names[0]
    shown = table_of(rows, split, differences)
    key = f"systems_table_{split}"
    _tick(key, names.index(st.session_state["system"]))
    st.dataframe(
        shown,
        hide_index=True,
        height=min(38 + 35 * len(rows), 460),
        column_config={
            "system": st.column_config.TextColumn(pinned=True, width=130),
            **{
                name: st.column_config.NumberColumn(format=form)
                for name, form in NUMBERS.items()
                if name in shown
            },
        },
        key=key,
        on_select=_choose_row,
        selection_mode="single-row-required",
        placeholder="–",
        alt="The systems, with what each costs and what it tells",
    )
    titles = {row["name"]: row["title"] for row in rows}
    st.session_state["systems_in_table"] = (key, names)
    return st.selectbox(
        "System, or click a row",
        names,
        format_func=lambda name: titles.get(name, name),
        key="system",
        persist_state="session",
    )


NUMBERS = {
    "within pair": "%.1f",
    "top-1": "%.1f",
    "changes": "%.1f",
    "− GSM": "%+.1f",
    "parameters, M": "%.2f",
    "GMAC": "%.1f",
    "latency": "×%.2f",
}
TOLD = {
    "within_pair": ("within pair", "within pair, 95 %"),
    "top1": ("top-1", "top-1, 95 %"),
    "changes_when_reversed": ("changes", "changes, 95 %"),
}


def table_of(
    rows: Sequence[Row], split: str, differences: Mapping[str, SystemDifference]
) -> dict[str, list[Any]]:
    """The columns of the table, shares in per cent; those of which nothing is known are left
    out.
    """
    columns: dict[str, list[Any]] = {
        "system": [row["title"] for row in rows],
        "training": [fate(row) for row in rows],
    }
    for figure, (name, interval) in TOLD.items():
        told = [(row[split] or {}).get(figure) for row in rows]
        # Rounded as the sentences are: a browser rounds halves up.
        columns[name] = [None if one is None else round(100 * one["value"], 1) for one in told]
        columns[interval] = [None if one is None else _ends(one) for one in told]
    columns["trainings"] = [trainings_text(row, split) for row in rows]
    tested = [differences.get(row["name"]) for row in rows]
    columns["− GSM"] = [None if one is None else round(100 * one.difference, 1) for one in tested]
    columns["p"] = [None if one is None else p_text(one.p_holm) for one in tested]
    costs = {"parameters, M": "parameters", "GMAC": "gmacs", "latency": "latency"}
    for name, cost in costs.items():
        columns[name] = [charts.cost_of(row, cost) for row in rows]
    columns["reach"] = [None if row["reach"] is None else reach_text(row["reach"]) for row in rows]
    return {
        name: values
        for name, values in columns.items()
        if any(value is not None for value in values)
    }


def _ends(share: Mapping[str, float]) -> str:
    return f"{100 * share['low']:.1f} to {100 * share['high']:.1f}"


def _tick(key: str, row: int) -> None:
    """Have the row of the chosen system ticked in the table ``key``, wherever it was chosen."""
    now = st.session_state.get(key)
    # Set only where it differs: a tick that is set redraws the table.
    if now is None or list(now["selection"]["rows"]) != [row]:
        st.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}


def _choose_row() -> None:
    """Take over the row that was clicked."""
    key, names = st.session_state["systems_in_table"]
    rows = st.session_state[key].selection.rows
    if rows and rows[0] < len(names):
        st.session_state["system"] = names[rows[0]]


# What was measured, as charts


def _show_cost(found: Sequence[Row], split: str, chosen: str) -> None:
    st.markdown(
        "### What is it worth?",
        help=(
            "Each point is a system, with its 95 % interval; small ones above or below are further"
            " trainings of it. Named are the chosen one, GSM, TSN and, where there is room,"
            " those that none cheaper is as good as (dotted). At 50 % is a guess."
        ),
    )
    costs = [
        cost for cost in charts.COSTS if any(charts.cost_of(row, cost) is not None for row in found)
    ]
    cost = st.segmented_control(
        "Against",
        costs,
        format_func=lambda name: charts.COSTS.get(name, name),
        default=costs[0] if costs else None,
        required=True,
        key="systems_cost",
    )
    if cost:
        st.plotly_chart(
            drawn(charts.against_cost, found, split, cost, chosen),
            key="systems-cost",
            alt=f"Within-pair accuracy of each system against its {charts.COSTS[cost]}",
        )


def _show_curves(rows: Sequence[Row], chosen: str) -> None:
    learnt = [row for row in rows if row["curve"]]
    if not learnt:
        return
    st.markdown(
        "### When in training is the direction learnt?",
        help=(
            "Training clips whose class scores above its time reversal, in means over equal parts"
            " of the training; of trainings that did not note it, right answers. A network that"
            " guesses the direction (and knows the pair) is on the dotted line."
        ),
    )
    st.plotly_chart(
        drawn(charts.curves, learnt, chosen),
        key="systems-curves",
        alt="Within-pair accuracy on training clips over the steps of training, a line a system",
    )


def _show_pairs(found: Sequence[Row], split: str) -> None:
    st.markdown(
        "### Which pairs does it tell apart?",
        help=(
            "Within-pair accuracy, by pair of an action and its reversal, named by its first"
            " action. White is a guess, orange right, blue the wrong way round."
        ),
    )
    st.plotly_chart(
        drawn(charts.pairs, found, split),
        key="systems-pairs",
        alt="Within-pair accuracy of each system on each pair of actions",
    )


def _show_probes(found: Sequence[Row]) -> None:
    st.markdown(
        "### What can it tell of time?",
        help=(
            "Right answers to the temporal probes, whose classes have the very same frames and"
            " differ in their order alone. White is a guess; color and side are controls, which one"
            " frame answers. 1 to 7 apart: which first, by the frames between the two events."
        ),
    )
    st.caption(f"Trained alike on the probes, {probes_recipe(found)}.")
    st.plotly_chart(
        drawn(charts.probes, found),
        key="systems-probes",
        alt="Right answers of each system to each temporal probe",
    )


# Export


def _show_export(rows: Sequence[Row], inputs: Sequence[Row], split: str) -> None:
    with st.expander("Export"):
        st.caption(systems_caption(rows, split))
        left, right = st.columns(2)
        left.download_button(
            "Figure and LaTeX table (ZIP)" if measured(rows, split) else "LaTeX table (ZIP)",
            lambda: packed(_files(rows, inputs, split)),
            "systems.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
        )
        right.download_button(
            "All figures (JSON)",
            lambda: json.dumps(rows, ensure_ascii=False, indent=1),
            "systems.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.code(_recipe(rows, split).command, language="bash", wrap_lines=True)


def _recipe(rows: Sequence[Row], split: str) -> Recipe:
    figure = ("--figure", "systems.pdf") if measured(rows, split) else ()
    path = systems_file()
    return Recipe(
        ("systems", *figure, "--latex", "systems.tex", "--split", split),
        (Input.of(path),) if path.is_file() else (),
    )


def _files(rows: Sequence[Row], inputs: Sequence[Row], split: str) -> dict[str, bytes]:
    recipe = _recipe(rows, split)
    files = latex_of_systems("systems", rows, split, recipe)
    if measured(rows, split):
        files |= figure_of_systems("systems", "pdf", rows, split, recipe)
    if of_time := probed([*rows, *inputs]):
        typed = ("systems", "--figure", "probes.pdf", "--latex", "probes.tex", "--split", "probes")
        recipe = Recipe(typed, recipe.inputs)
        files |= latex_of_probes("probes", of_time, recipe)
        files |= figure_of_probes("probes", "pdf", of_time, recipe)
    return files
