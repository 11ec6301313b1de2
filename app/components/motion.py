"""The motion in a clip on a page: the optical flow between its frames, by itself and under maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.components.media import strip
from app.components.sentences import escape
from app.queries.clip_results import clip_motion, read_clip
from app.shell.session import ClipRef, ModelRef, load_model
from gsm_model.explain.motion import NEIGHBOURS, ClipMotion, computes_motion
from gsm_model.motion.pictures import as_large_as, largest_move, tinted, wheel, with_arrows
from gsm_model.video.sampling import Order

MEANING = (
    "Optical flow (TV-L1) from each frame that the first model sees to the next one of the video,"
    " at the model's input size. In a reversed clip it goes to the frame before, and points the"
    " other way. A model of pictures is not given it; one of optical flow is. Beside it: how a"
    " codec would predict the next frame, block by block, and what the model computes itself, if it"
    " does."
)
UNDER = {
    "pictures": "",
    "arrows": "Arrows: where things move from each frame to the next one of the video",
    "colours": "What moves has a colour, what rests its own: red to the right, yellow-green down,"
    " cyan to the left, violet up",
}
WHEEL = "red: to the right, yellow-green: down, cyan: to the left, violet: up, white: no motion"


def show_motion(
    refs: Sequence[ModelRef], clip: ClipRef, order: Order, counts: Sequence[int]
) -> None:
    """The motion in ``clip`` as the first of ``refs`` sees it, and what each of them computes of it
    itself; when asked for.
    """
    st.markdown("### Motion", help=MEANING)
    if not st.toggle("Show the optical flow of the clip", key="show_motion"):
        return
    found = motion_seen(refs[0], clip, order, counts[0])
    as_arrows = st.segmented_control(
        "Shown as", ["colours", "arrows"], default="colours", key="motion_shown"
    )
    for title, flow, unit in flows(found):
        _show_flow(title, found, flow, unit, as_arrows == "arrows")
    for ref, count in zip(refs[1:], counts[1:], strict=True):
        model = load_model(ref)
        if not computes_motion(model):
            continue
        found = motion_seen(ref, clip, order, count)
        for title, flow, unit in own_flows(found, escape(model.card.name)):
            _show_flow(title, found, flow, unit, as_arrows == "arrows")


def _show_flow(title: str, found: ClipMotion, flow: np.ndarray, unit: str, as_arrows: bool) -> None:
    st.caption(title)
    largest = largest_move(flow)
    large = as_large_as(flow, found.frames)
    pictures = with_arrows(found.frames, large, largest) if as_arrows else wheel(large, largest)
    st.html(strip(pictures, captions(found, flow, unit)))
    st.caption(_scale(as_arrows, largest, unit))


def _scale(as_arrows: bool, largest: float, unit: str) -> str:
    if as_arrows:
        return f"An arrow as long as the places are apart: {largest:.1f} {unit}"
    return f"{WHEEL}; full colour: {largest:.1f} {unit}"


def motion_seen(ref: ModelRef, clip: ClipRef, order: Order, count: int) -> ClipMotion:
    """The motion in ``clip`` as ``ref``'s model sees it in ``count`` frames."""
    own = load_model(ref).input.modality.neighbours
    sampling = load_model(ref).input.sampling
    video = read_clip(clip, (count,), neighbours=max(NEIGHBOURS, own), clips=((sampling, 1),))
    return clip_motion(ref, clip, video, order, count)


def flows(found: ClipMotion) -> list[tuple[str, np.ndarray, str]]:
    """What there is to see of the first model, (T, 2, h, w) each, with its title and unit."""
    shown = [("TV-L1", found.flow, "pixels")]
    if found.vectors is not None:
        title = "Motion vectors of MPEG-4, as flow: one for each block of 16 × 16 or 8 × 8"
        shown.append((title, found.vectors, "pixels"))
    return shown + own_flows(found, "The model")


def own_flows(found: ClipMotion, name: str) -> list[tuple[str, np.ndarray, str]]:
    """What of it the model called ``name`` computes itself, as `flows`."""
    shown = []
    if found.learnt is not None:
        shown.append((f"{name}: its own flow (TVNet)", found.learnt, "pixels"))
    if found.untrained is not None:
        title = f"{name}: the same before training, when its layers are TV-L1"
        shown.append((title, found.untrained, "pixels"))
    if found.cue is not None:
        title = f"{name}: its own cue (DMC-Net), made of motion vectors"
        shown.append((title, found.cue, "pixels"))
    for layer, flow in found.of_features:
        size = f"{flow.shape[-1]} × {flow.shape[-2]} places"
        title = (
            f"{name}: representation flow behind {layer}, of the features, {size}, from each of"
            " these frames to the next one"
        )
        shown.append((title, flow, "places"))
    return shown


def choose_under(any_sees_motion: bool) -> str:
    """What stands under maps: pictures as they are, or with their flow; the latter at first where
    a model sees motion.
    """
    chosen = st.segmented_control(
        "Under the maps",
        list(UNDER),
        default="arrows" if any_sees_motion else "pictures",
        required=True,
        key="under_maps",
        help=(
            "Arrows and colours are the optical flow from each frame to the next one of the video:"
            " the model's own where it computes it, else TV-L1."
        ),
    )
    if chosen != "pictures":
        st.caption(UNDER[str(chosen)])
    return str(chosen)


def under_maps(how: str, frames: np.ndarray, found: ClipMotion) -> np.ndarray:
    """``frames`` (T, P, P, 3) uint8 of the clip that ``found`` is of, its flow drawn as ``how``
    says.
    """
    flow = next(one for one in (found.learnt, found.cue, found.flow) if one is not None)
    draw = with_arrows if how == "arrows" else tinted
    return draw(frames, as_large_as(flow, frames), largest_move(flow))


def captions(found: ClipMotion, flow: np.ndarray, unit: str) -> list[str]:
    """Each frame with the mean length of its flow."""
    lengths = np.hypot(flow[:, 0], flow[:, 1]).mean((1, 2))
    return [
        f"frame {index}, {length:.1f} {'px' if unit == 'pixels' else unit}"
        for index, length in zip(found.frame_indices, lengths, strict=True)
    ]
