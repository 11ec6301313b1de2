"""From an uploaded clip to the first answers: decoding and two models, against its parts alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from gsm_model.benchmark.timing import Timing, in_turn
from gsm_model.models.inference.optimize import Precision, optimize
from gsm_model.models.recognizer import Recognizer
from gsm_model.predict import predict
from gsm_model.video.clip_input import clip_input
from gsm_model.video.decode import decode
from gsm_model.video.isolate import keep_a_decoder_ready, read_video
from gsm_model.video.pool import SPARE_AFTER_SECONDS
from gsm_model.video.sampling import segment_indices


def benchmark_first_answer(
    clip: Path,
    models: Sequence[Recognizer],
    precision: Precision = "float32",
    runs: int = 9,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """``clip`` as a page takes it, decoded in another process that stood ready, and shown to
    ``models``; and its parts: the bare decoding in this process, the bare forwards. Ratios are to
    the bare decoding and the bare forwards together.

    Raises:
        VideoError: if ``clip`` is no video.
        ValueError: if ``runs`` is not positive.
    """
    fast = [optimize(model, precision) for model in models]
    device = next(fast[0].parameters()).device
    counts = sorted({model.architecture.num_segments for model in fast})
    ready = [clip_input(model, read_video(clip, counts)).views.to(device) for model in fast]

    def bare_forwards() -> None:
        with torch.inference_mode():
            for model, views in zip(fast, ready, strict=True):
                model(views)

    def first_answer() -> None:
        video = read_video(clip, counts)
        for model in fast:
            predict(model, video)

    things = {
        "bare decoding": lambda: decode(
            clip, lambda info: segment_indices(info.num_frames, counts[0])
        ),
        "bare forwards": bare_forwards,
        "first answer": first_answer,
    }
    keep_a_decoder_ready()
    seconds = in_turn(
        things,
        runs,
        device,
        progress,
        {"first answer": lambda: time.sleep(2 * SPARE_AFTER_SECONDS)},
    )
    bare = seconds["bare decoding"] + seconds["bare forwards"]
    return [Timing(name, taken, taken / bare) for name, taken in seconds.items()]
