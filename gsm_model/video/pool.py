"""Processes that decode, under limits: the one pool for uploads and for data sets.

A file that crashes, hangs or starves its process costs that process and a message; whoever asked,
and the other files, go on.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from gsm_model.errors import VideoError

SPARE_AFTER_SECONDS = 1.0
GRACE_SECONDS = 10  # of the clock, beyond the seconds of processor time that a request may take
LARGEST_HEADER = 2**24  # bytes
_ENDING_SECONDS = 2.0  # how long the system may take to report that a process has ended
# Signals that a process does not get for what it does itself, as it does for a fault of memory.
_FROM_OUTSIDE = {
    int(getattr(signal, name))
    for name in ("SIGHUP", "SIGINT", "SIGKILL", "SIGTERM")
    if hasattr(signal, name)
}
_SIGXCPU = int(getattr(signal, "SIGXCPU", 0))  # the limit on processor time was reached
_TOO_LONG = "decoding it takes longer than {} s; cut it or make it smaller"


@dataclass(frozen=True)
class Answer:
    """What a decoding process says of a video, and its arrays, uint8."""

    header: dict
    arrays: list[np.ndarray]


class _Stopped(Exception):
    """The process ended, or said nothing that could be an answer."""


class _AtEnd(_Stopped):
    """The process ended in the middle of its answer or before it."""


def _fault(code: int | None) -> str:
    """What to say of a process that ended with ``code``; ``None`` if it gave no answer and ran
    on.
    """
    stopped = "the decoder stopped while reading it"
    if code is not None and -code in _FROM_OUTSIDE:
        name = _signal_name(-code)
        memory = ", most likely for lack of memory" if name == "SIGKILL" else ""
        return (
            f"{stopped}: it was ended from outside ({name}){memory}; nothing is known to be wrong"
            " with the file. Try again"
        )
    how = "no answer" if code is None else f"exit {code}" if code >= 0 else _signal_name(-code)
    return f"{stopped} ({how}); the file is damaged or made to harm"


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


class Decoder:
    """One decoding process (`gsm_model.video.worker`)."""

    def __init__(self) -> None:
        self.process = start_worker()
        self._requests = cast(io.BufferedWriter, self.process.stdin)
        self._answers = cast(io.BufferedReader, self.process.stdout)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process.poll() is None

    def ask(self, request: dict, last: bool = False) -> Answer:
        """The answer to one request; ``last`` lets the process end after it.

        Raises:
            VideoError: if the file took the process down or kept it longer than its limits allow,
                or the process was ended from outside.
        """
        name, limits = request["name"], request["limits"]
        hung = threading.Event()

        def end() -> None:
            hung.set()
            self.process.kill()

        clock = threading.Timer(max(0, limits["max_decode_seconds"] + GRACE_SECONDS), end)
        clock.daemon = True
        clock.start()
        try:
            self._send(request, last)
            return self._receive(limits["max_memory"])
        except (_Stopped, OSError, ValueError) as error:
            code = self._ended(isinstance(error, (_AtEnd, OSError)))
            self.close()
            too_long = hung.is_set() or ((code or 0) < 0 and code == -_SIGXCPU)
            fault = _TOO_LONG.format(limits["max_decode_seconds"]) if too_long else _fault(code)
            raise VideoError(f"{name}: {fault}") from None
        finally:
            clock.cancel()

    def _ended(self, expected: bool) -> int | None:
        """The exit status of a process that ended by itself; ``None`` if it still runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(_ENDING_SECONDS if expected else 0)
        return None

    def _send(self, request: dict, last: bool) -> None:
        self._requests.write(json.dumps(request).encode() + b"\n")
        self._requests.flush()
        if last:
            self._requests.close()

    def _receive(self, most_bytes: int) -> Answer:
        line = self._answers.readline(LARGEST_HEADER)
        if not line:
            raise _AtEnd
        if not line.endswith(b"\n"):
            raise _Stopped
        header, arrays = json.loads(line), []
        shapes = [] if "error" in header else header["shapes"]
        if sum(math.prod(shape) for shape in shapes) > most_bytes:
            raise _Stopped
        for shape in shapes:
            array = np.empty(shape, np.uint8)
            left = array.data.cast("B")
            while left.nbytes:
                count = self._answers.readinto(left)
                if not count:
                    raise _AtEnd
                left = left[count:]
            arrays.append(array)
        return Answer(header, arrays)

    def close(self, patience: float = 0.0) -> None:
        """End the process, after ``patience`` seconds in which it may end by itself."""
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(OSError):  # what was still to be written has no reader
                pipe.close()


