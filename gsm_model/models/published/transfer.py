"""One file over HTTP into a part file: resumed where a cut left it, tried again, bounded."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from gsm_model.errors import DownloadCancelled, DownloadError
from gsm_model.io.atomic import write_whole
from gsm_model.models.checkpoints.safe_load import MAX_BYTES
from gsm_model.models.published.store import is_web_page

Tell = Callable[[int, int | None], None]  # bytes so far, bytes in all where that is known
TRIES = 4  # without a byte more than before
FIRST_WAIT = 0.25  # seconds, doubled from try to try
TIMEOUT = (10.0, 20.0)  # seconds to connect, and between bytes
BLOCK = 1 << 18
_FOR_A_MOMENT = {408, 425, 429, 500, 502, 503, 504}


class _CutError(Exception):
    """The transfer ended early or did not begin; it may be tried again."""


@dataclass(frozen=True)
class Transfer:
    """What is fetched: ``name`` for messages, ``url``, the ``part`` file it grows in, and the
    ``state`` file that says which version at which address the part is of. ``trusted`` if the whole
    is checked against a published hash. ``tell`` hears how far it is; ``cancel`` ends it.
    """

    name: str
    url: str
    part: Path
    state: Path
    trusted: bool
    tell: Tell
    cancel: threading.Event

    def check_cancelled(self) -> None:
        """Raises: DownloadCancelled: if it is to end; what there is of it stays."""
        if self.cancel.is_set():
            raise DownloadCancelled(f"{self.name}: stopped{self.kept()}")

    def kept(self) -> str:
        """What is there of it, in words that end a sentence."""
        size = _size(self.part)
        if not size:
            return ""
        return f"; {_megabytes(size)} MB are kept, and the next download goes on from there"


def get(transfer: Transfer) -> None:
    """Fetch the whole file into the part file, going on from what is there.

    Raises:
        DownloadError: if it is not there, a web page, too large for the disk or for a checkpoint,
            or cannot be had after several tries; the part file stays for the next time.
        DownloadCancelled: if it was to end.
        OSError: if the part file cannot be written.
    """
    failures, most = 0, _size(transfer.part)
    with requests.Session() as session:
        while True:
            transfer.check_cancelled()
            try:
                _stream(session, transfer)
                return
            except _CutError as error:
                failures = 0 if _size(transfer.part) > most else failures + 1
                most = max(most, _size(transfer.part))
                if failures >= TRIES:
                    raise DownloadError(
                        f"{transfer.name}: {error}, after {TRIES} tries{transfer.kept()}"
                    ) from None
                transfer.cancel.wait(FIRST_WAIT * 2**failures)


def _stream(session: requests.Session, transfer: Transfer) -> None:
    """One try."""
    offset, known = _resumable(transfer)
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if known.get("validator"):
            headers["If-Range"] = known["validator"]
    host = urlsplit(transfer.url).hostname
    try:
        with session.get(transfer.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
                if response.headers.get("Content-Range") == f"bytes */{offset}":
                    return
                transfer.part.unlink(missing_ok=True)
                raise _CutError(f"{host} has less of it than is here")
            if response.status_code in _FOR_A_MOMENT:
                raise _CutError(f"{host} answers {_status(response)}")
            if not response.ok:
                raise DownloadError(
                    f"{transfer.name}: {host} answers {_status(response)} for {transfer.url}"
                )
            offset, total = _range_of(response, offset)
            if offset and known.get("total") not in (None, total):
                transfer.part.unlink(missing_ok=True)
                raise _CutError(f"{host} has another version of it by now")
            _check_room(transfer, offset, total)
            _remember(transfer, response, total)
            _write(transfer, response, offset, total)
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError):
        raise _CutError(f"the connection to {host} is cut or cannot be made") from None
    except requests.RequestException as error:
        raise DownloadError(f"{transfer.name}: {error}") from None


def _range_of(response: requests.Response, offset: int) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the file is if that is said."""
    if response.status_code == HTTPStatus.PARTIAL_CONTENT:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != offset:
            raise _CutError("the server sends another part than was asked for")
        return offset, None if found[2] == "*" else int(found[2])
    length = response.headers.get("Content-Length", "")
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    return 0, int(length) if length.isdigit() and not encoded else None


def _check_room(transfer: Transfer, offset: int, total: int | None) -> None:
    if total is None:
        return
    if total > MAX_BYTES:
        raise DownloadError(
            f"{transfer.name}: {_megabytes(total)} MB are more than a checkpoint may have"
        )
    free = shutil.disk_usage(transfer.part.parent).free
    if total - offset > free:
        raise DownloadError(
            f"{transfer.name}: {_megabytes(total - offset)} MB are to come, and"
            f" {transfer.part.parent} has room for {_megabytes(free)} MB; make room or choose"
            " another folder"
        )


def _write(transfer: Transfer, response: requests.Response, offset: int, total: int | None) -> None:
    done = offset
    blocks = _blocks(response)
    first = next(blocks, b"")
    if offset == 0 and is_web_page(first[:512]):
        transfer.part.unlink(missing_ok=True)
        raise DownloadError(f"{transfer.name}: {transfer.url} is a web page, not a checkpoint")
    with transfer.part.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        for block in itertools.chain([first], blocks):
            file.write(block)
            done += len(block)
            if done > (MAX_BYTES if total is None else total):
                raise DownloadError(f"{transfer.name}: the server sends more than it announced")
            transfer.tell(done, total)
            if transfer.cancel.is_set():
                break
    transfer.check_cancelled()
    if total is not None and done < total:
        raise _CutError("the connection was cut")


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """What comes, as it comes: a block that is cut is not lost."""
    while block := response.raw.read1(BLOCK, decode_content=True):
        yield block


def _resumable(transfer: Transfer) -> tuple[int, dict[str, Any]]:
    """How much of the part file may be gone on from, and what is remembered of it.

    Where no published hash tells whether two halves are of one file, the length of the whole must
    be remembered from the first; a validator holds at its own address alone.
    """
    try:
        known: dict[str, Any] = json.loads(transfer.state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    if known.get("total") is None and not transfer.trusted:
        return 0, {}
    if known.get("url") != transfer.url:
        known.pop("validator", None)
    return _size(transfer.part), known


def _remember(transfer: Transfer, response: requests.Response, total: int | None) -> None:
    tag = response.headers.get("ETag", "")
    validator = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")
    known = {"url": transfer.url, "validator": validator, "total": total}
    write_whole(transfer.state, json.dumps(known))


def _status(response: requests.Response) -> str:
    return f"{response.status_code} ({response.reason})"


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f}" if size >= 1e7 else f"{size / 1e6:.1f}"
