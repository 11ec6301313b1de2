"""Uploaded files on disk: private, under random names, gone when the session or the process
ends.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from gsm_model.errors import LensError

_FOLDER = re.compile(r"gate-shift-lens-(\d+)-\w+")


@dataclass(frozen=True)
class Upload:
    """One uploaded file: the ``name`` its owner gave it (for display only), where it lies, its
    SHA-256.
    """

    name: str
    path: Path
    sha256: str


class UploadError(LensError):
    """A file cannot be kept: there is no room for it."""


class UploadStore:
    """One session's uploads, by SHA-256: at most ``session_bytes`` of them, and ``total_bytes`` of
    all sessions together.
    """

    _total = 0
    _lock = threading.Lock()

    def __init__(self, session_bytes: int = 4 * 2**30, total_bytes: int = 40 * 2**30) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=_process_folder()))
        self.files: dict[str, Upload] = {}
        self.session_bytes, self.total_bytes = session_bytes, total_bytes
        self.taken = 0

    def keep(self, name: str, content: bytes, suffix: str = "") -> Upload:
        """Store ``content``; the same content is stored once. ``suffix`` is the program's own,
        never the person's.

        Raises:
            UploadError: if this session's files, or all sessions' together, would take more than
                they may, or the disk is full.
        """
        digest = hashlib.sha256(content).hexdigest()
        if digest in self.files:
            if self.files[digest].path.exists():
                return self.files[digest]
            del self.files[digest]  # somebody has cleared the temporary folder: it is stored again
            self._give(len(content))
        shown = display_name(name)
        self._take(shown, len(content))
        path = self.folder / (secrets.token_hex(16) + suffix)
        try:
            self.folder.mkdir(
                parents=True, exist_ok=True
            )  # somebody may have cleared the system's temporary folder
            path.write_bytes(content)
        except OSError as error:
            path.unlink(missing_ok=True)
            self._give(len(content))
            raise UploadError(
                f"{shown}: cannot be kept on this server ({error.strerror}); please contact the"
                " administrator"
            ) from None
        self.files[digest] = Upload(shown, path, digest)
        return self.files[digest]

    def _take(self, shown: str, size: int) -> None:
        with self._lock:
            if self.taken + size > self.session_bytes:
                raise UploadError(
                    f"{shown}: {_megabytes(size)} MB more than the {_megabytes(self.taken)} MB of"
                    f" this session are over its limit of {_megabytes(self.session_bytes)} MB;"
                    " reload the page to begin with none"
                )
            if UploadStore._total + size > self.total_bytes:
                raise UploadError(
                    f"{shown}: this server holds as many files as it may for now; try again when"
                    " others have left"
                )
            self.taken += size
            UploadStore._total += size

    def _give(self, size: int) -> None:
        with self._lock:
            self.taken -= size
            UploadStore._total -= size

    @classmethod
    def total(cls) -> int:
        """Bytes of all sessions' files together."""
        return cls._total

    def close(self) -> None:
        """Delete everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.files.clear()
        self._give(self.taken)


def _megabytes(size: int) -> int:
    return round(size / 2**20)


def display_name(name: str) -> str:
    """A file name fit to be shown: its last part, printable, at most 80 characters."""
    last = re.split(r"[\\/]", name)[-1]
    shown = (
        "".join(character for character in last if character.isprintable()).strip()
        or "unnamed file"
    )
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
