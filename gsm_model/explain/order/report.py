"""What if time ran otherwise? One model's answers to one clip under many orders of its frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gsm_model.data.labels import reversed_class
from gsm_model.errors import UnsuitableModelError
from gsm_model.models.card import Card
from gsm_model.models.caution import Caution, caution_of
from gsm_model.models.inference.device_queue import device_turn
from gsm_model.models.inference.out_of_memory import within_memory
from gsm_model.models.recognizer import Recognizer
from gsm_model.predict import softmax
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.sampling import Order, order_positions

# The orders in which the frames of a segment are presented otherwise, too.
ORDERS_WITHIN: tuple[Order, ...] = ("reversed", "frozen")
MAX_FRAMES_A_PASS = 128  # bounds the memory of one forward
MOST_FRAMES = 64  # of a clip: there is a pass for every two of them


@dataclass(frozen=True)
class OrderReport:
    """One model's probabilities, float64, for K classes of a clip of T frames in other orders.

    ``forward``, ``reversed``, ``frozen`` (the middle frame throughout) are (K,), ``shuffled`` is
    (S, K), ``left_out`` (T, K) has the clip without frame t, ``swapped`` (T, T, K) the clip with
    frames i and j in each other's place (the diagonal is ``forward``). ``frame_indices`` (T,) are
    the video's frames, ``drawn`` as in a `Prediction`.
    """

    card: Card
    frame_indices: np.ndarray
    forward: np.ndarray
    reversed: np.ndarray
    frozen: np.ndarray
    shuffled: np.ndarray
    left_out: np.ndarray
    swapped: np.ndarray
    drawn: str | None = None

    @property
    def caution(self) -> Caution | None:
        """Why the answers may mean little, if anything says so."""
        return caution_of(self.card, self.drawn, self.card.label(self.answer))

    @property
    def answer(self) -> int:
        """The class index of the answer to the clip as it is."""
        return int(self.forward.argmax())

    @property
    def reversed_class(self) -> int | None:
        """The class index of the answer's time reversal, or ``None`` where it is not among the
        classes.
        """
        labels = self.card.labels or ()
        other = reversed_class(self.card.label(self.answer))
        return labels.index(other) if other in labels else None

    @property
    def sensitivity(self) -> float:
        """Order sensitivity, 0 … 1: how far a shuffle moves the probabilities, as the mean over the
        shuffles of the total variation distance ½ Σ |p − q| to the forward ones. 0: no order
        changes the answer, as in a TSN."""
        return float(np.abs(self.shuffled - self.forward).sum(axis=1).mean() / 2)

    def rows(self) -> list[tuple[str, np.ndarray]]:
        """Every order by name with its (K,) probabilities; frames are named by their place, from
        1.
        """
        t = len(self.frame_indices)
        return [
            ("forward", self.forward),
            ("reversed", self.reversed),
            ("frozen", self.frozen),
            *((f"shuffled {number + 1}", row) for number, row in enumerate(self.shuffled)),
            *((f"without frame {i + 1}", row) for i, row in enumerate(self.left_out)),
            *(
                (f"frames {i + 1} and {j + 1} swapped", self.swapped[i, j])
                for i in range(t)
                for j in range(i + 1, t)
            ),
        ]


def report_order(
    model: Recognizer,
    video: DecodedVideo,
    num_segments: int | None = None,
    shuffles: int = 20,
    seed: int = 0,
) -> OrderReport:
    """Score ``video``'s clip in every order of an `OrderReport`, in one batched pass for each
    length of clip.

    ``seed`` picks the ``shuffles``; ``num_segments`` defaults to the model's own.

    Raises:
        KeyError: if ``video`` was not read for this number of segments.
        UnsuitableModelError: for more than `MOST_FRAMES` frames.
    """
    t = num_segments or model.architecture.num_segments
    if t > MOST_FRAMES:
        raise UnsuitableModelError(
            f"{model.card.name} is given {t} frames, and every two of them would be swapped; choose"
            f" at most {MOST_FRAMES} frames"
        )
    clip = clip_input(model, video, num_segments=t)
    same = np.arange(t)
    pairs = [(i, j) for i in range(t) for j in range(i + 1, t)]
    orders = [order_positions(t, order) for order in ("forward", "reversed", "frozen")]
    orders += [order_positions(t, "shuffled", seed + number) for number in range(shuffles)]
    orders += [_swapped(same, i, j) for i, j in pairs]
    p = _probabilities(model, clip.views, orders)
    if model.input.modality.neighbours:  # within a segment time runs backwards, or stands, too
        for row, order in enumerate(ORDERS_WITHIN, start=1):
            other = clip_input(model, video, order, num_segments=t)
            p[row] = _probabilities(model, other.views, [same])[0]
    shorter = [np.delete(same, i) for i in range(t)] if t > 1 else []
    left_out = _probabilities(model, clip.views, shorter) if shorter else np.empty((0, p.shape[1]))
    swapped = np.tile(p[0], (t, t, 1))
    for (i, j), row in zip(pairs, p[3 + shuffles :], strict=True):
        swapped[i, j] = swapped[j, i] = row
    return OrderReport(
        *(model.card, clip.frame_indices, p[0], p[1], p[2], p[3 : 3 + shuffles]),
        *(left_out, swapped, video.drawn),
    )


def _swapped(positions: np.ndarray, i: int, j: int) -> np.ndarray:
    other = positions.copy()
    other[[i, j]] = other[[j, i]]
    return other


def _probabilities(model: Recognizer, view: Tensor, orders: list[np.ndarray]) -> np.ndarray:
    """Softmax of ``model``'s logits (len(orders), K) for the clip ``view`` (1, T, 3, S, S) in each
    order.
    """
    device = next(model.parameters()).device
    at_once = max(1, MAX_FRAMES_A_PASS // len(orders[0]))
    logits = []
    for start in range(0, len(orders), at_once):
        positions = torch.from_numpy(np.stack(orders[start : start + at_once]))
        with device_turn(device), torch.inference_mode():
            found, _ = within_memory(model, view[0, positions], model)
            logits.append(found.float().cpu().numpy())
    return softmax(np.concatenate(logits))
