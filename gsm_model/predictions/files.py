"""A file of predictions that a person gave, and what came with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gsm_model.errors import DataError
from gsm_model.io.text import DecodedText, decode_text

MAX_TEXT_BYTES = 500_000_000


@dataclass(frozen=True)
class PredictionFile:
    """A file to read, and what came with it: ``name`` is what messages call it, ``labels`` the
    class names where a person gave them, ``truth`` a list with the true classes, ``truth_name``
    what messages call that, ``encoding`` that of text where a person gave it.
    """

    path: Path
    name: str
    labels: tuple[str, ...] | None = None
    truth: Path | None = None
    truth_name: str = ""
    encoding: str | None = None

    @property
    def stem(self) -> str:
        """The name without its ending, which the model is called where the file does not say."""
        return Path(self.name).stem


def file_text(file: PredictionFile) -> DecodedText:
    """What stands in a file of text.

    Raises:
        DataError: if it is no text, too large, or cannot be read.
    """
    return read_text(file.path, file.name, file.encoding, file.labels or ())


def read_text(
    path: Path, name: str, encoding: str | None = None, expected: tuple[str, ...] = ()
) -> DecodedText:
    """What stands in the file of text at ``path``, as `decode_text` reads it.

    Raises:
        DataError: if it is no text, too large, or cannot be read.
    """
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise DataError(
                f"{name}: {path.stat().st_size / 1e6:,.0f} MB is more than the"
                f" {MAX_TEXT_BYTES / 1e6:,.0f} MB of text that are read; write it as .parquet or"
                " .npz"
            )
        return decode_text(path.read_bytes(), name, encoding, expected)
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror})") from None
