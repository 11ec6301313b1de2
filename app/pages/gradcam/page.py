"""Grad-CAM: where does each model look, frame by frame, and is it to be believed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app.components.motion import choose_under, motion_seen, show_motion, under_maps
from app.components.panels import PanelView, lighter
from app.components.progress import cancellable
from app.components.sentences import escape, looks
from app.pages.gradcam import charts
from app.pages.gradcam.known_answers import show_known_answers
from app.pages.gradcam.layers import show_maps, show_take_away
from app.pages.gradcam.trust import show_trust
from app.queries import clip_results
from app.queries.cams import ONE_LAYER, Question, cam_report
from app.shell import session
from app.shell.layout import (
    OTHER_ORDER,
    Choices,
    choose_order,
    current_order,
    frame_models,
    heading,
    link_to,
    open_clip,
    say_protocols,
)
from app.shell.permalink import go_to
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.cam.names import METHODS, SLOW_METHODS, Method
from gsm_model.explain.cam.report import CamReport
from gsm_model.exports.gates import seen_frames
from gsm_model.video.isolate import DecodedVideo
from gsm_model.video.sampling import Order

QUESTION = "Where does each model look, frame by frame?"
NONE = -1  # no class is chosen; streamlit takes None for a list without a choice
METHOD_NAMES: dict[Method, str] = {
    "gradcam": "Grad-CAM",
    "gradcam++": "Grad-CAM++",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "xgradcam": "XGrad-CAM",
    "eigencam": "Eigen-CAM (knows no class)",
    "scorecam": "Score-CAM (slow)",
    "ablationcam": "Ablation-CAM (slow)",
}
WORDS = """
- **map**: for every place of a frame, how much the features there speak for the class. All frames go through the network together, so a map knows what came before and after.
- **Grad-CAM, HiResCAM, …**: ways to make a map of a layer's features and of how the class's score changes with them. In the last block of these networks Grad-CAM, HiResCAM and XGrad-CAM are the same by construction.
- **versus**: the map then explains the difference of two scores: the evidence for one class and not for the other.
- **evidence** of a frame: feature × gradient summed over the frame, in logits; to first order, the frame's part in the score.
- **the frame's own scores**: what the classifier says of that frame; their mean over the frames is the answer. A TSN's know nothing of the other frames.
- **before, after**: the features that enter a block's gate and those that leave it.

Sources: Selvaraju and others, *Grad-CAM*, ICCV 2017, and the papers of the other methods. The tests compare a map with that of the package grad-cam.
"""  # noqa: E501


def show(choices: Choices) -> None:
    """The maps of the chosen models for one class or contrast, whether to believe them, and files
    to take away.
    """
    opened = open_clip(choices, QUESTION)
    clip = choices.clip
    if opened is None or clip is None:
        return
    counts, video = opened
    top = st.container()
    usable = _same_classes(choices)
    question = _ask(choices, clip, usable, counts, video)
    order = question.order
    orders = [order, OTHER_ORDER[order]] if st.session_state.get("beside") else [order]
    seen = _look_all(choices, clip, usable, counts, video, question, orders)
    mine = [one for one in seen if one.report.prediction.order == order]
    with top:
        reports = [one.report for one in mine]
        layers = [_layer_of(report) for report in reports]
        heading(QUESTION, looks(reports, layers), [one.prediction.caution for one in reports])
        say_protocols(choices)
    layer = show_maps(_with_flow(choices, clip, usable, counts, seen), video.info.seconds, clip.key)
    _show_evidence(mine, layer)
    show_motion(usable, clip, order, _counts_of(choices, usable, counts))
    if frame_models(choices)[0].models:
        with st.container(horizontal=True):
            if st.button(
                "See the gates of this layer",
                icon=":material/conversion_path:",
                help="The same clip, models and order on the Gates page.",
            ):
                st.session_state["layer"] = layer.partition(":")[0]
                go_to(st.session_state["pages"]["gates"])
    asked = [
        (ref, count) for ref, count in zip(choices.models, counts, strict=True) if ref in usable
    ]
    show_trust(clip, asked, mine, layer, question)
    show_known_answers(choices)
    refs = [ref for ref, _ in asked]
    show_take_away(choices, clip, refs, mine, layer, question, video.info.seconds)
    with st.expander("What do these words mean?"):
        st.markdown(WORDS)
    link_to("compare", "What does each model say about this clip?")


def _same_classes(choices: Choices) -> list[session.ModelRef]:
    """The models that know the first one's classes; the page names the others."""
    first = session.load_model(choices.models[0]).card
    usable = [ref for ref in choices.models if session.load_model(ref).card.labels == first.labels]
    for ref in choices.models:
        if ref not in usable:
            st.caption(
                f"{escape(choices.names[ref.key])} knows other classes than"
                f" {escape(choices.names[choices.models[0].key])} and is left out."
            )
    return usable


