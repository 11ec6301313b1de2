"""The maps of the Grad-CAM page: the viewer, and what can be taken away of the layer that is chosen
in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import streamlit as st

from app.cache.store import keep
from app.components.downloads import CamExport
from app.components.panels import PanelView, by_length, layer_titles
from app.components.sentences import escape
from app.components.viewer import show_viewer
from app.pages.gradcam.view import cams_data
from app.queries.cams import Question
from app.shell.layout import Choices
from app.shell.permalink import write_link
from app.shell.session import ClipRef, ModelRef, user_session
from gsm_model.explain.cam.report import CamReport, steps_in_words
from gsm_model.explain.cam.scale import NORMALISE, Normalise, scaled
from gsm_model.exports.cam import CamFileOptions, cam_rows
from gsm_model.exports.gates import film_speed
from gsm_model.figures.cams import cam_film
from gsm_model.figures.map_scale import cam_scale
from gsm_model.figures.presets import WIDTHS
from gsm_model.video.encode import to_mp4

SCALES: dict[Normalise, str] = {
    "clip": "each clip's largest",
    "frame": "each frame's largest",
    "models": "the largest of all models",
}


def show_maps(seen: Sequence[PanelView[CamReport]], seconds: float, key: str) -> str:
    """The viewer, a picture for each number of frames; the layer that is chosen in the first. Only
    another layer makes the page run again, and no model."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    normalise = left.segmented_control(
        "Normalise by",
        NORMALISE,
        format_func=lambda choice: SCALES.get(choice, choice),
        default="clip",
        required=True,
        key="cam_scale",
        wrap=True,
        help="Maps have units of their own; what 1 stands for is written below the pictures.",
    )
    signed = right.toggle(
        "Show negative evidence",
        key="cam_signed",
        help="Blue: places that speak against the class. Without it they are left out.",
    )
    groups = by_length(seen)
    if len(groups) > 1:
        st.caption(
            "The models are given different numbers of frames, so each number has a picture of its"
            " own. *Frames* in the sidebar makes them the same."
        )
    chosen = []
    for count, group in groups.items():
        names = layer_titles(group)
        start = st.session_state.get("map_layer")
        data = cams_data(group, normalise, signed, start if start in names else names[-1], seconds)
        chosen.append(show_viewer(data, f"cams-{key}-{count}"))
    if len(layer_titles(seen)) > 1:
        st.session_state["map_layer"] = chosen[0]
        write_link()
    _say_scale(groups.values(), chosen[0], CamFileOptions(normalise, signed))
    return chosen[0]


def _say_scale(
    groups: Iterable[Sequence[PanelView[CamReport]]], layer: str, options: CamFileOptions
) -> None:
    """What 1 on the scale stands for, for everything that is shown."""
    parts, method, steps = [], "", []
    for group in groups:
        titles = layer_titles(group)
        at = layer if layer in titles else titles[-1]
        scales = scaled(
            [one.layer(at, titles).maps for one in group], options.normalise, options.signed
        )
        parts += [
            f"{one.name} {found.one.max():.3g}"
            + (" at most" if options.normalise == "frame" else "")
            for one, found in zip(group, scales, strict=True)
        ]
        method = group[0].report.method
        steps += [steps_in_words(one.report, at) for one in group if at in _names(one.report)]
    st.caption(
        escape(
            f"At {layer.replace(':', ', ')}, 1 stands for: {'; '.join(parts)} ({method}, nothing"
            " else is rescaled)."
        )
    )
    for said in dict.fromkeys(one for one in steps if one):
        st.caption(escape(said))


def _names(report: CamReport) -> list[str]:
    return [layer.layer for layer in report.layers]


def show_take_away(
    choices: Choices,
    clip: ClipRef,
    refs: Sequence[ModelRef],
    seen: Sequence[PanelView[CamReport]],
    layer: str,
    question: Question,
    seconds: float,
) -> None:
    """The film, and everything as a ZIP with its command."""
    st.markdown("### Export")
    reports, frames = [one.report for one in seen], [one.frames for one in seen]
    if len({len(one) for one in frames}) > 1:
        st.info(
            "One strip and one film need models with one number of frames. Choose *Frames* in the"
            " sidebar.",
            icon=":material/movie:",
        )
        return
    if any(layer not in [one.layer for one in report.layers] for report in reports):
        st.info(
            "These models have no layer in common. Choose models of one backbone, or one model.",
            icon=":material/movie:",
        )
        return
    first, second = st.columns(2)
    width = first.segmented_control(
        "Width of the strip", list(WIDTHS), default="page", required=True, key="cam_width"
    )
    opacity = second.slider(
        "Opacity in files", 0.1, 1.0, cam_scale(False).opacity, 0.1, key="cam_opacity"
    )
    options = CamFileOptions(
        st.session_state.get("cam_scale", "clip"),
        bool(st.session_state.get("cam_signed")),
        width,
        opacity,
    )
    film = st.expander("The film", icon=":material/movie:", on_change="rerun", key="cam_film")
    with film:
        if film.open:
            fps = film_speed(len(frames[0]), seconds)
            with st.spinner("Making the film …"):
                st.video(
                    _film(_film_key(seen, layer, options, fps), list(seen), layer, options, fps),
                    loop=True,
                    muted=True,
                )
    export = CamExport(clip, tuple(refs), choices.segments, question, layer, options)
    st.download_button(
        "Strip, film, maps, table and recipe (ZIP)",
        lambda: export.zip(reports, frames, seconds),
        "gradcam.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        help=(
            "strip.pdf, .svg, .png; overlay.mp4, .gif; maps.npz; frames.csv; recipe.json. Made when"
            " you click, in some seconds."
        ),
    )
    with st.expander("The same on the command line"):
        st.code(export.command(), language="bash", wrap_lines=True)


def _film_key(
    seen: Sequence[PanelView[CamReport]], layer: str, options: CamFileOptions, fps: float
) -> str:
    """What a film is of: every picture and map in it, and how they are shown."""
    content = hashlib.sha256(repr((layer, options, fps)).encode())
    for one in seen:
        content.update(
            repr(
                (
                    one.name,
                    one.report.target_name,
                    one.report.method,
                    one.report.prediction.frame_indices.tolist(),
                )
            ).encode()
        )
        content.update(one.frames.tobytes() + one.report.layer(layer).maps.tobytes())
    return content.hexdigest()


def _film(
    key: str, seen: list[PanelView[CamReport]], layer: str, options: CamFileOptions, fps: float
) -> bytes:
    def make() -> bytes:
        rows = cam_rows([one.report for one in seen], [one.frames for one in seen], layer, options)
        return to_mp4(cam_film(rows, layer, options.opacity), fps)

    return keep("films", key, make, user_session().name)
