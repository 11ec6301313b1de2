"""Reading a video in a process of its own: its crash, hang or hunger costs an error message and
nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from gsm_model.errors import VideoError
from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.source import Limits, VideoInfo

MAX_WORKER_SECONDS = 60
MAX_WORKER_MEMORY = 6 * 2**30
MAX_SEGMENTS = 64
SPARE_AFTER_SECONDS = 1.0
# More decoders at once than processors would only wait for each other, and hold memory meanwhile.
_decoders = threading.BoundedSemaphore(max(2, os.cpu_count() or 1))
_spare: subprocess.Popen | None = None
_spares_wanted = False
_spare_lock = threading.Lock()


def read_video(
    path: Path,
    segments: Sequence[int] = (8,),
    limits: Limits | None = None,
    name: str | None = None,
    preview_frames: int = 0,
    preview_height: int = 240,
    shifts: Sequence[int] = (0,),
) -> DecodedVideo:
    """Decode, in another process, the evaluation clips of every number of segments in ``segments``.

    ``shifts`` are numbers of frames by which those clips are wanted earlier (negative) or later
    too. ``preview_frames`` is the most small pictures wanted beside them (0 for none),
    ``preview_height`` their height in pixels. ``name`` is what messages call the file.

    Raises:
        VideoError: if the file is no video, damaged, over a limit, or took the decoder down.
        ValueError: for a number of segments outside 1 … 64.
    """
    if not segments or not all(1 <= count <= MAX_SEGMENTS for count in segments):
        raise ValueError(f"segments must be 1 to {MAX_SEGMENTS}, got {list(segments)}")
    name = name or path.name
    request = {
        "path": str(path.absolute()),
        "name": name,
        "segments": list(segments),
        "shifts": list(shifts),
        "limits": asdict(limits or Limits()),
        "preview_frames": preview_frames,
        "preview_height": preview_height,
        "max_memory": MAX_WORKER_MEMORY,
        "max_seconds": MAX_WORKER_SECONDS,
    }
    header, body = _ask_worker(request)
    if "error" in header:
        raise VideoError(header["error"])
    arrays = []
    for shape in header["shapes"]:
        size = int(np.prod(shape))
        arrays.append(np.frombuffer(body[:size], np.uint8).reshape(shape))
        body = body[size:]
    preview = arrays[1] if len(arrays) > 1 else np.zeros((0, 2, 2, 3), np.uint8)
    return DecodedVideo(
        name,
        VideoInfo(**header["info"]),
        np.array(header["sampled"]),
        arrays[0],
        preview,
        np.array(header["preview"], dtype=np.int64),
    )


def keep_a_decoder_ready() -> None:
    """From now on have a decoding process started ahead of the next video, which saves its start (a
    quarter of a second).

    It serves one video, as every other, and ends with this process.
    """
    global _spares_wanted
    _spares_wanted = True
    _start_spare()


def _start_spare() -> None:
    global _spare
    with _spare_lock:
        if _spare is None or _spare.poll() is not None:
            _spare = _start_worker()


def _take_worker() -> subprocess.Popen:
    global _spare
    with _spare_lock:
        worker, _spare = _spare, None
    if _spares_wanted:  # a little later: just now the processor is wanted for this video
        later = threading.Timer(SPARE_AFTER_SECONDS, _start_spare)
        later.daemon = True
        later.start()
    return worker if worker is not None and worker.poll() is None else _start_worker()


def _start_worker() -> subprocess.Popen:
    package_root = Path(__file__).resolve().parents[2]
    paths = [str(package_root), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "gsm_model.video.worker"]
    return subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _ask_worker(request: dict) -> tuple[dict, memoryview]:
    name = request["name"]
    with _decoders, _take_worker() as worker:
        try:
            answer, _ = worker.communicate(
                json.dumps(request).encode(), timeout=request["max_seconds"] + 10
            )
        except subprocess.TimeoutExpired:
            raise VideoError(
                f"{name}: decoding it takes longer than {request['max_seconds']} s; cut it or make"
                " it smaller"
            ) from None
        finally:
            if worker.poll() is None:
                worker.kill()
    head, separator, body = answer.partition(b"\n")
    if worker.returncode != 0 or not separator:
        raise VideoError(
            f"{name}: the decoder stopped while reading it (exit {worker.returncode}); the file is"
            " damaged or made to harm"
        )
    return json.loads(head), memoryview(body)
