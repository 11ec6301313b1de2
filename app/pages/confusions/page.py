"""Confusions: which classes does each model mix up, and is the difference real?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app.cache.charts import drawn
from app.components.sentences import compared, escape, tenths
from app.pages.confusions import charts
from app.pages.confusions.embedding import show_embedding
from app.pages.confusions.label_errors import show_label_errors
from app.pages.confusions.matrix import show_matrix
from app.pages.confusions.pairs import show_pairs
from app.pages.confusions.slices import show_slices
from app.queries.comparison import (
    Beside,
    PredictionsRef,
    comparisons,
    prediction_refs,
    predictions_of,
    reliabilities,
)
from app.shell.layout import Choices, distinct, explain_error, heading, keep
from app.shell.uploads import Upload
from gsm_model.confusion.significance import class_groups
from gsm_model.data.label_reader import read_label_file
from gsm_model.errors import LensError
from gsm_model.io.encodings import CODE_PAGES
from gsm_model.predictions.join import PairedPredictions, join_predictions
from gsm_model.predictions.read import endings
from gsm_model.predictions.table import Predictions

QUESTION = "Which classes does each model mix up, and is the difference real?"
KINDS_OF_FILE = endings()
FOUND_OUT = "found out"
ENCODINGS = {page.codec: page.name for page in CODE_PAGES} | {"utf-8": "UTF-8"}
WORDS = """
- **only A, only B**: clips that just one of the two models gets right; McNemar's exact test asks whether they could as well have been the other's.
- **Holm, BH**: p after correction for the number of tests, so that among all of them a false alarm (Holm), or their share (Benjamini and Hochberg), stays below 5 %.
- **interval**: 95 %, from 10,000 resamples of the clips, both models' answers to a clip drawn together.
- **too few**: the models disagree on fewer than 6 clips, so that no outcome of the test could reach 5 %.
- Scores are logits that were averaged over the views of a clip by whoever wrote the file; the answer is the largest.
"""  # noqa: E501


def show(choices: Choices) -> None:
    """Two models' answers to the same clips: pairs, tests, matrices, and files to take away."""
    top = st.container()
    files, beside = _choose_files()
    if not files:
        with top:
            heading(
                QUESTION, "No answers came with this installation. Drop a file of answers below."
            )
        return
    try:
        models = [predictions_of(file, beside) for file in files]
        paired = join_predictions(*models) if len(models) == 2 else None
    except LensError as error:
        with top:
            st.markdown(f"## {QUESTION}")
            explain_error(
                error,
                "Choose other files below, or drop a label file with them; nothing else was"
                " changed.",
            )
        return
    models = [paired.a, paired.b] if paired else models
    with top:
        heading(QUESTION, compared(paired, models[0]), [model.origin.caution for model in models])
        for model in models:
            for note in model.notes:
                st.caption(f":material/info: {escape(model.source)}: {escape(note)}.")
    found = choices.table_colors(models)
    colors = found.shown
    pairs = show_pairs(models, paired, files, found.named, beside)
    if paired is not None:
        _show_gains(paired, colors)
    _show_calibration(models, colors)
    show_slices(models, paired, files, colors, beside)
    show_matrix(models, paired)
    show_label_errors(models, files, beside)
    show_embedding(models, paired, pairs, colors)
    with st.expander("What do these words mean?"):
        st.markdown(WORDS)


