"""The pairs on the Confusions page: which, how they print, whether the difference is real, and all
of it to take away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from app.components.downloads import ConfusionExport, confusions_command_line, confusions_zip
from app.components.media import as_printed
from app.queries.comparison import Beside, PredictionsRef, comparisons, confusion_figure
from app.shell.layout import explain_error
from gsm_model.confusion.groups import parse_groups
from gsm_model.confusion.pairs import Pair, found_pairs, parse_pairs, reversed_class_pairs
from gsm_model.confusion.significance import Comparison, class_groups, named_groups, pair_groups
from gsm_model.confusion.tables import comparison_rows
from gsm_model.errors import DataError, FontError
from gsm_model.figures.presets import PRESETS
from gsm_model.predictions.join import PairedPredictions
from gsm_model.predictions.table import Predictions

MINE = "mine"
PAIRS = {"reversed": "time reversals", "auto": "hard for A, solved by B", MINE: "my own"}
TESTS = {"pairs": "these pairs", "classes": "every class", MINE: "my own groups"}


def show_pairs(
    models: list[Predictions],
    paired: PairedPredictions | None,
    files: Sequence[PredictionsRef],
    colors: tuple[str, ...],
    beside: Beside,
) -> list[Pair]:
    """The figure of pairs, the tests, and the files, with the models' ``colors`` if a
    command must be told them, and what came ``beside`` the files;
    returns the pairs that are shown, none if there is none to show.
    """
    chosen = _choose_pairs(models, paired)
    if chosen is None:
        return []
    pairs, kind, text = chosen
    if not pairs:
        st.info(
            "No two classes are mixed up that way. Choose other pairs or models.",
            icon=":material/grid_on:",
        )
        if paired is not None:  # whether B is worse is a question too
            _show_tests(paired, [])
        return []
    left, right = st.columns([2, 3], vertical_alignment="center")
    preset = left.selectbox(
        "Figure size",
        list(PRESETS),
        index=1,
        key="preset",
        persist_state="session",
        format_func=lambda name: f"{name} ({PRESETS[name].width} in)",
    )
    italics = right.toggle(
        "*something* in italics",
        key="italics",
        persist_state="session",
        help="The words that a class name leaves open, as in Unfolding [something].",
    )
    try:
        as_printed(
            "pairs",
            confusion_figure(models, pairs, preset, italics),
            "As it prints: of the clips of each class, the per cent that are taken for either class"
            " of the pair, or another.",
            "Confusion of the classes of each pair, a matrix a model",
        )
    except FontError as error:
        explain_error(error, "The tests and charts below, and the tables of the ZIP, need no font.")
    rows, test, groups = _show_tests(paired, pairs) if paired is not None else ([], "pairs", "")
    export = ConfusionExport(
        *(tuple(files), kind, text, test, groups, preset, italics, colors, beside)
    )
    st.download_button(
        "Figure, tables, caption and recipe (ZIP)",
        lambda: confusions_zip(models, paired, rows, pairs, export),
        "confusions.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        help=(
            "The figures of the pairs, the matrix, the gains, the calibration and the scores as"
            " points, as PDF, SVG, PNG and PGF; with two models significance.csv, .tex, .md and the"
            " caption; recipe.json. Made when you click, in half a minute."
        ),
    )
    with st.expander("The same on the command line"):
        st.code(confusions_command_line(export), language="bash", wrap_lines=True)
        if text or groups:
            st.caption("With the lists above in the files that it names; the ZIP has them.")
    return pairs


def _choose_pairs(
    models: list[Predictions], paired: PairedPredictions | None
) -> tuple[list[Pair], str, str] | None:
    """The pairs, which kind they are, and the text of a person's own; ``None`` while that is empty
    or wrong, which the page then says.
    """
    known = reversed_class_pairs(models[0])
    kinds = {name: text for name, text in PAIRS.items() if name != "reversed" or known}
    if paired is None:
        kinds["auto"] = "most mixed up"
    if st.session_state.get("pairs_kind") not in kinds:
        st.session_state["pairs_kind"] = next(iter(kinds))
    kind = st.segmented_control(
        "Pairs",
        list(kinds),
        format_func=lambda name: kinds.get(name, name),
        key="pairs_kind",
        required=True,
        persist_state="session",
        wrap=True,
    )
    assert kind is not None  # the control always has a choice
    if kind == "reversed":
        return known, kind, ""
    if kind != MINE:
        return found_pairs(models[0], paired.b if paired else None), kind, ""
    text = st.text_area(
        "Two class names a line, with a comma between them",
        key="own_pairs",
        persist_state="session",
        placeholder="Folding something, Unfolding something\nPushing * left*, Pushing * right*",
        help=(
            "* stands for anything; every pair that fits is shown. Put a name with a comma in it"
            " into quotes."
        ),
    )
    if not text.strip():
        st.caption("Write the pairs, then press Ctrl and Enter.")
        return None
    try:
        return parse_pairs(text, models[0].labels, "your list"), kind, text
    except DataError as error:
        explain_error(error, "Fix the list. Nothing else was changed.")
        return None


def _show_tests(paired: PairedPredictions, pairs: list[Pair]) -> tuple[list[Comparison], str, str]:
    """The table of tests; its rows, what was tested, and the text of a person's own groups."""
    st.markdown(
        "### Is the difference real?",
        help="McNemar's exact test on the same clips, corrected for the number of tests.",
    )
    test = st.segmented_control(
        "Tested on",
        list(TESTS),
        format_func=lambda name: TESTS.get(name, name),
        default="pairs",
        required=True,
        key="tests_of",
        wrap=True,
    )
    masks, text = _groups(paired, pairs, test)
    rows = comparisons(paired, masks)
    st.dataframe(
        [
            {**row, "too few": one.too_few}
            for row, one in zip(comparison_rows(rows), rows, strict=True)
        ],
        hide_index=True,
        column_config=_COLUMNS,
    )
    return rows, ("pairs" if test == MINE and not text else test), text


def _groups(
    paired: PairedPredictions, pairs: list[Pair], test: str
) -> tuple[Mapping[str, np.ndarray], str]:
    if test == "classes":
        return class_groups(paired), ""
    if test == MINE:
        text = st.text_area(
            "A group a line: its name, a colon, class names with ; between them",
            key="own_groups",
            persist_state="session",
            placeholder=(
                "left and right: Pushing something from left to right; Pushing something from right"
                " to left\ncamera: *camera"
            ),
            help="* stands for anything; a class may be in several groups.",
        )
        try:
            if text.strip():
                return (
                    named_groups(paired, parse_groups(text, paired.a.labels, "your groups")),
                    text,
                )
            st.caption(
                "Write the groups, then press Ctrl and Enter. Until then the pairs are tested."
            )
        except DataError as error:
            explain_error(error, "Mend the groups; until then the pairs are tested.")
    return pair_groups(paired, pairs), ""


_PERCENT = st.column_config.NumberColumn(format="percent")
_P = st.column_config.NumberColumn(format="%.2g")
_COLUMNS = {
    name: _PERCENT for name in ("accuracy_a", "accuracy_b", "difference", "low", "high")
} | {name: _P for name in ("p", "p_holm", "p_bh")}