def _ask(
    choices: Choices,
    clip: session.ClipRef,
    usable: list[session.ModelRef],
    counts: list[int],
    video: DecodedVideo,
) -> Question:
    """The controls, and what they ask of the models."""
    card = session.load_model(usable[0]).card
    classes = list(range(session.load_model(usable[0]).architecture.num_classes))
    order = current_order()
    answer = clip_results.answer(
        usable[0], choices.names[usable[0].key], clip, video, order, counts[0]
    ).top(1)[0]
    for key in ("target", "versus"):
        if st.session_state.get(key) not in classes:
            st.session_state[key] = NONE
    index = answer[0] if st.session_state["target"] == NONE else st.session_state["target"]
    if st.session_state["versus"] == index:
        st.session_state["versus"] = NONE
    st.session_state.setdefault("method", "gradcam")
    left, middle, right = st.columns([3, 3, 2])
    left.selectbox(
        "Evidence for",
        [NONE, *classes],
        format_func=lambda index: (
            f"{choices.names[usable[0].key]}'s answer: {answer[1]}"
            if index == NONE
            else card.label(index)
        ),
        key="target",
        persist_state="session",
        help="The same class for all models, so that their maps compare.",
    )
    versus = middle.selectbox(
        "versus",
        [NONE, *(other for other in classes if other != index)],
        format_func=lambda other: "(any other class)" if other == NONE else card.label(other),
        key="versus",
        persist_state="session",
        help=(
            "Choose a class to see what tells the two apart: the map of the difference of their"
            " scores."
        ),
    )
    method = right.selectbox(
        "Method",
        METHODS,
        format_func=lambda method: METHOD_NAMES.get(method, method),
        key="method",
        persist_state="session",
        help="How maps are made; see the words below.",
    )
    left, middle, right = st.columns([4, 2.5, 1.5], vertical_alignment="bottom")
    with left:
        choose_order()
    middle.toggle(
        f"Compare with: {OTHER_ORDER[order]}",
        key="beside",
        persist_state="session",
        help="The same clip and models with the frames in the other order, on the same scale.",
    )
    layer: str | None = None
    if method in ONE_LAYER:
        names = list(session.load_model(usable[0]).feature_points())
        if st.session_state.get("map_layer") not in names:
            st.session_state["map_layer"] = names[-1]
        layer = right.selectbox(
            "At layer",
            names,
            key="map_layer",
            persist_state="session",
            help="This method takes one layer at a time.",
        )
    return Question(Target(index, None if versus == NONE else versus), method, layer, order)


def _counts_of(
    choices: Choices, usable: Sequence[session.ModelRef], counts: Sequence[int]
) -> list[int]:
    """How many frames each of ``usable`` is given."""
    return [count for ref, count in zip(choices.models, counts, strict=True) if ref in usable]


def _with_flow(
    choices: Choices,
    clip: session.ClipRef,
    usable: Sequence[session.ModelRef],
    counts: Sequence[int],
    seen: Sequence[PanelView[CamReport]],
) -> list[PanelView[CamReport]]:
    """``seen`` with the optical flow in the pictures, where that is asked for."""
    kinds = [session.load_model(ref).architecture.modality.kind for ref in usable]
    how = choose_under(any(kind != "RGB" for kind in kinds))
    if how == "pictures":
        return list(seen)
    asked = list(zip(usable, _counts_of(choices, usable, counts), strict=True))
    orders = len(seen) // len(asked)  # each model has a panel for each order
    found = []
    for place, one in enumerate(seen):
        ref, count = asked[place // orders]
        motion = motion_seen(ref, clip, one.report.prediction.order, count)
        found.append(replace(one, frames=under_maps(how, one.frames, motion)))
    return found


def _look_all(
    choices: Choices,
    clip: session.ClipRef,
    usable: Sequence[session.ModelRef],
    counts: Sequence[int],
    video: DecodedVideo,
    question: Question,
    orders: Sequence[Order],
) -> list[PanelView[CamReport]]:
    found = []
    for ref, count in zip(choices.models, counts, strict=True):
        if ref not in usable:
            continue
        for number, order in enumerate(orders):
            color = lighter(choices.color(ref)) if number else choices.color(ref)
            report = _look(choices, clip, ref, video, count, replace(question, order=order))
            found.append(
                PanelView(report, seen_frames(report, video, session.load_model(ref).input), color)
            )
    return found


def _look(
    choices: Choices,
    clip: session.ClipRef,
    ref: session.ModelRef,
    video: DecodedVideo,
    count: int,
    question: Question,
) -> CamReport:
    name = choices.names[ref.key]
    if question.method not in SLOW_METHODS:
        with st.spinner(f"{name} looks at the clip …"):
            return cam_report(ref, name, clip, video, question, count)
    back = "Back to Grad-CAM, which takes a moment."
    key = f"cancel-{ref.key}-{question.order}"
    with cancellable(
        f"{name}: one pass for every channel …", f"{name}: channel", key, back, _give_up
    ) as progress:
        return cam_report(ref, name, clip, video, question, count, progress)


def _give_up() -> None:
    st.session_state["method"] = "gradcam"


def _layer_of(report: CamReport) -> str:
    """The layer that is looked at now, as this model calls it; the last block until one is
    chosen.
    """
    own = [layer.layer for layer in report.layers]
    chosen = st.session_state.get("map_layer")
    return chosen if chosen in own else own[-1]


def _show_evidence(seen: list[PanelView[CamReport]], layer: str) -> None:
    st.markdown(
        "### Which frames carry the answer?",
        help=(
            "Bars: each frame's evidence at the layer above. Diamonds: the frame's part in the"
            " target by its own scores, which sum to the model's answer. In the last block the two"
            " differ by a constant only."
        ),
    )
    reports, layers = [one.report for one in seen], [_layer_of(one.report) for one in seen]
    figure = charts.evidence(reports, layers, [one.color for one in seen])
    st.plotly_chart(
        figure, key="evidence", alt=f"Evidence of each frame at {layer}, for each model"
    )
