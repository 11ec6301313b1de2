"""From a decoded video to each model's answer: the one path that pages, commands and tests
share.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gsm_model.models.card import Card
from gsm_model.models.caution import Caution, caution_of
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.table import AVERAGES, Average, softmax
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order

FRAMES_A_PASS = 64  # of several views: bounds the memory of one forward


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one clip in one order.

    ``frame_indices`` (T,) are the video's frame numbers in the order in which the model saw them,
    ``frame_logits`` (T, K) float32 each frame's own scores, averaged over views, (1, K) of a model
    that answers once per clip. ``seconds`` is the
    forward's time; ``note`` says what was done for want of memory, and is empty where there was
    enough. ``view_average`` (K,) float32 is `average_views` of the views' logits where
    probabilities were averaged, ``None`` where logits were. ``drawn`` is what the clip shows if it
    is one of this project's own, ``None`` if it counts as filmed.
    """

    card: Card
    order: Order
    frame_indices: np.ndarray
    frame_logits: np.ndarray
    seconds: float
    note: str = ""
    view_average: np.ndarray | None = None
    drawn: str | None = None

    @property
    def caution(self) -> Caution | None:
        """Why the answer may mean little, if anything says so."""
        return caution_of(self.card, self.drawn, self.card.label(int(self.logits.argmax())))

    @property
    def scores_frames(self) -> bool:
        """Whether each frame has scores of its own; else there is one answer for the clip."""
        return len(self.frame_logits) == len(self.frame_indices)

    @property
    def average(self) -> Average:
        """What was averaged over the views."""
        return "logits" if self.view_average is None else "probabilities"

    @property
    def logits(self) -> np.ndarray:
        """(K,) float32, the model's answer: the mean of the frame logits over time, or, where
        probabilities were averaged over views, the logarithms of their means.
        """
        return self.frame_logits.mean(axis=0) if self.view_average is None else self.view_average

    @property
    def probabilities(self) -> np.ndarray:
        """(K,) float64, sums to 1: the softmax of the logits."""
        return softmax(self.logits)

    def top(self, k: int) -> list[tuple[int, str, float]]:
        """The ``k`` likeliest classes as (index, label, probability), likeliest first."""
        p = self.probabilities
        return [
            (int(i), self.card.label(int(i)), float(p[i]))
            for i in np.argsort(-p, kind="stable")[:k]
        ]


def average_views(logits: Tensor, average: Average = "logits") -> Tensor:
    """The logits of a video's views (V, K) float as one row (K,).

    With ``"logits"`` it is their mean. With ``"probabilities"`` it is the logarithm of the mean of
    the views' softmax, so that the row's softmax is the mean of the probabilities.

    Raises:
        ValueError: for another word.

    Source: the releases of GSM and TSM average logits; mmaction2 averages probabilities by default
    in testing (``average_clips="prob"``).
    """
    if average == "logits":
        return logits.mean(dim=0)
    if average != "probabilities":
        raise ValueError(f"unknown average {average!r}; there are {', '.join(AVERAGES)}")
    return logits.log_softmax(dim=-1).logsumexp(dim=0) - math.log(len(logits))


def predict(
    model: Recognizer,
    video: DecodedVideo,
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
    crops: int = 1,
    average: Average = "logits",
    progress: Callable[[int, int], None] | None = None,
    clips: int = 1,
) -> Prediction:
    """``model``'s answer to ``video``, its frames presented in ``order`` (``seed`` picks the
    shuffle).

    The views of ``clips`` × ``crops`` are averaged by their logits or by their probabilities
    (`average_views`); the frames of the middle clip are those of the answer. ``num_segments``
    defaults to the model's own. `predict_by_protocol` takes all of it from the model's card.
    ``progress`` is told how many of how many fields of flow are computed, for a model that sees
    flow.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        ValueError: for an unknown order, number of crops or average.
    """
    cut = [
        clip_input(model, video, order, crops, num_segments, seed, progress, number, clips)
        for number in range(clips)
    ]
    clip = cut[clips // 2]
    views = clip.views if clips == 1 else torch.cat([one.views for one in cut])
    at_once = max(1, FRAMES_A_PASS // views.shape[1])
    device = next(model.parameters()).device
    with device_turn(device):
        started = time.perf_counter()
        with torch.inference_mode():
            passes = [within_memory(model, part) for part in views.split(at_once)]
            found, note = torch.cat([scores for scores, _ in passes]), passes[-1][1]
            frame_logits = found.float().mean(dim=0).cpu().numpy()
            averaged = None
            if average != "logits":
                averaged = average_views(found.float().mean(dim=1), average).cpu().numpy()
        seconds = time.perf_counter() - started
    return Prediction(
        *(model.card, order, clip.frame_indices, frame_logits, seconds, note, averaged),
        drawn=video.drawn,
    )


def predict_by_protocol(
    model: Recognizer,
    video: DecodedVideo,
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
) -> Prediction:
    """`predict` with the number of frames, clips and crops and the average of the model's own
    protocol (``model.card.protocol``); ``num_segments`` goes before its number of frames.

    Raises:
        KeyError: if ``video`` was not read for it.
    """
    own = model.card.protocol
    return predict(
        *(model, video, order, num_segments or own.segments, seed),
        *(own.crops, own.average, None, own.clips),
    )
