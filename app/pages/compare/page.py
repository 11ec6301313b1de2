"""Compare: what does each model say about this clip, and what if time ran otherwise?"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.cache.charts import drawn
from app.components import chart_style
from app.components.downloads import answers_csv, predict_command
from app.components.media import clip_strip
from app.components.motion import show_motion
from app.components.sentences import compare, escape, order_changed
from app.pages.compare import fusion
from app.queries import clip_results
from app.shell import session
from app.shell.layout import (
    Choices,
    choose_order,
    current_order,
    heading,
    link_to,
    open_clip,
    own_protocols,
)
from app.shell.session import ClipRef, load_model
from gsm_model.models.protocol import UNSTATED, EvalProtocol
from gsm_model.predict import Prediction
from gsm_model.video.isolate import DecodedVideo
from gsm_model.video.sampling import Order

QUESTION = "What does each model say about this clip?"
TOP = 5
MOST_IN_SIGHT = 16  # frames; more would hide the answers behind them


def show(choices: Choices) -> None:
    """Answers of the chosen models to the chosen clip, under the chosen order of its frames."""
    own = own_protocols(choices)
    if not st.session_state.setdefault("own_protocol", True):
        own = [EvalProtocol(source="as chosen")] * len(own)
    opened = open_clip(choices, QUESTION, own)
    clip = choices.clip
    if opened is None or clip is None:
        return
    counts, video = opened
    order = current_order()

    def answers(which: Order) -> list[Prediction]:
        with st.spinner("The models look at the clip …"):
            return [
                clip_results.answer(
                    *(ref, choices.names[ref.key], clip, video, which, count, tested)
                )
                for ref, count, tested in zip(choices.models, counts, own, strict=True)
            ]

    forward = answers("forward")
    now = forward if order == "forward" else answers(order)
    heading(
        QUESTION,
        compare(now) if order == "forward" else order_changed(order, forward, now),
        [prediction.caution for prediction in now],
    )
    _show_clip(clip, video, order, counts, now)
    _show_protocols(choices, own, now)
    colors = [choices.color(ref) for ref in choices.models]
    st.markdown(
        "### Probabilities",
        help="The softmax of each model's scores, averaged over the frames before the softmax.",
    )
    st.plotly_chart(
        drawn(chart_style.probabilities, now, None if now is forward else forward, colors, TOP),
        key="probabilities",
        alt=compare(now),
    )
    kinds = [load_model(ref).architecture.modality.kind for ref in choices.models]
    fusion.show(now, kinds, TOP)
    st.markdown(
        "### Each frame's own scores",
        help=(
            "A score (logit) for every frame; a model's answer is their mean, marked by a triangle."
            " In a TSN a frame's score depends on that frame alone. In a GSM or TSM it also depends"
            " on the frames beside it."
        ),
    )
    by_frame = [prediction for prediction in now if prediction.scores_frames]
    if by_frame:
        st.plotly_chart(
            drawn(chart_style.frame_scores, by_frame, 2),
            key="frame_scores",
            alt="Scores of the leading classes over the frames, a panel a model",
        )
    once = [escape(one.card.name) for one in now if not one.scores_frames]
    if once:
        answer = "answers" if len(once) == 1 else "answer"
        st.caption(f"{' and '.join(once)} {answer} once per clip: no frame has scores of its own.")
    show_motion(choices.models, clip, order, counts)
    link_to("gates", "**Gates**: what moves inside each model")
    link_to("gradcam", "**Grad-CAM**: where each model looks")
    _show_details(choices, clip, order, now)


def _show_clip(
    clip: ClipRef, video: DecodedVideo, order: Order, counts: list[int], now: list[Prediction]
) -> None:
    choose_order()
    left, right = st.columns([4, 7])
    with left:
        st.video(
            clip_results.preview_video(clip, order, counts[0], video),
            loop=True,
            autoplay=True,
            muted=True,
            alt=f"{clip.name}, played {order}",
        )
        info = video.info
        st.caption(f"{info.num_frames} frames, {info.seconds:.1f} s, {info.width} × {info.height}")
        for note in info.notes:
            st.caption(escape(note[:1].upper() + note[1:] + "."))
    with right:
        for count in sorted(set(counts)):
            prediction = now[counts.index(count)]
            who = "the models see" if len(set(counts)) == 1 else f"of {_names(now, count)}"
            said = f"The {count} frames {who}, in the order in which they are seen"
            strip = clip_strip(video, prediction.frame_indices)
            if count > MOST_IN_SIGHT:
                with st.expander(said):
                    st.html(strip)
                continue
            st.caption(said)
            st.html(strip)


def _show_protocols(
    choices: Choices, tested: Sequence[EvalProtocol], now: Sequence[Prediction]
) -> None:
    """Of how many views each answer is, and a way to have it of one clip."""
    if all(own == UNSTATED for own in own_protocols(choices)):
        return
    st.toggle(
        "As the models' authors test them",
        key="own_protocol",
        persist_state="session",
        help=(
            "With the authors' number of clips, crops and frames, and what they average. Off: one"
            " clip, its centre crop. The frames shown are those of the middle clip."
        ),
    )
    for ref, own, prediction in zip(choices.models, tested, now, strict=True):
        said = own.in_words(session.load_model(ref).input, len(prediction.frame_indices))
        st.caption(f"{escape(prediction.card.name)}: {escape(said)}")


def _names(predictions: list[Prediction], count: int) -> str:
    """The models that are given ``count`` frames."""
    return " and ".join(escape(p.card.name) for p in predictions if len(p.frame_indices) == count)


def _show_details(choices: Choices, clip: ClipRef, order: Order, now: list[Prediction]) -> None:
    times = "; ".join(f"{p.card.name} {1000 * p.seconds:.0f} ms" for p in now)
    st.caption(f"Time of one forward pass: {times}.")
    for note in sorted({f"{p.card.name}: {p.note}" for p in now if p.note}):
        st.warning(escape(note), icon=":material/memory:")
    with st.expander("Numbers as a table"):
        classes = chart_style.leading_classes(now, TOP)
        table: dict[str, Sequence[object]] = {"class": classes}
        for prediction in now:
            indices, p = chart_style.class_indices(prediction), prediction.probabilities
            table[prediction.card.name] = [
                float(p[indices[c]]) if c in indices else None for c in classes
            ]
        st.dataframe(
            table,
            column_config={
                name: st.column_config.NumberColumn(format="percent") for name in list(table)[1:]
            },
        )
        st.download_button(
            "Download all classes (CSV)",
            answers_csv(now),
            f"answers-{order}.csv",
            "text/csv",
            icon=":material/download:",
        )
    with st.expander("The same on the command line"):
        st.code(
            predict_command(
                *(clip, choices.models, choices.segments, order, TOP),
                one_view=not st.session_state["own_protocol"],
            ),
            language="bash",
            wrap_lines=True,
        )
    with st.expander("What does this mean?"):
        st.markdown(
            "**TSN** scores every frame alone and averages the scores. Whatever the order of the"
            " frames, the average is the same, so it cannot tell an action from its reverse."
            " **GSM** puts a gate into the network that decides, for each place and time, which"
            " features move one frame forward or back; its scores depend on the order. Reverse the"
            " frames above and watch whose answer moves. (Sudhakaran, Escalera, Lanz: *Gate-Shift"
            " Networks for Video Action Recognition*, CVPR 2020.)"
        )
