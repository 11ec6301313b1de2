"""Drawn clips in which the action takes up only a part: known frames have all there is to know."""

from __future__ import annotations

from dataclasses import replace

from gsm_model.data.synthetic.dataset import DrawnClip
from gsm_model.data.synthetic.raster import Shape
from gsm_model.data.synthetic.scene import Action


def action_within(clip: DrawnClip, begin: float, end: float) -> DrawnClip:
    """``clip`` with its whole action played between ``begin`` and ``end``, fractions of the clip as
    it is shown; before and after, the same scene without anything of the action. Camera, light
    and what passes by run as before.

    Raises:
        ValueError: if the part is empty or not inside 0 … 1.
    """
    if not 0 <= begin < end <= 1:
        raise ValueError(f"an action between {begin} and {end} of a clip; give 0 ≤ begin < end ≤ 1")
    if clip.label % 2:  # shown backwards
        begin, end = 1 - end, 1 - begin
    whole = clip.scene.action

    def props(t: float) -> list[Shape]:
        return whole.props((t - begin) / (end - begin)) if begin <= t < end else []

    def zoom(t: float) -> float:
        return whole.zoom((t - begin) / (end - begin)) if begin <= t < end else 1.0

    return replace(clip, scene=replace(clip.scene, action=Action(props, zoom)))
