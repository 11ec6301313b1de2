"""How a stored picture is shown: turned, mirrored, and with pixels that are square."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from PIL import Image

from gsm_model.video.container_crop import Crop
from gsm_model.video.source import Limits, fits

NO_CROP = Crop()
# ffmpeg's command takes angles within this of a quarter turn for one.
_TOLERANCE = math.tan(math.radians(1))
# Pixels longer than this are a fault of the file; the most stretched format in use has 2.
_LONGEST_PIXEL = 8
# Where one column and one row of the picture go (the matrix's a, b, c, d), by quarter turns
# anticlockwise; mirrored afterwards, a and c change their signs.
_TURNS = {(1, 0, 0, 1): 0, (0, -1, 1, 0): 1, (-1, 0, 0, -1): 2, (0, 1, -1, 0): 3}


@dataclass(frozen=True)
class Geometry:
    """What is done to a stored picture to show it: cut by ``crop``, turned by ``rotation`` degrees
    anticlockwise, then ``mirrored`` left for right, then scaled to ``width`` × ``height``.
    """

    width: int
    height: int
    rotation: int = 0
    mirrored: bool = False
    crop: Crop = NO_CROP

    def shown(self, frames: np.ndarray) -> np.ndarray:
        """Stored frames (n, h, w, 3) uint8 as they are shown, (n, height, width, 3)."""
        if self.crop:
            bottom, right = frames.shape[1] - self.crop.bottom, frames.shape[2] - self.crop.right
            frames = frames[:, self.crop.top : bottom, self.crop.left : right]
        frames = np.rot90(frames, self.rotation // 90, (1, 2))
        if self.mirrored:
            frames = frames[:, :, ::-1]
        if frames.shape[1:3] != (self.height, self.width):
            size = self.width, self.height
            frames = np.stack(
                [
                    np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC))
                    for frame in frames
                ]
            )
        return np.ascontiguousarray(frames)


def geometry(
    width: int,
    height: int,
    matrix: bytes | None,
    pixel: Fraction | None,
    limits: Limits,
    crop: Crop = NO_CROP,
) -> tuple[Geometry, list[str]]:
    """How a stored picture of ``width`` × ``height`` pixels is shown, and what is to be said of it.

    ``matrix`` is the display matrix (36 bytes, nine int32 as ffmpeg has them), ``pixel`` the width
    of a pixel by its height; ``None`` where the file states none; ``crop`` is what its container
    leaves out. The shorter side of a pixel is stretched, so that nothing is lost, unless the
    picture would go over ``limits``.
    """
    notes: list[str] = []
    if crop:
        stored = f"{width} × {height}"
        width, height = width - crop.left - crop.right, height - crop.top - crop.bottom
        notes.append(
            f"of {stored} stored pixels {width} × {height} are shown, as its container says"
        )
    turn = (0, False) if matrix is None else quarter_turns(matrix)
    if turn is None:
        notes.append(
            f"its display matrix ({_in_words(matrix)}) is neither a quarter turn nor a mirroring:"
            " ignored"
        )
        turn = (0, False)
    turns, mirrored = turn
    if mirrored:
        notes.append("mirrored, as its display matrix says")
    shown = _square(width, height, pixel, limits, notes)
    if turns % 2:
        shown = shown[::-1]
    return Geometry(*shown, 90 * turns, mirrored, crop), notes


def quarter_turns(matrix: bytes) -> tuple[int, bool] | None:
    """A display matrix as quarter turns anticlockwise, 0 … 3, and whether the picture is mirrored
    (left for right) after them; ``None`` if it is nothing of that kind.

    As ffmpeg's command obeys it, but for other angles, by which that turns the picture. Source:
    ISO/IEC 14496-12, 6.2.2 (matrix structure); ffmpeg's ``libavutil/display.h``.
    """
    if len(matrix) != 36:
        return None
    a, b, u, c, d, v, _, _, w = struct.unpack("=9i", matrix)
    if u or v or w <= 0:
        return None
    signs = []
    for row in ((a, b), (c, d)):  # where a step to the right, and one down, leads
        longer = max(row, key=abs)
        shorter = row[0] if longer is row[1] else row[1]
        if row[0] == row[1] or abs(shorter) > _TOLERANCE * abs(longer):
            return None
        signs += [int(np.sign(side)) if abs(side) == abs(longer) else 0 for side in row]
    plain = (signs[0], signs[1], signs[2], signs[3])
    if plain in _TURNS:
        return _TURNS[plain], False
    turned = _TURNS.get((-plain[0], plain[1], -plain[2], plain[3]))
    return None if turned is None else (turned, True)


def _in_words(matrix: bytes | None) -> str:
    """The angle of a matrix, where it has one."""
    if matrix is None or len(matrix) != 36:
        return "damaged"
    a, b, u, c, d, v, *_ = struct.unpack("=9i", matrix)
    scale = math.hypot(a, b)
    turned = scale and abs(a - d) + abs(b + c) < 0.02 * scale and not (u or v)
    return f"a turn by {math.degrees(math.atan2(b, a)):.0f}°" if turned else "a distortion"


def _square(
    width: int, height: int, pixel: Fraction | None, limits: Limits, notes: list[str]
) -> tuple[int, int]:
    """The size with square pixels of a picture whose pixels are ``pixel`` wide for each high."""
    if not pixel or pixel <= 0 or pixel == 1:
        return width, height
    said = f"{pixel.numerator}:{pixel.denominator}"
    if not Fraction(1, _LONGEST_PIXEL) <= pixel <= _LONGEST_PIXEL:
        notes.append(f"its pixels are said to be {said}, which is ignored as a fault")
        return width, height
    wider = round(width * pixel), height
    higher = width, round(height / pixel)
    stretched, shrunk = (wider, higher) if pixel > 1 else (higher, wider)
    shown = stretched if fits(*stretched, limits) else shrunk
    shown = max(1, shown[0]), max(1, shown[1])
    if shown != (width, height):
        notes.append(
            f"its pixels are not square ({said}): {width} × {height} pixels are shown as"
            f" {shown[0]} × {shown[1]}"
        )
    return shown
