"""Does decoding keep up with scoring? The time that a pass over video files waits for its clips,
decoded ahead and not.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from gsm_model.benchmark.timing import Timing
from gsm_model.data.lists import Entry, read_video_list
from gsm_model.data.synthetic.export import write_dataset
from gsm_model.errors import VideoError
from gsm_model.evaluation.loader import AHEAD, Views, feed, wanted_views
from gsm_model.evaluation.score import score_views
from gsm_model.models.recognizer import Recognizer
from gsm_model.video.views import read_views


def benchmark_feeding(
    model: Recognizer,
    clips_per_class: int = 4,
    runs: int = 5,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """``model`` over drawn clips written as video files: the time of a clip that is decoded and
    then scored, in turn; of one that ``workers`` processes decode ahead; and, of each, what the
    model waits for its frames. The first clips, for which the processes start, do not count. Ratios
    are to the first.

    Raises:
        ValueError: if ``runs`` is not positive.
    """
    if runs < 1:
        raise ValueError(f"at least one run is needed, got {runs}")
    found = np.zeros((runs, 4))
    segments = model.architecture.num_segments
    with tempfile.TemporaryDirectory() as folder:
        entries = read_video_list(
            write_dataset(Path(folder) / "clips", "test", clips_per_class, "mp4")
        ).entries
        for number in range(runs):
            in_turn = (
                (entry, read_views(wanted_views(entry, segments, model.input, Views())))
                for entry in entries
            )
            ahead = feed(entries, segments, model.input, Views(), workers)
            found[number] = [*_scored(model, in_turn, workers), *_scored(model, ahead, workers)]
            if progress is not None:
                progress(number + 1, runs)
    names = (
        "a clip, decoded and then scored",
        "of it, waiting for frames",
        f"a clip, decoded ahead ({workers} process{'es' * (workers > 1)})",
        "of it, waiting for the decoders",
    )
    return [
        Timing(name, seconds, seconds / found[:, 0])
        for name, seconds in zip(names, found.T, strict=True)
    ]


def _scored(
    model: Recognizer, clips: Iterable[tuple[Entry, np.ndarray | str]], workers: int
) -> tuple[float, float]:
    """Seconds of a clip, and of it those that its frames were waited for."""
    took, waited, asked = [], [], time.perf_counter()
    for _, views in clips:
        if isinstance(views, str):
            raise VideoError(views)
        begun = time.perf_counter()
        score_views(model, views)
        done = time.perf_counter()
        took.append(done - asked)
        waited.append(begun - asked)
        asked = done
    counted = slice(AHEAD * workers, None)
    return float(np.mean(took[counted])), float(np.mean(waited[counted]))
