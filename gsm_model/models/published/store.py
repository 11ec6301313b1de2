"""Where published checkpoints are kept, and what is known of their hashes.

A checkpoint lies in the cache folder as ``NAME/FILE``. Where no hash or only its first digits are
published, the full hash is noted at the first download and holds from then on.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import platformdirs

from gsm_model.errors import DownloadError
from gsm_model.io.atomic import write_whole
from gsm_model.io.hashing import sha256
from gsm_model.models.published.catalogue import Published

CACHE = "GATE_SHIFT_LENS_CACHE"
DOWNLOADS = "GATE_SHIFT_LENS_DOWNLOADS"
_OFF, _ON = ("off", "0", "no", "false"), ("", "on", "1", "yes", "true")


def cache_folder() -> Path:
    """The folder of downloads: ``GATE_SHIFT_LENS_CACHE`` if set, else the user's cache folder."""
    chosen = os.environ.get(CACHE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("gate-shift-lens", False)


def downloads_allowed() -> bool:
    """Whether ``GATE_SHIFT_LENS_DOWNLOADS`` lets anything be fetched; it does unless it is off.

    Raises:
        DownloadError: if its value is neither on nor off.
    """
    value = os.environ.get(DOWNLOADS, "").strip().lower()
    if value not in (*_OFF, *_ON):
        raise DownloadError(f"{DOWNLOADS} is {value!r}; it may be on or off")
    return value in _ON


def place_of(one: Published, folder: Path | None = None) -> Path:
    """Where the file of ``one`` is or would be: in the cache, or in a ``folder`` of the user's."""
    return (cache_folder() / one.name if folder is None else folder) / one.file


def is_cached(one: Published) -> bool:
    """Whether its file is in the cache; `check` says whether it is the right one."""
    return place_of(one).is_file()


def check(one: Published, path: Path, shown: Path | None = None) -> str:
    """The SHA-256 of ``path``, which is as published and as at the first download.

    ``shown`` is what messages call the file.

    Raises:
        DownloadError: if it is empty, a web page, or has another hash.
        OSError: if it cannot be read.
    """
    shown = shown or path
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise DownloadError(f"{one.name}: {shown} is empty; delete it and try again")
    if is_web_page(start):
        raise DownloadError(
            f"{one.name}: {shown} is a web page, not a checkpoint; see {one.page} for where it"
            " lies now"
        )
    found = sha256(path)
    if one.sha256 is not None and not found.startswith(one.sha256):
        raise DownloadError(
            f"{one.name}: {shown} has the SHA-256 {found[:16]}…, published is {one.sha256}…; it is"
            " damaged or another file, and is not used"
        )
    known = _noted(one)
    if known is not None and found != known:
        raise DownloadError(
            f"{one.name}: {shown} has the SHA-256 {found[:16]}…, at the first download it was"
            f" {known[:16]}…; if its publisher replaced it, delete {_note_of(one)} and try again"
        )
    return found


def is_web_page(start: bytes) -> bool:
    """Whether a file that begins like this is HTML."""
    return (
        start.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith((b"<!doctype html", b"<html"))
    )


def note(one: Published, digest: str) -> None:
    """Keep the hash of the first download.

    Raises:
        OSError: if it cannot be written.
    """
    if _noted(one) != digest:
        _note_of(one).parent.mkdir(parents=True, exist_ok=True)
        write_whole(_note_of(one), f"{digest}  {one.file}\n")


def delete(one: Published) -> None:
    """Remove its file, and what a download that was cut left of it, from the cache; the noted hash
    stays.

    Raises:
        DownloadError: if it cannot be removed.
    """
    folder = place_of(one).parent
    try:
        if folder.is_dir():
            shutil.rmtree(folder)
    except OSError as error:
        raise DownloadError(f"{folder}: cannot be removed ({error.strerror})") from None


def _note_of(one: Published) -> Path:
    return cache_folder() / "hashes" / f"{one.name}.sha256"


def _noted(one: Published) -> str | None:
    try:
        digest = _note_of(one).read_text(encoding="utf-8").split()[0]
    except (OSError, UnicodeDecodeError, IndexError):
        return None
    return digest if len(digest) == 64 else None
