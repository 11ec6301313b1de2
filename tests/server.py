"""The app as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 180  # seconds for a start on a busy machine


def start_server(
    log: Path, script: str = "streamlit_app.py", **environment: str
) -> tuple[subprocess.Popen, int]:
    """Start the app, or what ``script`` makes of it, on a free port and wait until it answers; its
    process and port.

    Raises:
        RuntimeError: if it ends or does not answer, with what it said.
    """
    for _ in range(3):  # somebody else may take the port before the app does
        process, port = _start(log, script, environment)
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            if _is_healthy(port) and f":{port}" in log.read_text():
                return process, port
            time.sleep(0.25)
        process.kill()
        process.wait()
        if "is not available" not in log.read_text():
            break
    raise RuntimeError(f"the app did not start: {log.read_text()}")


def _start(log: Path, script: str, environment: dict[str, str]) -> tuple[subprocess.Popen, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    return process, port


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@contextmanager
def running_app(
    folder: Path, script: str = "streamlit_app.py", **environment: str
) -> Iterator[str]:
    """The address of an app that runs in the block, writes ``log.txt`` in ``folder`` and meets no
    error of the program.
    """
    process, port = start_server(folder / "log.txt", script, **environment)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)
    assert "Traceback" not in (folder / "log.txt").read_text()
