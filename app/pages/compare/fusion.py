"""Fusion on the Compare page: what the chosen models say together, and each one's part in it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.components.sentences import escape, percent
from gsm_model.errors import DataError
from gsm_model.fusion import Fusion, default_weights, fuse
from gsm_model.predict import Prediction
from gsm_model.predictions.table import Average

MEANING = (
    "The weighted mean of the models' scores for each class. A stream of optical flow counts 1.5"
    " times as much as one of pictures, as in TSN, unless you say otherwise."
)
OF: dict[Average, str] = {"logits": "scores (logits)", "probabilities": "probabilities"}


def show(now: Sequence[Prediction], kinds: Sequence[str], top: int) -> None:
    """The models of ``now``, which see ``kinds``, as one, with a weight a model to change."""
    if len(now) < 2:
        return
    with st.expander("The models together"):
        st.markdown("Late fusion", help=MEANING)
        of = st.segmented_control(
            "What is averaged",
            list(OF),
            format_func=OF.__getitem__,
            default="logits",
            key="fuse_of",
        )
        columns = st.columns(len(now))
        weights = [
            column.number_input(
                f"Weight of {prediction.card.name}",
                0.0,
                10.0,
                weight,
                0.1,
                key=f"fuse_{row}_{kind}",
            )
            for row, (column, prediction, weight, kind) in enumerate(
                zip(columns, now, default_weights(kinds), kinds, strict=True)
            )
        ]
        try:
            fused = fuse(now, weights, of or "logits")
        except DataError as error:
            st.info(escape(str(error)))
            return
        st.markdown(sentence(fused))
        st.dataframe(table(fused, top))


def sentence(fused: Fusion) -> str:
    """What the models say together, and which of them lean to it."""
    (_, label, p), *_ = fused.top(1)
    against = [
        escape(member.card.name)
        for member, lead in zip(fused.members, fused.lead(), strict=True)
        if lead < 0
    ]
    said = f"Together they say *{escape(label)}* ({percent(p)})"
    return (
        f"{said}; {' and '.join(against)} alone would put the runner-up first."
        if against
        else (f"{said}; each of them puts it before the runner-up.")
    )


def table(fused: Fusion, top: int) -> dict[str, list[object]]:
    """The likeliest classes with the fused score and what each model adds to it."""
    rows = fused.top(top)
    shown: dict[str, list[object]] = {
        "class": [label for _, label, _ in rows],
        "together": [float(fused.scores[index]) for index, _, _ in rows],
    }
    for row, (member, weight) in enumerate(zip(fused.members, fused.weights, strict=True)):
        name = f"{member.card.name} × {weight:.2f}"
        shown[name] = [float(fused.parts[row, index]) for index, _, _ in rows]
    return shown