def _choose_files() -> tuple[list[PredictionsRef], Beside]:
    """The files of A and B, none if there is none to choose, and what came with files that do not
    say it.
    """
    with st.expander("Your own answers", icon=":material/upload:"):
        dropped = st.file_uploader(
            "Tables of predictions (.parquet), score files (.npz, .pkl), CSV, TSV or text (id,"
            " label, predicted or a score a class), submissions (.json)",
            type=[ending.removeprefix(".") for ending in KINDS_OF_FILE],
            accept_multiple_files=True,
            key="answers_drop",
            max_upload_size=500,
            help=(
                "They stay in this session and are deleted with it. Two files are joined clip by"
                " clip, by id."
            ),
        )
        left, middle, right = st.columns(3)
        names = left.file_uploader(
            "Label file, if they do not name the classes",
            type=["txt", "csv", "json"],
            key="answers_labels",
            max_upload_size=4,
            help=(
                "All classes, in their order. A table without scores needs it too, even where"
                " its predictions are names: classes that were never predicted would be missing."
            ),
        )
        properties = left.file_uploader(
            "Properties of the clips, for slices",
            type=["csv", "tsv", "txt"],
            key="answers_properties",
            max_upload_size=50,
            help="A column id, then one a property, such as the person or the camera.",
        )
        encoding = right.selectbox(
            "Encoding of text",
            [FOUND_OUT, "utf-8", *(page.codec for page in CODE_PAGES)],
            format_func=lambda codec: ENCODINGS.get(codec, codec),
            key="answers_encoding",
            help="Found out from the bytes and said; choose it where names come out misspelt.",
        )
        listed = middle.file_uploader(
            "True classes, for submissions",
            type=["json"],
            key="answers_truth",
            max_upload_size=200,
            help=(
                "Something-Something's list of clips, with id and template: a submission has only"
                " the answers."
            ),
        )
    _take(dropped)
    known = prediction_refs()
    if not known:
        return [], Beside()
    labels_file = keep(names, ".txt")
    labels = _labels(labels_file)
    beside = Beside(
        labels,
        keep(listed, ".json"),
        None if encoding == FOUND_OUT else encoding,
        None if labels is None else labels_file,
        keep(properties, ".csv"),
    )
    left, right = st.columns(2)
    shown = distinct({key: ref.name for key, ref in known.items()})
    st.session_state.setdefault("answers_a", "tsn" if "tsn" in known else next(iter(known)))
    st.session_state.setdefault("answers_b", "gsm" if "gsm" in known else None)
    a = left.selectbox(
        "A",
        list(known),
        format_func=lambda key: shown.get(key, key),
        key="answers_a",
        persist_state="session",
    )
    others = [None, *(key for key in known if key != a)]
    if st.session_state["answers_b"] not in others:
        st.session_state["answers_b"] = None
    b = right.selectbox(
        "B",
        others,
        format_func=lambda key: shown[key] if key else "none",
        key="answers_b",
        persist_state="session",
    )
    return [known[key] for key in (a, b) if key], beside


def _labels(upload: Upload | None) -> tuple[str, ...] | None:
    if upload is None:
        return None
    try:
        read = read_label_file(upload.path)
    except LensError as error:
        explain_error(error, "Go on without it, or choose another label file.")
        return None
    for note in read.notes:
        st.caption(escape(f"{upload.name}: {note}"))
    return read.names


def _take(dropped: Sequence[UploadedFile]) -> None:
    """Keep newly dropped files and choose them: the first as A, a second as B."""
    mine, new = st.session_state.setdefault("uploaded_answers", {}), []
    for file in dropped:
        suffix = next((kind for kind in KINDS_OF_FILE if file.name.lower().endswith(kind)), ".csv")
        upload = keep(file, suffix)
        if upload is None:
            continue
        key = f"upload-{upload.sha256[:8]}"
        if key not in mine:
            mine[key] = upload
            new.append(key)
    if new:
        st.session_state["answers_a"], st.session_state["answers_b"] = (
            new[0],
            new[1] if len(new) > 1 else None,
        )


def _show_gains(paired: PairedPredictions, colors: tuple[str, ...]) -> None:
    st.markdown(
        "### Where is B better, and where worse?",
        help=(
            "Every true class: the difference of accuracies with its 95 % interval; filled where p"
            " after Holm is below 5 %. Each has the colour of the model that is better at it."
        ),
    )
    rows = comparisons(paired, class_groups(paired))
    names = (paired.a.model, paired.b.model)
    st.plotly_chart(
        drawn(charts.gains, rows, colors),
        key="gains",
        alt=f"The gain of {names[1]} over {names[0]} for every class, with intervals",
    )


def _show_calibration(models: list[Predictions], colors: tuple[str, ...]) -> None:
    scored = reliabilities(models)
    own = [color for color, m in zip(colors, models, strict=True) if m.scores is not None]
    if not scored:
        return
    st.markdown(
        "### Can their confidence be believed?",
        help=(
            "Clips in fifteen equal bins of confidence, the probability of the answer: how many are"
            " right? On the dotted line as many as the model says. The error is the mean gap over"
            " all clips (expected calibration error; Guo and others, ICML 2017)."
        ),
    )
    st.markdown(
        "; ".join(
            f"**{escape(one.model)}**: calibration error {tenths(one.error)}" for one in scored
        )
        + "."
    )
    st.plotly_chart(
        drawn(charts.calibration, scored, own),
        key="calibration",
        alt="Accuracy against confidence, a line a model",
    )
