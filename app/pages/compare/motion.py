"""Motion on the Compare page: the optical flow between the frames of the clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from app.components.media import strip
from app.queries.clip_results import clip_motion, read_clip
from app.shell.session import ClipRef, ModelRef
from gsm_model.explain.motion import NEIGHBOURS, ClipMotion
from gsm_model.motion.pictures import largest_move, wheel, with_arrows
from gsm_model.video.sampling import Order

MEANING = (
    "Optical flow (TV-L1) from each frame that the first model sees to the next one of the video,"
    " at the model's input size. In a reversed clip it goes to the frame before, and points the"
    " other way. A model of pictures is not given it; one of optical flow is."
)
WHEEL = "red: to the right, yellow-green: down, cyan: to the left, violet: up, white: no motion"


def show(refs: Sequence[ModelRef], clip: ClipRef, order: Order, counts: Sequence[int]) -> None:
    """The motion in ``clip`` as the first of ``refs`` sees it, computed when asked for."""
    st.markdown("### Motion", help=MEANING)
    if not st.toggle("Show the optical flow of the clip", key="show_motion"):
        return
    video = read_clip(clip, (counts[0],), neighbours=NEIGHBOURS)
    found = clip_motion(refs[0], clip, video, order, counts[0])
    as_arrows = st.segmented_control(
        "Shown as", ["colours", "arrows"], default="colours", key="motion_shown"
    )
    for title, flow in flows(found):
        st.caption(title)
        largest = largest_move(flow)
        pictures = (
            with_arrows(found.frames, flow, largest)
            if as_arrows == "arrows"
            else wheel(flow, largest)
        )
        st.html(strip(pictures, captions(found, flow)))
        if as_arrows == "arrows":
            st.caption(f"An arrow as long as the places are apart: {largest:.1f} pixels")
        else:
            st.caption(f"{WHEEL}; full colour: {largest:.1f} pixels")


def flows(found: ClipMotion) -> list[tuple[str, np.ndarray]]:
    """What there is to see, with its title."""
    shown = [("TV-L1", found.flow)]
    if found.learnt is not None:
        shown.append(("The model's own flow (TVNet)", found.learnt))
    return shown


def captions(found: ClipMotion, flow: np.ndarray) -> list[str]:
    """Each frame with the mean length of its flow."""
    lengths = np.hypot(flow[:, 0], flow[:, 1]).mean((1, 2))
    return [
        f"frame {index}, {length:.1f} px"
        for index, length in zip(found.frame_indices, lengths, strict=True)
    ]
