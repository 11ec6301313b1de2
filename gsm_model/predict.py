"""From a decoded video to each model's answer: the one path that pages, commands and tests
share.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from gsm_model.models.card import Card
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order


@dataclass(frozen=True)
class Prediction:
    """A model's answer to one clip in one order.

    ``frame_indices`` (T,) are the video's frame numbers in the order in which the model saw them,
    ``frame_logits`` (T, K) float32 each frame's own scores, averaged over views. ``seconds`` is the
    forward's time; ``note`` says what was done for want of memory, and is empty where there was
    enough.
    """

    card: Card
    order: Order
    frame_indices: np.ndarray
    frame_logits: np.ndarray
    seconds: float
    note: str = ""

    @property
    def logits(self) -> np.ndarray:
        """(K,) float32: the mean of the frame logits over time, which is the model's answer."""
        return self.frame_logits.mean(axis=0)

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


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def predict(
    model: Recognizer,
    video: DecodedVideo,
    order: Order = "forward",
    num_segments: int | None = None,
    seed: int = 0,
    crops: int = 1,
) -> Prediction:
    """``model``'s answer to ``video``, its frames presented in ``order`` (``seed`` picks the
    shuffle).

    Logits are averaged over the views of ``crops``. ``num_segments`` defaults to the model's own.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        ValueError: for an unknown order or number of crops.
    """
    clip = clip_input(model, video, order, crops, num_segments, seed)
    device = next(model.parameters()).device
    with device_turn(device):
        started = time.perf_counter()
        with torch.inference_mode():
            found, note = within_memory(model, clip.views)
            frame_logits = found.float().mean(dim=0).cpu().numpy()
        seconds = time.perf_counter() - started
    return Prediction(model.card, order, clip.frame_indices, frame_logits, seconds, note)
