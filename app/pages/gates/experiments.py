"""Experiments on gates: the panel of the Gates page that holds them and shows the answers move."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components.downloads import interventions_command
from app.components.media import as_printed
from app.components.sentences import as_it_is, closed_gates, escape, experiment, tenths
from app.pages.gates import charts
from app.queries import clip_results, precomputed
from app.shell import session
from app.shell.layout import Choices, explain_error
from gsm_model.errors import LensError
from gsm_model.explain.gates.clamps import CLAMPS, MEANING
from gsm_model.explain.gates.dataset import data_means
from gsm_model.explain.gates.intervention_tables import intervention_rows
from gsm_model.explain.gates.interventions import (
    Intervention,
    every_clamp,
    every_layer,
    possible_clamps,
)
from gsm_model.io.tables import csv_text
from gsm_model.predict import Prediction
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order

NOTHING = "as they are"
SIDES = {"both": (0, 1), "next": (0,), "previous": (1,)}
SIDE_NAMES = {
    "both": "both directions",
    "next": "from the next frame",
    "previous": "from the previous frame",
}
CHOICES = {"clamp": NOTHING, "clamp_layers": [], "clamp_side": "both"}


@st.fragment
def show_experiments(
    choices: Choices, clip: session.ClipRef, counts: list[int], video: DecodedVideo, order: Order
) -> None:
    """Choose layers, a direction and what their gates are set to; the predictions beside what they
    were. Offers what can act on a chosen model, and runs a model only for a new choice.
    """
    st.markdown(
        "### Effect on the prediction",
        help=(
            "Set the gates of some layers to a value and see what becomes of the prediction. A TSM"
            " counts as a gate of 1; a TSN has none. *Closed* works for every system: nothing"
            " crosses time in those layers."
        ),
    )
    _reset_if_asked()
    titles = list(dict.fromkeys(title for ref in choices.models for title in _layer_names(ref)))
    if not titles:
        st.info(
            "None of the chosen models has a temporal module, so no experiment can act on them."
            " Choose a GSM or a TSM in the sidebar."
        )
        return
    possible = {ref: possible_clamps(session.load_model(ref)) for ref in choices.models}
    offered = [clamp for clamp in CLAMPS if any(clamp in some for some in possible.values())]
    if st.session_state["clamp"] not in (NOTHING, *offered):
        st.session_state["clamp"] = NOTHING
    by_gates = len(offered) > 1
    first, second, third, last = st.columns([3, 4, 3, 1.6], vertical_alignment="bottom")
    clamp = first.selectbox(
        "Set gates to" if by_gates else "Temporal exchange",
        [NOTHING, *offered],
        format_func=lambda name: "as it is" if name == NOTHING and not by_gates else name,
        key="clamp",
        help="  \n".join(f"**{name}**: {MEANING[name]}" for name in offered),
    )
    st.session_state["clamp_layers"] = [
        title for title in st.session_state.get("clamp_layers", []) if title in titles
    ]
    layers = second.multiselect("In layers", titles, key="clamp_layers", placeholder="all layers")
    side = third.selectbox(
        "Direction",
        list(SIDES),
        format_func=lambda name: SIDE_NAMES.get(name, name),
        key="clamp_side",
    )
    last.button(
        "Reset",
        on_click=_ask_reset,
        icon=":material/restart_alt:",
        help="Let all gates work again." if by_gates else "Let time be crossed everywhere again.",
        disabled=clamp == NOTHING and not layers,
    )
    other = _choose_other(choices) if clamp == "other clip" else None
    for ref, count in zip(choices.models, counts, strict=True):
        if clamp != NOTHING and clamp not in possible[ref]:
            st.caption(_cannot(choices.names[ref.key], clamp, possible[ref]))
            continue
        before = clip_results.gate_report(
            ref, choices.names[ref.key], clip, video, order, count
        ).prediction
        try:
            after = _held(
                choices, clip, ref, video, count, order, clamp, layers, SIDES[side], other
            )
        except LensError as error:
            explain_error(error, "Choose something else to set the gates to.")
            continue
        _show_answer(choices.names[ref.key], before, after, possible[ref])
    if st.toggle(
        "Try every clamp, and every layer in turn",
        key="clamp_all",
        help="One forward pass each; the answers are kept.",
    ):
        _show_all(choices, clip, counts, video, order)


def _ask_reset() -> None:
    st.session_state["clamp_reset"] = True


def _reset_if_asked() -> None:
    if st.session_state.pop("clamp_reset", False):
        st.session_state.update(CHOICES)
    for key, value in CHOICES.items():
        st.session_state.setdefault(key, value)


def _cannot(name: str, clamp: str, possible: Sequence[str]) -> str:
    """Why an experiment does not act on a model."""
    if not possible:
        return f"{escape(name)} has no temporal module: *{clamp}* cannot act on it."
    return f"{escape(name)} has no gates: *{clamp}* cannot act on it, {' and '.join(possible)} can."


def _layer_names(ref: session.ModelRef) -> dict[str, str]:
    """The layers with a temporal module: title → name."""
    layers = session.load_model(ref).temporal_layers()
    return {layer.title: layer.name for layer in layers if layer.module is not None}


def _choose_other(choices: Choices) -> session.ClipRef | None:
    clips = {
        key: ref
        for key, ref in session.clips().items()
        if choices.clip is None or key != choices.clip.key
    }
    key = st.selectbox(
        "Whose gates", list(clips), format_func=lambda key: clips[key].name, key="clamp_other"
    )
    return None if key is None else clips.get(key)


def _held(
    choices: Choices,
    clip: session.ClipRef,
    ref: session.ModelRef,
    video: DecodedVideo,
    count: int,
    order: Order,
    clamp: str,
    titles: list[str],
    directions: tuple[int, ...],
    other: session.ClipRef | None,
) -> Prediction | None:
    """The answer with the gates held, or ``None`` where nothing of this model is.

    Raises:
        LensError: if what the clamp needs is not there.
    """
    names = _layer_names(ref)
    chosen = titles or list(names)
    layers = tuple(names[title] for title in chosen if title in names)
    if clamp not in CLAMPS or not layers:
        return None
    values = None
    if clamp == "data mean":
        rows = precomputed.data_gates(ref)
        if not rows:
            raise LensError(
                f"{choices.names[ref.key]}: no mean over a data set is known; 'explain gates"
                " --data' measures it"
            )
        values = data_means(rows, session.load_model(ref))
    if clamp == "other clip":
        if other is None:
            raise LensError("There is no other clip to take gates from")
        spec = session.load_model(ref).input
        donor = clip_results.gate_report(
            ref,
            other.name,
            other,
            clip_results.read_clip(
                other, (count,), (0,), spec.modality.neighbours, ((spec.sampling, 1),)
            ),
            order,
            count,
        )
        values = {layer.name: layer.maps for layer in donor.layers if layer.is_gated}
    one = Intervention(clamp, layers, directions, clip_results.SHUFFLE_SEED, values)
    return clip_results.under(ref, choices.names[ref.key], clip, video, order, count, one, other)


def _show_answer(
    name: str, before: Prediction, after: Prediction | None, possible: Sequence[str]
) -> None:
    rows = intervention_rows("", before, ["held"], [after or before])
    st.markdown(experiment(before, after) if after is not None else as_it_is(name, possible))
    for column, key, label in zip(
        st.columns(2), ("probability", "reversal_probability"), ("answer", "reversal"), strict=True
    ):
        if rows[0][label] is not None:
            change = rows[1][key] - rows[0][key]
            delta = (
                f"{100 * change:+.1f} points".replace("-", "−")
                if after is not None and abs(change) >= 0.0005
                else None
            )
            column.metric(
                escape(rows[0][label]),
                tenths(rows[1][key]),
                delta,
                delta_color="off",
                delta_arrow="off",
                help=f"Its probability by {escape(name)}.",
            )


def _show_all(
    choices: Choices, clip: session.ClipRef, counts: list[int], video: DecodedVideo, order: Order
) -> None:
    place, every = st.empty(), []
    plans = []
    for ref in choices.models:
        model, rows = session.load_model(ref), precomputed.data_gates(ref)
        clamps = possible_clamps(model)
        means = data_means(rows, model) if rows and "data mean" in clamps else None
        plan = every_clamp(means, clip_results.SHUFFLE_SEED, clamps) | every_layer(model)
        plans.append(plan if clamps else {})
    total, done = sum(map(len, plans)), 0
    for ref, count, plan in zip(choices.models, counts, plans, strict=True):
        name, answers = choices.names[ref.key], []
        for what, one in plan.items():
            place.progress(done / total, f"{escape(name)}: {what} …")
            answers.append(clip_results.under(ref, name, clip, video, order, count, one))
            done += 1
        if plan:
            before = clip_results.gate_report(ref, name, clip, video, order, count).prediction
            every.append((ref, intervention_rows(clip.name, before, list(plan), answers)))
    place.empty()
    for number, (column, (ref, rows)) in enumerate(
        zip(st.columns(max(1, len(every))), every, strict=True)
    ):
        alt = (
            f"{choices.names[ref.key]}: the probability of its answer and of its time reversal"
            " under every experiment"
        )
        column.plotly_chart(
            drawn(charts.experiments, rows, choices.color(ref)),
            key=f"experiments-{number}",
            alt=alt,
        )
    rows = [row for _, found in every for row in found]
    with st.expander("Numbers as a table"):
        shown = (
            "model",
            "intervention",
            "answer",
            "probability",
            "reversal",
            "reversal_probability",
            "likeliest",
            "moved",
        )
        st.dataframe([{key: row[key] for key in shown} for row in rows], hide_index=True)
    st.download_button(
        "Download all experiments (CSV)",
        csv_text(rows),
        "interventions.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("The same on the command line"):
        st.code(
            interventions_command(clip, choices.models, choices.segments, order),
            language="bash",
            wrap_lines=True,
        )


def show_data_experiments(choices: Choices) -> None:
    """What is known of the chosen models' gates on a whole data set."""
    known = [
        (ref, precomputed.data_gates(ref), precomputed.data_effects(ref)) for ref in choices.models
    ]
    known = [(ref, gates, effects) for ref, gates, effects in known if gates or effects]
    st.markdown(
        "### Results on a data set",
        help="Figures as they print, with their number of clips and 95 % intervals.",
    )
    if not known:
        st.info(
            "Nothing is known yet of these models' gates on a data set. Measure it with `python -m"
            " gsm_model explain gates --data LIST --checkpoint MODEL --out gates.parquet` and"
            " `explain interventions` likewise.",
            icon=":material/table_chart:",
        )
    for ref, gates, effects in known:
        name = choices.names[ref.key]
        if effects:
            st.markdown(closed_gates(name, effects))
            _show_figure(
                precomputed.printed("interventions", effects),
                f"{name}: accuracy with gates held or layers closed",
                f"interventions-{ref.key}",
            )
        if gates and (gates[0]["adaptivity"] is None or gates[0]["adaptivity"] > 1e-8):
            _show_figure(
                precomputed.printed("gates", gates),
                f"{name}: what its gates do, layer by layer",
                f"gates-data-{ref.key}",
            )


def _show_figure(figure: precomputed.Printed, caption: str, name: str) -> None:
    as_printed(name, figure.picture, escape(caption), caption)
    st.download_button(
        "Figure (PDF)",
        figure.pdf,
        f"{name}.pdf",
        "application/pdf",
        icon=":material/download:",
        key=f"pdf-{name}",
        on_click="ignore",
    )
