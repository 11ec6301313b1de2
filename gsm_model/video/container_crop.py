"""The part of a stored picture that its container says is to be shown: the clean aperture of MP4
and MOV, PixelCrop of Matroska and WebM. Read off the file itself, as PyAV does not pass it on.

Source: ISO/IEC 14496-12, 12.1.4 (clean aperture box); RFC 9559, 5.1.4.1.28 (Matroska video).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

_MOST_BOXES = 10_000
_MOST_BYTES = 2**20  # of a description of tracks
_HOLD_MORE = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
_SAMPLE_ENTRY = 78  # bytes of a picture track's description before its boxes
_SEGMENT, _TRACKS, _CLUSTER, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0x1F43B675, 0xAE, 0xE0
_WIDTH, _HEIGHT = 0xB0, 0xBA
_BOTTOM, _TOP, _LEFT, _RIGHT = 0x54AA, 0x54BB, 0x54CC, 0x54DD
_UNKNOWN_SIZE = 2**63


@dataclass(frozen=True)
class Crop:
    """How many pixels of a stored picture are left out at each side, before it is turned."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def __bool__(self) -> bool:
        return bool(self.left or self.top or self.right or self.bottom)


def container_crop(path: Path, width: int, height: int) -> Crop:
    """What the container of the file at ``path`` leaves out of a picture track of ``width`` ×
    ``height`` pixels; nothing where it does not say, is damaged, or says several things.
    """
    try:
        with path.open("rb") as file:
            start = file.read(12)
            file.seek(0)
            if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
                found = set(_of_mp4(file, width, height))
            elif start[:4] == b"\x1a\x45\xdf\xa3":
                found = set(_of_matroska(file, width, height))
            else:
                return Crop()
    except (OSError, ValueError, struct.error, OverflowError, ZeroDivisionError, RecursionError):
        return Crop()
    [crop] = found if len(found) == 1 else [Crop()]
    inside = min(crop.left, crop.top, crop.right, crop.bottom) >= 0
    leaves = crop.left + crop.right < width and crop.top + crop.bottom < height
    return crop if inside and leaves else Crop()


def _of_mp4(file: BinaryIO, width: int, height: int) -> Iterator[Crop]:
    end = file.seek(0, 2)
    todo, seen = [(0, end)], 0
    while todo:
        at, stop = todo.pop()
        while at + 8 <= stop and seen < _MOST_BOXES:
            seen += 1
            file.seek(at)
            size, kind = struct.unpack(">I4s", file.read(8))
            head = 8
            if size == 1:
                (size,), head = struct.unpack(">Q", file.read(8)), 16
            size = size or stop - at
            if size < head or at + size > stop:
                break
            if kind in _HOLD_MORE:
                todo.append((at + head, at + size))
            elif kind == b"stsd" and size <= _MOST_BYTES:
                yield from _of_descriptions(file.read(size - head)[8:], width, height)
            at += size


def _of_descriptions(content: bytes, width: int, height: int) -> Iterator[Crop]:
    """The crops of the sample entries of that size in a track's *stsd*."""
    for entry in _boxes(content):
        body = entry[1]
        if len(body) < _SAMPLE_ENTRY or struct.unpack_from(">2H", body, 24) != (width, height):
            continue
        apertures = [inner for kind, inner in _boxes(body[_SAMPLE_ENTRY:]) if kind == b"clap"]
        yield _of_aperture(apertures[0], width, height) if apertures else Crop()


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        if size < 8 or at + size > len(content):
            return
        yield kind, content[at + 8 : at + size]
        at += size


def _of_aperture(content: bytes, width: int, height: int) -> Crop:
    """A clean aperture: its size, and how far its centre lies from the picture's."""
    numbers = struct.unpack_from(">8i", content)
    shown_width, shown_height, right, down = (
        Fraction(numbers[place], numbers[place + 1]) for place in (0, 2, 4, 6)
    )
    left = round((width - shown_width) / 2 + right)
    top = round((height - shown_height) / 2 + down)
    return Crop(left, top, width - left - round(shown_width), height - top - round(shown_height))


def _of_matroska(file: BinaryIO, width: int, height: int) -> Iterator[Crop]:
    end = file.seek(0, 2)
    at, stop, seen = 0, end, 0
    while at < stop and seen < _MOST_BOXES:
        seen += 1
        file.seek(at)
        id, size, head = _element(file.read(12))
        if id == _SEGMENT:
            at += head
            continue
        if id == _CLUSTER:
            return
        if id == _TRACKS and size <= _MOST_BYTES:
            file.seek(at + head)
            for track, content in _elements(file.read(size)):
                if track == _TRACK:
                    yield from _of_track(content, width, height)
            return
        at += head + size


def _of_track(content: bytes, width: int, height: int) -> Iterator[Crop]:
    for id, inner in _elements(content):
        if id == _VIDEO:
            said = {key: int.from_bytes(value, "big") for key, value in _elements(inner)}
            if (said.get(_WIDTH), said.get(_HEIGHT)) == (width, height):
                yield Crop(*(said.get(key, 0) for key in (_LEFT, _TOP, _RIGHT, _BOTTOM)))


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(content):
        id, size, head = _element(content[at : at + 12])
        if at + head + size > len(content):
            return
        yield id, content[at + head : at + head + size]
        at += head + size


def _element(start: bytes) -> tuple[int, int, int]:
    """The id, the size and the length of the head of an EBML element.

    Raises:
        ValueError: if there is none.
    """
    if len(start) < 2 or not start[0]:
        raise ValueError("no element")
    of_id = 9 - start[0].bit_length()
    if len(start) <= of_id or not start[of_id] or of_id > 4:
        raise ValueError("no element")
    of_size = 9 - start[of_id].bit_length()
    size = int.from_bytes(start[of_id : of_id + of_size], "big") & ((1 << 7 * of_size) - 1)
    if size == (1 << 7 * of_size) - 1:
        size = _UNKNOWN_SIZE
    return int.from_bytes(start[:of_id], "big"), size, of_id + of_size
