"""Confusions: which classes does each model mix up, and is the difference real?"""

from __future__ import annotations

import streamlit as st

from app import charts_confusions, session
from app.confusion_matrix import show_matrix
from app.exports import confusions_command_line, confusions_zip
from app.frame import Choices, distinct, explain_error, heading
from app.sentences import compared, escape, tenths
from gsm_model.confusion.answers import Answers, Joined, join_answers
from gsm_model.confusion.pairs import found_pairs, reversed_class_pairs
from gsm_model.confusion.significance import class_groups, pair_groups
from gsm_model.confusion.tables import comparison_rows
from gsm_model.data.labels import read_labels
from gsm_model.errors import LensError
from gsm_model.figures.presets import PRESETS

QUESTION = "Which classes does each model mix up, and is the difference real?"
KINDS_OF_FILE = (".parquet", ".npz", ".csv")
PAIRS = {"reversed": "time reversals", "auto": "hard for A, solved by B"}
WORDS = """
- **only A, only B**: clips that just one of the two models gets right; McNemar's exact test asks whether they could as well have been the other's.
- **Holm, BH**: p after correction for the number of tests, so that among all of them a false alarm (Holm), or their share (Benjamini and Hochberg), stays below 5 %.
- **interval**: 95 %, from 10,000 resamples of the clips, both models' answers to a clip drawn together.
- **too few**: the models disagree on fewer than 6 clips, so that no outcome of the test could reach 5 %.
- Scores are logits that were averaged over the views of a clip by whoever wrote the file; the answer is the largest.
"""


def show(choices: Choices) -> None:
    """Two models' answers to the same clips: pairs, tests, matrices, and files to take away."""
    top = st.container()
    files, labels = _choose_files()
    if not files:
        with top:
            heading(QUESTION, "No answers came with this installation. Drop a file of answers below.")
        return
    try:
        models = [session.answers_file(file, labels) for file in files]
        joined = join_answers(*models) if len(models) == 2 else None
    except LensError as error:
        with top:
            st.markdown(f"## {QUESTION}")
            explain_error(error, "Choose other files below, or drop a label file with them; nothing else was changed.")
        return
    models = [joined.a, joined.b] if joined else models
    with top:
        heading(QUESTION, compared(joined, models[0]))
    pairs = _show_pairs(models, joined, files)
    if joined is not None:
        _show_gains(joined)
    _show_calibration(models)
    show_matrix(models, joined)
    with st.expander("What do these words mean?"):
        st.markdown(WORDS)
    if not pairs:
        st.info("No pair to print yet. Choose other pairs or models above.", icon=":material/grid_on:")


def _choose_files() -> tuple[list[session.AnswersRef], tuple[str, ...] | None]:
    """The files of A and B, none if there is none to choose, and class names for files that have none."""
    with st.expander("Your own answers", icon=":material/upload:"):
        dropped = st.file_uploader(
            "Tables of predictions (.parquet), score files (.npz), CSV (id, label, predicted or a score a class)",
            type=["parquet", "npz", "csv"],
            accept_multiple_files=True,
            key="answers_drop",
            max_upload_size=500,
            help="They stay in this session and are deleted with it. Two files are joined clip by clip, by id.",
        )
        names = st.file_uploader("Label file, if they do not name the classes", type=["txt"], key="answers_labels", max_upload_size=4)
    _take(dropped)
    known = session.answers_files()
    if not known:
        return [], None
    labels = None
    if names is not None:
        try:
            labels = read_labels(session.uploads().keep(names.name, names.getvalue(), ".txt").path)
        except LensError as error:
            explain_error(error, "Go on without it, or choose another label file.")
    left, right = st.columns(2)
    shown = distinct({key: ref.name for key, ref in known.items()})
    st.session_state.setdefault("answers_a", "tsn" if "tsn" in known else next(iter(known)))
    st.session_state.setdefault("answers_b", "gsm" if "gsm" in known else None)
    a = left.selectbox("A", list(known), format_func=shown.get, key="answers_a", persist_state="session")
    others = [None, *(key for key in known if key != a)]
    if st.session_state["answers_b"] not in others:
        st.session_state["answers_b"] = None
    b = right.selectbox("B", others, format_func=lambda key: shown[key] if key else "none", key="answers_b", persist_state="session")
    return [known[key] for key in (a, b) if key], labels


