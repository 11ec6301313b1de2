"""Uploaded files on disk: private, under random names, gone when the session or the process ends."""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

_FOLDER = re.compile(r"gate-shift-lens-(\d+)-\w+")


@dataclass(frozen=True)
class Upload:
    """One uploaded file: the ``name`` its owner gave it (for display only), where it lies, its SHA-256."""

    name: str
    path: Path
    sha256: str


class UploadStore:
    """One session's uploads, by SHA-256."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=_process_folder()))
        self.files: dict[str, Upload] = {}

    def keep(self, name: str, content: bytes, suffix: str = "") -> Upload:
        """Store ``content``; the same content is stored once. ``suffix`` is the program's own, never the person's."""
        digest = hashlib.sha256(content).hexdigest()
        if digest not in self.files:
            path = self.folder / (secrets.token_hex(16) + suffix)
            path.write_bytes(content)
            self.files[digest] = Upload(display_name(name), path, digest)
        return self.files[digest]

    def close(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.files.clear()


def display_name(name: str) -> str:
    """A file name fit to be shown: its last part, printable, at most 80 characters."""
    last = re.split(r"[\\/]", name)[-1]
    shown = "".join(character for character in last if character.isprintable()).strip() or "unnamed file"
    return shown if len(shown) <= 80 else shown[:60] + "…" + shown[-19:]


_folder_of_process: Path | None = None


def _process_folder() -> Path:
    global _folder_of_process
    if _folder_of_process is None:
        sweep()
        _folder_of_process = Path(tempfile.mkdtemp(prefix=f"gate-shift-lens-{os.getpid()}-"))
        atexit.register(shutil.rmtree, _folder_of_process, ignore_errors=True)
    return _folder_of_process


def sweep() -> None:
    """Delete what processes that no longer run have left, after a crash for instance."""
    for entry in Path(tempfile.gettempdir()).glob("gate-shift-lens-*"):
        match = _FOLDER.fullmatch(entry.name)
        if match and not _is_running(int(match.group(1))):
            shutil.rmtree(entry, ignore_errors=True)


def _is_running(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid)
