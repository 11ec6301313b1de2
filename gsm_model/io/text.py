"""Text from files of any encoding that spreadsheets and editors write: decided by content and said,
or refused, never guessed in silence.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from dataclasses import dataclass

from gsm_model.errors import DataError
from gsm_model.io.encodings import decided, readings

# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
# How files begin that people take for text, and what to do with them.
_NO_TEXT = (
    (b"PK\x03\x04", "a workbook or an archive; of a workbook save the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "a workbook; save the sheet as CSV UTF-8"),
    (b"PAR1", "a parquet table; write it as CSV"),
    (b"ARROW1", "a feather table; write it as CSV"),
    (b"\x1f\x8b", "compressed; unpack it"),
    (b"BZh", "compressed; unpack it"),
    (b"\xfd7zXZ", "compressed; unpack it"),
    (b"\x89HDF", "an HDF5 file; write it as CSV"),
    (b"\x93NUMPY", "a NumPy array; write it as CSV, or its scores as .npz"),
    *(
        (b"\x80" + bytes([version]), "a pickle; take or write it as CSV")
        for version in (2, 3, 4, 5)
    ),
    (b"%PDF-", "a PDF"),
)


@dataclass(frozen=True)
class DecodedText:
    """The ``text`` of a file without its byte order mark, Python's name of the ``codec``, and what
    to say of it: empty for UTF-8, which nobody needs to be told.
    """

    text: str
    codec: str
    note: str = ""


def decode_text(
    content: bytes, name: str, encoding: str | None = None, expected: Collection[str] = ()
) -> DecodedText:
    """The text of ``content``: in ``encoding`` where a person gave it, else Unicode by its mark or
    its bytes, else the code page in which it makes the best words.

    ``name`` is what messages call the file; ``expected`` are names that are likely to come in it.

    Raises:
        DataError: if it is text in no known encoding, two are about as likely, or ``encoding`` is
            unknown or not that of the file.
    """
    for start, what in _NO_TEXT:
        if content.startswith(start):
            raise DataError(f"{name}: is no text but {what}")
    if encoding is not None:
        return _given(content, name, encoding)
    for mark, codec, called in _MARKS:
        if content.startswith(mark):
            text = _strict(content[len(mark) :], codec)
            if text is None:
                raise DataError(
                    f"{name}: begins as {called}, but is cut short or damaged; save it again as"
                    " UTF-8"
                )
            return DecodedText(text, codec, "" if codec == "utf-8" else f"read as {called}")
    if b"\0" in content:
        return _wide(content, name)
    if (text := _strict(content, "utf-8")) is not None:
        if "\x1b" in text and (japanese := _strict(content, "iso2022_jp")) is not None:
            return DecodedText(japanese, "iso2022_jp", "read as ISO-2022-JP")
        return DecodedText(text, "utf-8")
    found = readings(content, expected)
    while found and (text := _strict(content, found[0].page.codec)) is None:
        found = found[1:]
    if not found or text is None:
        raise DataError(
            f"{name}: is no text in an encoding that is known; save it as UTF-8 (in a spreadsheet:"
            " CSV UTF-8)"
        )
    best = found[0]
    if not decided(found):
        other = found[1]
        raise DataError(
            f"{name}: does not say its encoding, and may be {best.page.name}"
            f" ({best.example(other)!r}) or {other.page.name} ({other.example(best)!r}); save it as"
            f" UTF-8, or give its encoding ({best.page.codec} or {other.page.codec})"
        )
    return DecodedText(
        text,
        best.page.codec,
        f"read as {best.page.name}, for example {best.example()!r}; if that is misspelt, save it as"
        " UTF-8 or give its encoding",
    )


def _given(content: bytes, name: str, encoding: str) -> DecodedText:
    try:
        codec = codecs.lookup(encoding)
        text, _ = codec.decode(b"", "strict")
        if not isinstance(text, str):  # such as base64, from bytes to bytes
            raise LookupError
        text, _ = codec.decode(content, "strict")
    except LookupError:
        raise DataError(
            f"{name}: {encoding!r} is no encoding that is known; give one such as utf-8, cp1252 or"
            " gb18030"
        ) from None
    except (UnicodeError, ValueError) as error:
        raise DataError(f"{name}: is not written in {encoding} ({error})") from None
    return DecodedText(text.removeprefix("\ufeff"), codec.name, f"read as {codec.name}, as given")


def _wide(content: bytes, name: str) -> DecodedText:
    """UTF-16 or UTF-32 without a mark: line ends and separators are zero in all bytes but one."""
    for codec in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        text = _strict(content, codec)
        # The wrong order of bytes makes U+0A00 and U+2C00 of line ends and commas.
        if text and "\0" not in text and re.search(r"[\n\r\t,;| ]", text):
            called = codec[:6].upper()
            return DecodedText(text, codec, f"read as {called} without a mark")
    raise DataError(
        f"{name}: is no text: there are zero bytes in it, and it is not UTF-16; save it as UTF-8"
        " (in a spreadsheet: CSV UTF-8)"
    )


def _strict(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except (UnicodeDecodeError, ValueError):
        return None
