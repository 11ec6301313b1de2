"""A costly look at each of several models: what it costs, a button, and progress with a way to
stop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from app.components.progress import cancellable
from app.queries import clip_results
from app.shell.layout import Choices, explain_error
from app.shell.session import ClipRef, ModelRef
from gsm_model.errors import LensError
from gsm_model.video.decoded import DecodedVideo

_DRAWING = 0.1  # seconds that one processor takes to draw a clip
Found = TypeVar("Found")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class CostlyLook(Generic[Found]):
    """What is computed for each model. ``key`` names it among those of a page; ``known(ref)``:
    whether ``compute(ref, name, progress)`` has its result already; ``cost()`` says what the others
    take; ``advice`` is what to do where a model cannot be looked at.
    """

    key: str
    button: str
    icon: str
    known: Callable[[ModelRef], bool]
    compute: Callable[[ModelRef, str, Progress | None], Found]
    cost: Callable[[], str]
    advice: str


def on_request(choices: Choices, refs: Sequence[ModelRef], look: CostlyLook[Found]) -> list[Found]:
    """The results of ``refs``, in their order, once they are asked for; before that, or where one
    fails, none: the page then has the button, or the reason.
    """
    asking = st.empty()
    if not all(look.known(ref) for ref in refs):
        with asking.container():
            st.caption(look.cost())
            pressed = st.button(look.button, icon=look.icon)
        if not pressed:
            return []
    try:
        found = [_found(look, ref, choices.names[ref.key]) for ref in refs]
    except LensError as error:
        explain_error(error, look.advice)
        return []
    asking.empty()  # nothing asks for what is there
    return found


def _found(look: CostlyLook[Found], ref: ModelRef, name: str) -> Found:
    if look.known(ref):
        return look.compute(ref, name, None)
    with cancellable(
        f"{name}: clips are drawn …",
        f"{name}: clip",
        f"cancel-{look.key}-{ref.key}",
        "Stops here; what other models have found is kept.",
    ) as progress:
        return look.compute(ref, name, progress)


def cost_of_passes(
    choices: Choices,
    clip: ClipRef,
    video: DecodedVideo,
    passes: Sequence[tuple[ModelRef, int, float]],
    more_seconds: float = 0.0,
) -> str:
    """What forward passes take, by the time that each model's answer to ``clip`` took: ``passes``
    are (model, frames of a clip, how many); ``more_seconds`` go into what is no pass.
    """
    seconds = more_seconds + sum(
        needed
        * clip_results.answer(ref, choices.names[ref.key], clip, video, "forward", count).seconds
        for ref, count, needed in passes
    )
    total = sum(needed for *_, needed in passes)
    return f"about {total:,.0f} forward passes, {_long(seconds)} by the time that one took here"


def cost_over_drawn_clips(
    choices: Choices,
    clip: ClipRef,
    video: DecodedVideo,
    passes: Sequence[tuple[ModelRef, int, float]],
    clips: int,
) -> str:
    """`cost_of_passes` where ``clips`` are drawn for each model, as a sentence."""
    drawing = len(passes) * clips * _DRAWING
    return f"Drawing the clips and {cost_of_passes(choices, clip, video, passes, drawing)}."


def _long(seconds: float) -> str:
    if seconds < 180:
        return f"{max(seconds, 1):.0f} seconds"
    return f"{seconds / 60:,.0f} minutes"
