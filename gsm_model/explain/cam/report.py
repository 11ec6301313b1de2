"""Class activation maps of whole clips: where a model looks, place by place and frame by frame.

All T frames go through the network together; a map of a frame that was fed alone belongs to no
clip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gsm_model.explain.cam.evidence import Target, evidence_of_clips
from gsm_model.explain.cam.methods import cam_by_channel, cam_of_evidence
from gsm_model.explain.cam.names import METHODS, SLOW_METHODS, Method
from gsm_model.models.card import Card
from gsm_model.models.recognizer import Recognizer
from gsm_model.models.video_networks.network import in_time, shared_out
from gsm_model.predict import Prediction
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order


@dataclass(frozen=True)
class LayerMaps:
    """One layer's maps of one clip. ``maps`` (T, h, w) float32: the method's numbers as they are,
    signed, not rescaled.

    ``evidence`` (T,) float32, in logits: gradient × feature summed over places and channels, each
    frame's part in the answer to first order, whatever the method. ``channels``: how many the layer
    has. ``steps``: how many time steps, 0 for as many as frames; of fewer, maps are interpolated
    between them and evidence is shared out (`in_time`, `shared_out`).
    """

    layer: str
    maps: np.ndarray
    evidence: np.ndarray
    channels: int
    steps: int = 0

    @property
    def title(self) -> str:
        """What people call the layer: its name."""
        return self.layer


@dataclass(frozen=True)
class CamReport:
    """A model's maps of one clip for one target by one method, for each of several layers in
    network order.
    """

    prediction: Prediction
    method: Method
    target: Target
    layers: tuple[LayerMaps, ...]

    @property
    def card(self) -> Card:
        """Whose maps they are."""
        return self.prediction.card

    @property
    def target_name(self) -> str:
        """The target in words."""
        return self.target.name(self.card)

    def frame_values(self) -> np.ndarray:
        """(T,) float32: the target's value by every frame's own scores; their mean is the target's
        value for the clip. (1,) of a model that answers once per clip.
        """
        return self.target.value(torch.from_numpy(self.prediction.frame_logits)).numpy()

    def layer(self, name: str) -> LayerMaps:
        """The layer called ``name``.

        Raises:
            KeyError: if it was not asked for.
        """
        return {layer.layer: layer for layer in self.layers}[name]


def steps_in_words(report: CamReport, layer: str) -> str:
    """That the maps of ``layer`` lie between fewer time steps than there are frames; empty where
    each frame has its own.
    """
    steps, frames = report.layer(layer).steps, len(report.prediction.frame_indices)
    if not steps:
        return ""
    held = "one time step" if steps == 1 else f"{steps} time steps"
    how = "every frame shows that one" if steps == 1 else "between them maps are interpolated"
    return f"{report.card.name} holds {held} of {frames} frames at {layer}; {how}."


def last_layer(model: Recognizer) -> str:
    """The name of the output of the network's last block, the usual place for a map."""
    return list(model.feature_points())[-1]


def report_cams(
    model: Recognizer,
    video: DecodedVideo,
    target: Target | None = None,
    method: Method = "gradcam",
    layers: Sequence[str] | None = None,
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> CamReport:
    """``model``'s maps of ``video``, its frames presented in ``order``.

    ``target`` defaults to the model's own answer; ``layers`` are names of
    `Recognizer.feature_points`, by default the last block. For the slow methods ``progress`` is
    told how many passes are done.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        ValueError: for an unknown method, layer or class, or several layers at once for a slow
            method.
    """
    clip = clip_input(model, video, order, num_segments=num_segments, seed=seed)
    layers = [last_layer(model)] if layers is None else list(layers)
    frame_logits, chosen, maps = cams_of_clips(model, clip.views, target, method, layers, progress)
    prediction = Prediction(
        model.card, order, clip.frame_indices, frame_logits[0], 0.0, drawn=video.drawn
    )
    return CamReport(
        prediction,
        method,
        chosen,
        tuple(replace(m, maps=m.maps[0], evidence=m.evidence[0]) for m in maps),
    )


def cams_of_clips(
    model: Recognizer,
    clips: Tensor,
    target: Target | None,
    method: Method,
    layers: Sequence[str],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, Target, list[LayerMaps]]:
    """Frame logits (N, T, K) float32, the target, and its maps, with an axis of N clips (or views)
    before those of `LayerMaps`.

    All layers come from one forward and one backward pass, but for the slow methods. As
    `evidence_of_clips` otherwise.

    Raises:
        ValueError: for an unknown method, layer or class, or several layers at once for a slow
            method.
    """
    if method not in METHODS:
        raise ValueError(f"no method {method!r}; there are {', '.join(METHODS)}")
    if method in SLOW_METHODS and len(layers) != 1:
        raise ValueError(f"{method} takes one layer at a time")
    frame_logits, [(chosen, evidence)] = evidence_of_clips(model, clips, [target], layers)
    found = []
    for one in evidence:
        if method in SLOW_METHODS:
            maps = cam_by_channel(model, clips, chosen, method, one, frame_logits, progress)
        else:
            maps = cam_of_evidence(method, one)
        t, (steps, channels) = clips.shape[1], one.features.shape[1:3]
        evidence_by_frame = one.by_frame()
        if steps != t:
            maps = in_time(torch.from_numpy(maps), t).numpy()
            evidence_by_frame = shared_out(torch.from_numpy(evidence_by_frame), t).numpy()
        found.append(
            LayerMaps(one.layer, maps, evidence_by_frame, channels, 0 if steps == t else steps)
        )
    return frame_logits, chosen, found
