"""How long each frame of an animated GIF, WebP or PNG is shown, read off the file's blocks.

Decoding every frame to ask it would take as long as reading them all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

# What browsers show a frame for that states no time, or hardly any.
USUAL = 0.1
_HARDLY = 0.01


def frame_lengths(path: Path, count: int) -> tuple[np.ndarray, list[str]]:
    """How long each of ``count`` frames is shown, (count,) float64 seconds, and what is to be said
    of it.
    """
    if count == 1:
        return np.array([USUAL]), ["a picture: a clip that stands still"]
    content = path.read_bytes()
    if content.startswith(b"GIF8"):
        stated = list(_gif(content))
    else:
        stated = list(_webp(content) if content.startswith(b"RIFF") else _png(content))
    if len(stated) != count:
        said = f"how long its frames are shown cannot be read: {USUAL} s each is assumed"
        return np.full(count, USUAL), [said]
    lengths = np.array(stated)
    unstated = int((lengths <= _HARDLY).sum())
    lengths[lengths <= _HARDLY] = USUAL
    said = f"{unstated} of its {count} frames state no time: shown for {USUAL} s, as browsers do"
    return lengths, [said] if unstated else []


def _gif(content: bytes) -> Iterator[float]:
    """Source: GIF89a, sections 18 to 23: hundredths of a second in the graphic control extension
    before a picture.
    """
    at = 13 + _colours(content, 10)
    delay = 0
    while at < len(content) - 1 and content[at] != 0x3B:
        kind = content[at]
        if kind == 0x21:
            if content[at + 1] == 0xF9 and at + 6 <= len(content):
                delay = int.from_bytes(content[at + 4 : at + 6], "little")
            at += 2
        elif kind == 0x2C and at + 10 <= len(content):
            yield delay / 100
            delay = 0
            at += 10 + _colours(content, at + 9) + 1
        else:
            return
        while at < len(content) and content[at]:  # a chain of blocks, each with its size before it
            at += 1 + content[at]
        at += 1


def _colours(content: bytes, at: int) -> int:
    """The bytes of the table of colours that the flags at ``at`` announce."""
    flags = content[at] if at < len(content) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(content: bytes) -> Iterator[float]:
    """Source: the WebP container specification: 24 bits of milliseconds in each ANMF chunk."""
    at = 12
    while at + 8 <= len(content):
        (size,) = struct.unpack_from("<I", content, at + 4)
        if content[at : at + 4] == b"ANMF":
            yield int.from_bytes(content[at + 20 : at + 23], "little") / 1000
        at += 8 + size + size % 2


def _png(content: bytes) -> Iterator[float]:
    """Source: PNG, third edition, 11.3.4.2: a fraction of a second in each fcTL chunk."""
    at = 8
    while at + 8 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        if content[at + 4 : at + 8] == b"fcTL" and at + 32 <= len(content):
            numerator, denominator = struct.unpack_from(">HH", content, at + 28)
            yield numerator / (denominator or 100)
        at += 12 + size