def start_worker() -> subprocess.Popen[bytes]:
    """A decoding process that waits for requests."""
    package_root = Path(__file__).resolve().parents[2]
    paths = [str(package_root), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "OPENBLAS_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        worker_command(),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def worker_command() -> list[str]:
    """How a decoding process is started."""
    return [sys.executable, "-m", "gsm_model.video.worker"]


class DecoderPool:
    """At most ``size`` decoding processes at once.

    With ``reuse`` a process serves one video after another, as a data set's do; without, every
    video has a process of its own, so that nothing of one person's file can reach another's.
    """

    def __init__(self, size: int, reuse: bool) -> None:
        self.size, self.reuse = size, reuse
        self.idle: list[Decoder] = []
        self._busy: set[Decoder] = set()
        self._closed = False
        self._spare_wanted = False
        self._turns = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()

    def keep_ready(self) -> None:
        """From now on have a process started ahead of the next video, which saves its start (a
        quarter of a second).
        """
        self._spare_wanted = True
        self._start_spare()

    def ask(self, request: dict) -> Answer:
        """The answer to ``request`` by the next process that is free.

        Raises:
            VideoError: if the process found the file wrong or over a limit, or was taken down by
                it.
        """
        with self._turns:
            decoder = self._take()
            try:
                answer = decoder.ask(request, last=not self.reuse)
            finally:
                self._give(decoder)
        if "error" in answer.header:
            raise VideoError(answer.header["error"])
        return answer

    def ask_ahead(self, requests: Iterable[dict], ahead: int) -> Generator[Answer | VideoError]:
        """The answers to ``requests`` in order, ``ahead`` in the making for each process."""
        waiting: deque[Future] = deque()
        upcoming = iter(requests)
        threads = ThreadPoolExecutor(self.size, thread_name_prefix="decoder")
        try:
            while True:
                while len(waiting) < ahead * self.size:
                    request = next(upcoming, None)
                    if request is None:
                        break
                    waiting.append(threads.submit(self.ask, request))
                if not waiting:
                    return
                try:
                    answer: Answer | VideoError = waiting.popleft().result()
                except VideoError as error:
                    answer = error
                yield answer
        finally:
            for future in waiting:
                future.cancel()
            self.close()
            threads.shutdown()

    def close(self) -> None:
        """End all processes; what they were reading is given up."""
        with self._lock:
            self._closed = True
            mine = [*self.idle, *self._busy]
            self.idle.clear()
        for decoder in mine:
            decoder.process.kill()
            if decoder not in self._busy:
                decoder.close()

    def _take(self) -> Decoder:
        with self._lock:
            while self.idle:
                decoder = self.idle.pop()
                if decoder.alive:
                    break
                decoder.close()
            else:
                decoder = Decoder()
            self._busy.add(decoder)
            if self._closed:
                decoder.process.kill()
        if self._spare_wanted:  # a little later: just now the processor is wanted for this video
            later = threading.Timer(SPARE_AFTER_SECONDS, self._start_spare)
            later.daemon = True
            later.start()
        return decoder

    def _give(self, decoder: Decoder) -> None:
        with self._lock:
            self._busy.discard(decoder)
            if self.reuse and not self._closed and decoder.alive:
                self.idle.append(decoder)
                return
        decoder.close(patience=0 if self._closed or self.reuse else 1)

    def _start_spare(self) -> None:
        with self._lock:
            wanted = self._spare_wanted and not self._closed
            if wanted and not any(decoder.alive for decoder in self.idle):
                for decoder in self.idle:
                    decoder.close()
                self.idle[:] = [Decoder()]