def _take(dropped) -> None:
    """Keep newly dropped files and choose them: the first as A, a second as B."""
    mine, new = st.session_state.setdefault("uploaded_answers", {}), []
    for file in dropped:
        suffix = next((kind for kind in KINDS_OF_FILE if file.name.lower().endswith(kind)), ".csv")
        upload = session.uploads().keep(file.name, file.getvalue(), suffix)
        key = f"upload-{upload.sha256[:8]}"
        if key not in mine:
            mine[key] = upload
            new.append(key)
    if new:
        st.session_state["answers_a"], st.session_state["answers_b"] = new[0], new[1] if len(new) > 1 else None


def _show_pairs(models: list[Answers], joined: Joined | None, files: list[session.AnswersRef]) -> list[tuple[int, int]]:
    left, right = st.columns(2, vertical_alignment="bottom")
    kinds = PAIRS if reversed_class_pairs(models[0]) else {"auto": PAIRS["auto"]}
    kind = left.segmented_control(
        "Pairs",
        list(kinds),
        format_func=kinds.get if joined else {**PAIRS, "auto": "most mixed up"}.get,
        default=next(iter(kinds)),
        required=True,
    )
    preset = right.selectbox(
        "Printed in", list(PRESETS), index=1, key="preset", format_func=lambda name: f"{name} ({PRESETS[name].width} in)"
    )
    pairs = reversed_class_pairs(models[0]) if kind == "reversed" else found_pairs(*models)
    if not pairs:
        return []
    st.image(
        session.confusion_figure(models, pairs, preset),
        caption="As it prints: of the clips of each class, the per cent that are taken for either class of the pair, or another.",
    )
    rows = []
    if joined is not None:
        rows = session.comparisons(joined, pair_groups(joined, pairs))
        st.markdown("#### Is the difference real?", help="McNemar's exact test on the same clips, corrected for the number of pairs.")
        st.dataframe(
            [{**row, "too few": one.too_few} for row, one in zip(comparison_rows(rows), rows, strict=True)],
            hide_index=True,
            column_config=_COLUMNS,
        )
    st.download_button(
        "Figure, tables, caption and recipe (ZIP)",
        lambda: confusions_zip(models, joined, rows, pairs, kind, preset, files),
        "confusions.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        help="The figures of the pairs, the matrix, the gains and the calibration as PDF, SVG and PNG; with two models significance.csv, .tex, .md and caption.txt; recipe.json. Made when you click, in some seconds.",
    )
    with st.expander("The same on the command line"):
        st.code(confusions_command_line(files, kind, preset), language="bash", wrap_lines=True)
    return pairs


_PERCENT = st.column_config.NumberColumn(format="percent")
_P = st.column_config.NumberColumn(format="%.2g")
_COLUMNS = {name: _PERCENT for name in ("accuracy_a", "accuracy_b", "difference", "low", "high")} | {
    name: _P for name in ("p", "p_holm", "p_bh")
}


def _show_gains(joined: Joined) -> None:
    st.markdown(
        "#### Where is B better, and where worse?",
        help="Every true class: the difference of accuracies with its 95 % interval; filled where p after Holm is below 5 %.",
    )
    rows = session.comparisons(joined, class_groups(joined))
    names = (joined.a.model, joined.b.model)
    st.plotly_chart(
        charts_confusions.gains(rows), key="gains", alt=f"The gain of {names[1]} over {names[0]} for every class, with intervals"
    )


def _show_calibration(models: list[Answers]) -> None:
    scored = session.reliabilities(models)
    if not scored:
        return
    st.markdown(
        "#### Can their confidence be believed?",
        help="Clips in fifteen equal bins of confidence, the probability of the answer: how many are right? On the dotted line as many as the model "
        "says. The error is the mean gap over all clips (expected calibration error; Guo and others, ICML 2017).",
    )
    st.markdown("; ".join(f"**{escape(one.model)}**: calibration error {tenths(one.error)}" for one in scored) + ".")
    st.plotly_chart(charts_confusions.calibration(scored), key="calibration", alt="Accuracy against confidence, a line a model")
