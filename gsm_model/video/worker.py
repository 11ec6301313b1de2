"""The decoding process: requests on standard input, a line of JSON each; on standard output for
each a line of JSON and then the bytes of the arrays whose shapes it tells.

It runs under limits of its own on time and memory, so that a hostile file can cost no more than
this process. `gsm_model.video.pool` starts it; requests are those of `gsm_model.video.isolate` and
`gsm_model.video.views`.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

FRAMES_AT_A_TIME = 16
STEPS_A_PIXEL = 8  # in which vectors are sent; codecs have halves and quarters

if TYPE_CHECKING:
    from gsm_model.video.source import VideoInfo


def _confine(max_memory: int, max_cpu_seconds: float) -> None:
    """Bound this process's memory and processor time, and forbid it to write files, where the
    system can.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limits; the parent's time limit holds there
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    memory = max_memory if most == resource.RLIM_INFINITY else min(max_memory, most)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + max_cpu_seconds)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    soft = seconds if most == resource.RLIM_INFINITY else min(seconds, most)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def preview_indices(num_frames: int, count: int) -> np.ndarray:
    """At most ``count`` frame indices spread evenly over a video, ascending."""
    return np.unique(
        np.linspace(0, num_frames - 1, min(count, num_frames)).round().astype(np.int64)
    )


def shrink(frames: np.ndarray, height: int) -> np.ndarray:
    """``(n, H, W, 3)`` uint8 → at most ``height`` pixels high, both sides even, for a preview."""
    h, w = frames.shape[1:3]
    scale = min(1.0, height / h)
    size = max(2, round(w * scale / 2) * 2), max(2, round(h * scale / 2) * 2)
    return np.stack(
        [
            np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR))
            for frame in frames
        ]
    )


def answer(request: dict) -> tuple[dict, list[np.ndarray]]:
    """Decode what ``request`` asks for; returns the answer's header and its arrays."""
    from gsm_model.video.decode import open_source, read_chosen
    from gsm_model.video.modality import stacks
    from gsm_model.video.sampling import clip_indices, shifted
    from gsm_model.video.source import Limits

    parts: dict[str, np.ndarray] = {}

    def choose(info: VideoInfo) -> np.ndarray:
        wanted = [
            shifted(clip_indices(info.num_frames, t, clip, clips, sampling), by, info.num_frames)
            for t in request["segments"]
            for by in request["shifts"]
            for sampling, clips in request["clips"]
            for clip in range(clips)
        ]
        sampled, neighbours = np.concatenate(wanted), request.get("neighbours", 0)
        parts["stacks"] = stacks(sampled, neighbours, 0, info.num_frames)
        parts["sampled"] = np.union1d(sampled, parts["stacks"])
        parts["preview"] = (
            preview_indices(info.num_frames, request["preview_frames"])
            if request["preview_frames"]
            else np.array([], int)
        )
        return np.concatenate([parts["sampled"], parts["preview"]])

    name = request["name"]
    source = open_source(Path(request["path"]), Limits(**request["limits"]), name)
    _, frames = read_chosen(source, choose, name)
    sampled = frames[: len(parts["sampled"])]
    arrays = [np.ascontiguousarray(sampled)]
    if len(parts["preview"]):
        arrays.append(shrink(frames[len(sampled) :], request["preview_height"]))
    stored = None
    if source.flow is not None and (request.get("neighbours") or source.alone):
        stored = source.flow.between(parts["stacks"], request.get("flow_zero"), source.alone)
        arrays.append(stored.fields)
    header = {
        "info": asdict(source.info),
        "shapes": [array.shape for array in arrays],
        "sampled": parts["sampled"].tolist(),
        "preview": parts["preview"].tolist(),
        "times": source.times_at(parts["sampled"]).tolist(),
        "flow": None if stored is None else stored.sent(),
        "preview_times": source.times_at(parts["preview"]).tolist(),
    }
    return header, arrays


def answer_views(request: dict) -> tuple[dict, list[np.ndarray]]:
    """The views of a data set's video that ``request`` asks for, as `answer`."""
    from gsm_model.video.views import ViewsWanted, views_and_notes

    read = views_and_notes(ViewsWanted.of(request))
    arrays = [read.views, *read.also]
    shapes = [array.shape for array in arrays]
    return {"shapes": shapes, "notes": list(read.notes), "look": read.look.sent()}, arrays


def answer_frames(request: dict) -> tuple[dict, list[np.ndarray]]:
    """The frames that `gsm_model.video.isolate.read_frames` asks for, as `answer`; a few at a time,
    so that large ones are small before the next are read.
    """
    from gsm_model.errors import VideoError
    from gsm_model.video.decode import open_source
    from gsm_model.video.source import Limits

    name = request["name"]
    source = open_source(Path(request["path"]), Limits(**request["limits"]), name)
    first = request["first"] or 0
    stop = source.info.num_frames if request["stop"] is None else request["stop"]
    if not 0 <= first < stop <= source.info.num_frames:
        raise VideoError(
            f"{name}: is frames {first} to {stop} of a video of {source.info.num_frames}"
        )
    indices = first + preview_indices(stop - first, request["most"])
    parts = [
        shrink(source.read(indices[start : start + FRAMES_AT_A_TIME], None), request["height"])
        for start in range(0, len(indices), FRAMES_AT_A_TIME)
    ]
    frames = np.ascontiguousarray(np.concatenate(parts))
    info = asdict(source.info)
    return {"info": info, "first": first, "stop": stop, "shapes": [frames.shape]}, [frames]


def answer_vectors(request: dict) -> tuple[dict, list[np.ndarray]]:
    """The motion vectors that `gsm_model.video.isolate.read_vectors` asks for, as `answer`."""
    from gsm_model.video.own_vectors import vectors_of
    from gsm_model.video.source import Limits

    flow, since = vectors_of(
        Path(request["path"]),
        np.array(request["indices"], dtype=np.int64),
        request["accumulate"],
        Limits(**request["limits"]),
        request["name"],
    )
    sent = np.ascontiguousarray(np.rint(flow * STEPS_A_PIXEL).astype("<i2")).view(np.uint8)
    return {"since": since.tolist(), "steps": STEPS_A_PIXEL, "shapes": [sent.shape]}, [sent]


def main() -> None:
    # Before a request comes: a process that waits for one is ready for it.
    import gsm_model.video.decode
    import gsm_model.video.views  # noqa: F401

    with contextlib.suppress(ImportError):
        import decord  # noqa: F401

    for line in iter(sys.stdin.buffer.readline, b""):
        request = json.loads(line)
        _confine(request["limits"]["max_memory"], request["limits"]["max_decode_seconds"])
        header, arrays = _answer_or_error(request)
        sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")
        for array in arrays:
            sys.stdout.buffer.write(array.data.cast("B"))
        sys.stdout.buffer.flush()
    os._exit(0)  # taking the libraries down in order would take as long as the decoding


ANSWERS = {"": answer, "frames": answer_frames, "vectors": answer_vectors, "views": answer_views}


def _answer_or_error(request: dict) -> tuple[dict, list[np.ndarray]]:
    from gsm_model.errors import VideoError

    try:
        return ANSWERS[request.get("kind", "")](request)
    except VideoError as error:
        return {"error": str(error)}, []
    except MemoryError:
        message = "decoding it takes more memory than allowed; make it smaller or shorter"
        return {"error": f"{request['name']}: {message}"}, []


if __name__ == "__main__":
    main()
