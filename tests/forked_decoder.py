"""Decoders that are forked from a process that has their modules already, instead of started anew:
most of a short video's time is their start.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import connection, forkserver, spawn
from typing import Any, BinaryIO
from unittest.mock import patch

from gsm_model.video import pool, worker

EVERY = 10  # of so many decoders one is started, not forked
start_worker = pool.start_worker  # as the app starts it
_starts = threading.Lock()
_preparation: Callable[[str], dict[str, Any]] = spawn.get_preparation_data


class ForkedDecoder:
    """A decoder that is forked, not started; the part of `subprocess.Popen` that reading a video
    needs.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        requests, mine = context.Pipe(duplex=False)
        theirs, answers = context.Pipe(duplex=False)
        self._process = context.Process(target=_decode, args=(requests, answers), daemon=True)
        with _starts, patch.object(spawn, "get_preparation_data", _without_main):
            self._process.start()
        requests.close()
        answers.close()
        self.stdin = _file(mine, "wb")
        self.stdout = _file(theirs, "rb")

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    poll = returncode.fget

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired("decode", timeout or 0)
        return self._process.exitcode


def _without_main(name: str) -> dict[str, Any]:
    """What a new process is told, but for the main module, which is a page of the app where one is
    shown.
    """
    told = _preparation(name)
    return {key: value for key, value in told.items() if not key.startswith("init_main")}


def _file(end: connection.Connection, mode: str) -> BinaryIO:
    """One end of a pipe as a file, which now owns it."""
    file = os.fdopen(os.dup(end.fileno()), mode)
    end.close()
    return file


def _decode(requests: connection.Connection, answers: connection.Connection) -> None:
    """What a forked decoder does: the same as a started one, with its standard input and output."""
    os.dup2(requests.fileno(), 0)
    os.dup2(answers.fileno(), 1)
    for end in (requests, answers):
        end.close()
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123  (a device)
        os.dup2(nowhere.fileno(), 2)
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115
    worker.main()


def forked_or_started() -> Callable[[], Any]:
    """What starts a decoder: forks nine of ten, where the system can."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return start_worker
    forkserver.set_forkserver_preload(["gsm_model.video.views", "decord", __name__])
    with patch.dict(os.environ, OPENBLAS_NUM_THREADS="1"):
        forkserver.ensure_running()
    numbers = itertools.count()
    return lambda: ForkedDecoder() if next(numbers) % EVERY else start_worker()


@contextmanager
def mostly_forked() -> Iterator[None]:
    """In the block nine of ten decoders are forked, where the system can."""
    with patch.object(pool, "start_worker", forked_or_started()):
        yield
