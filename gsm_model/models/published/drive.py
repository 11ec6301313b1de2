"""Files of Google Drive, whose large ones stand behind a page that asks first: by gdown."""

from __future__ import annotations

import threading
from pathlib import Path

from gsm_model.errors import DownloadCancelled, DownloadError
from gsm_model.models.published import transfer
from gsm_model.models.published.catalogue import DRIVE, Published


def get_from_drive(
    one: Published,
    file_id: str,
    target: Path,
    part: Path,
    tell: transfer.Tell,
    cancel: threading.Event,
) -> None:
    """Fetch the file into ``part``; gdown keeps what it has of it beside it, and goes on from it.

    Raises:
        DownloadError: if Drive does not hand it out, with the way by hand; ``target`` is where a
            person is to put it.
        DownloadCancelled: if ``cancel`` was set.
        OSError: if it cannot be written.
    """
    import requests
    from gdown import download
    from gdown.exceptions import DownloadCancelled as Stopped
    from gdown.exceptions import DownloadError as Failed

    part.unlink(missing_ok=True)  # gdown would take it for the whole file
    try:
        download(
            id=file_id,
            output=str(part),
            quiet=True,
            use_cookies=False,
            resume=True,
            retries=transfer.TRIES,
            timeout=transfer.TIMEOUT,
            progress=tell,
            cancel=cancel,
        )
    except Stopped:
        raise DownloadCancelled(
            f"{one.name}: stopped; what came is kept, and the next download goes on from there"
        ) from None
    except (Failed, requests.RequestException, KeyError) as error:
        raise DownloadError(
            f"{one.name}: Google Drive does not hand out the file ({_reason(error)}). Open"
            f" {DRIVE}file/d/{file_id}/view in a browser, download it and put it at {target};"
            " often it works again a day later"
        ) from None


def _reason(error: Exception) -> str:
    """What Drive or the connection says, in a few words."""
    text = " ".join(str(error).split())
    if isinstance(error, KeyError):
        return "an answer without a file"
    if "quota" in text.lower() or "many users" in text.lower() or "many accesses" in text.lower():
        return "too many people have downloaded it today"
    return "it cannot be reached" if "HTTPSConnectionPool" in text else text[:120]
