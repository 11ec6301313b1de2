"""Is a map to be believed? The tests of the Grad-CAM page, made when a person asks."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components.panels import PanelView
from app.components.progress import cancellable
from app.components.sentences import believable, compared_with_package, measured_maps
from app.pages.gradcam import charts
from app.queries.cams import Question, has_trial, known_score, map_trial
from app.shell import session
from app.shell.session import ClipRef, ModelRef
from gsm_model.explain.cam.report import CamReport
from gsm_model.explain.cam.trials import MapTrial, trial_rows
from gsm_model.io.tables import csv_text

HELP = (
    "What becomes of the answer when the places that a map marks are blurred, or are all that is"
    " not, against maps that know nothing of the model; whether the map changes with random weights"
    " and with another class; whether it stays when the clip is sampled a frame earlier."
)


def show_trust(
    clip: ClipRef,
    asked: Sequence[tuple[ModelRef, int]],
    seen: Sequence[PanelView[CamReport]],
    layer: str,
    question: Question,
) -> None:
    """A button, and what the tests found for each model; found already, it is shown at once."""
    st.markdown("### Can this map be trusted?", help=HELP)
    tests = [
        (
            ref,
            count,
            one,
            (
                layer
                if layer in [found.layer for found in one.report.layers]
                else one.report.layers[-1].layer
            ),
        )
        for (ref, count), one in zip(asked, seen, strict=True)
    ]
    for ref, count, one, at in tests:
        as_measured = (
            count == session.load_model(ref).architecture.num_segments
            and question.order == "forward"
        )
        if as_measured and (row := known_score(ref, question, at)) is not None:
            st.markdown(measured_maps(one.report.card.name, row))
    known = all(
        has_trial(ref, clip, one.report, at, question, count) for ref, count, one, at in tests
    )
    if not known and not st.button(
        "Run faithfulness tests",
        icon=":material/fact_check:",
        help="Takes about ten seconds a model on a CPU.",
    ):
        st.caption(
            "A map always shows something. Whether it shows what the answer rests on can be tested."
        )
        return
    rows = []
    for ref, count, one, at in tests:
        found = _test(clip, ref, count, one, at, question)
        st.markdown(believable(one.name, found))
        st.plotly_chart(
            drawn(charts.curves, found.trial, one.color),
            key=f"curves-{ref.key}",
            alt=f"{one.name}: the target's probability under deletion and insertion",
        )
        if sentence := compared_with_package(found):
            st.caption(sentence)
        rows += trial_rows(clip.name, one.report, found)
    with st.expander("The tests as a table"):
        st.dataframe(rows, hide_index=True)
        st.download_button(
            "Download (CSV)",
            lambda: csv_text(rows),
            "trial.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def _test(
    clip: ClipRef,
    ref: ModelRef,
    count: int,
    one: PanelView[CamReport],
    layer: str,
    question: Question,
) -> MapTrial:
    stop = "Stops the tests; what is found already is kept."
    with cancellable(
        f"{one.name}: trying the map …", f"{one.name}: map", f"cancel-trial-{ref.key}", stop
    ) as progress:
        return map_trial(ref, clip, one.report, layer, question, count, progress)
