"""Getting a published checkpoint: from its publisher or a mirror, checked, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from filelock import FileLock, Timeout

from gsm_model.errors import DownloadCancelled, DownloadError
from gsm_model.io.atomic import whole_file
from gsm_model.models.published import transfer
from gsm_model.models.published.catalogue import Published, find
from gsm_model.models.published.store import (
    DOWNLOADS,
    cache_folder,
    check,
    downloads_allowed,
    note,
    place_of,
)

PART = ".part"
LOOK_EVERY = 0.1  # seconds, for a lock that another process has


def fetch_published(
    name: str,
    to: Path | None = None,
    mirror: str | None = None,
    progress: transfer.Tell | None = None,
    cancel: threading.Event | None = None,
) -> Path:
    """The file of a published checkpoint: the one that is there, or else downloaded now.

    It goes to the cache folder (`cache_folder`) or to the folder ``to``, from the address in the
    catalogue or from ``mirror/FILE``. ``progress(done, total)`` is told bytes; setting ``cancel``
    ends it. Where several ask at once, in threads or processes, one downloads and all get the file.
    A file is only used if its SHA-256 is as published, and as it was at the first download.
    Proxies are those of ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY``.

    Raises:
        CheckpointError: if there is no published checkpoint of that name.
        DownloadError: if it cannot be had, with what to do; a part file may stay, from which the
            next call goes on.
        DownloadCancelled: if ``cancel`` was set.
    """
    one = find(name)
    target = place_of(one, to)
    try:
        if target.exists():
            note(one, check(one, target))
            return target
        cached = place_of(one)
        if to is not None and cached.is_file():
            check(one, cached)
            to.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as unfinished:
                shutil.copyfile(cached, unfinished)
            return target
        _refuse_if_off(one, target)
        download = _Download(one, target, mirror, progress or _silent, cancel or threading.Event())
        with download.alone():
            if not target.exists():
                download.run()
        return target
    except OSError as error:
        raise DownloadError(_in_words(one, target, error)) from None


def _silent(done: int, total: int | None) -> None:
    """Tells nobody."""


def _refuse_if_off(one: Published, target: Path) -> None:
    if not downloads_allowed():
        raise DownloadError(
            f"{one.name}: is not here, and downloads are switched off ({DOWNLOADS}); the file"
            f" {one.file} of {one.page} may be put at {target}"
        )


def _in_words(one: Published, target: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"{one.name}: the disk of {target.parent} is full; make room and repeat, and the"
            " download goes on from where it stopped"
        )
    return f"{one.name}: {error.filename or target} cannot be used ({error.strerror or error})"


@dataclass(frozen=True)
class _Download:
    """One download of ``one`` to ``target``."""

    one: Published
    target: Path
    mirror: str | None
    tell: transfer.Tell
    cancel: threading.Event

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + PART)

    @property
    def key(self) -> str:
        """A name for what is kept beside the download, the same for the same target."""
        return hashlib.sha256(str(self.target.absolute()).encode()).hexdigest()[:24]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until no other thread or process downloads to the same place."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        folder = cache_folder() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{self.key}.lock", thread_local=False)
        while True:
            if self.cancel.is_set():
                raise DownloadCancelled(f"{self.one.name}: stopped while another download ran")
            try:
                lock.acquire(timeout=LOOK_EVERY)
                break
            except Timeout:
                continue
        try:
            yield
        finally:
            lock.release()

    def run(self) -> None:
        """Fetch, check, put in place; once more from the beginning where a continued one is not
        right.
        """
        get = self._getter()
        continued = self.part.is_file() and self.part.stat().st_size > 0
        get()
        try:
            digest = check(self.one, self.part, self.target)
        except DownloadError:
            self.part.unlink(missing_ok=True)
            if not continued:
                raise
            get()
            digest = self._checked_again()
        self.part.replace(self.target)
        self._state.unlink(missing_ok=True)
        note(self.one, digest)

    def _checked_again(self) -> str:
        try:
            return check(self.one, self.part, self.target)
        except DownloadError:
            self.part.unlink(missing_ok=True)
            raise

    @property
    def _state(self) -> Path:
        return cache_folder() / "locks" / f"{self.key}.json"

    def _getter(self) -> Callable[[], None]:
        """How the part file is filled."""
        one = self.one
        if self.mirror is not None:
            return self._over_http(_mirrored(self.mirror, one))
        if one.url is None or one.is_folder:
            where = "gives no address of it" if one.url is None else "keeps it in a folder"
            raise DownloadError(
                f"{one.name}: its publisher {where}, which no program may read; download it in a"
                f" browser from {one.url or one.page}, and put it at {self.target}"
            )
        if one.drive_id is not None:
            return self._from_drive(one.drive_id)
        return self._over_http(one.url)

    def _over_http(self, url: str) -> Callable[[], None]:
        job = transfer.Transfer(
            self.one.name,
            url,
            self.part,
            self._state,
            self.one.sha256 is not None,
            self.tell,
            self.cancel,
        )
        return lambda: transfer.get(job)

    def _from_drive(self, file_id: str) -> Callable[[], None]:
        def get() -> None:
            from gsm_model.models.published.drive import get_from_drive

            get_from_drive(self.one, file_id, self.target, self.part, self.tell, self.cancel)

        return get


def _mirrored(mirror: str, one: Published) -> str:
    parts = urlsplit(mirror)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise DownloadError(
            f"{mirror}: a mirror is an address that begins with http:// or https://"
        )
    return f"{mirror.rstrip('/')}/{quote(one.file)}"
