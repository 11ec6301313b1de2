"""Flow as pictures: the colour wheel, and arrows over a frame."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

_ARROW_EVERY = 12  # of the picture's shorter side, how many arrows
_INK, _HALO = (22, 33, 46), (255, 255, 255)


def largest_move(flow: np.ndarray) -> float:
    """The scale for pictures of ``flow`` (T, 2, H, W): the 99th percentile of its length, in
    pixels, at least 1.
    """
    return max(1.0, float(np.percentile(np.hypot(flow[:, 0], flow[:, 1]), 99)))


def wheel(flow: np.ndarray, largest: float) -> np.ndarray:
    """``flow`` (T, 2, H, W) in pixels → (T, H, W, 3) uint8: the hue is the direction, white is no
    motion, the full colour is ``largest`` pixels or more.

    To the right is red, down is yellow-green, to the left is cyan, up is violet. Source: Baker and
    others, "A Database and Evaluation Methodology for Optical Flow", IJCV 2011, has a wheel of this
    kind; the hues are those of HSV.
    """
    hue = np.arctan2(flow[:, 1], flow[:, 0]) / (2 * np.pi) % 1
    saturation = np.clip(np.hypot(flow[:, 0], flow[:, 1]) / largest, 0, 1)
    # Of HSV at full value: how far each of the three is from its own hue, in sixths of the wheel.
    away = np.abs((hue[..., None] * 6 + np.array([0, 4, 2])) % 6 - 3)
    pure = np.clip(away - 1, 0, 1)
    return ((1 - saturation[..., None] * (1 - pure)) * 255).round().astype(np.uint8)


def tinted(frames: np.ndarray, flow: np.ndarray, largest: float) -> np.ndarray:
    """``frames`` (T, H, W, 3) uint8 seen through `wheel`: what moves has the colour of where to,
    what rests stays as it is.
    """
    colours = wheel(flow, largest).astype(np.uint16)
    return ((frames * colours + 127) // 255).astype(np.uint8)


def as_large_as(flow: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """``flow`` (T, 2, h, w) at each pixel of ``frames`` (T, H, W, 3), by the nearest place, its
    values kept: (T, 2, H, W).
    """
    rows, columns = (
        (np.arange(size) + 0.5) * own // size
        for size, own in zip(frames.shape[1:3], flow.shape[-2:], strict=True)
    )
    return flow[:, :, rows.astype(np.int64)[:, None], columns.astype(np.int64)]


def with_arrows(frames: np.ndarray, flow: np.ndarray, largest: float) -> np.ndarray:
    """``frames`` (T, H, W, 3) uint8 with an arrow at places of a grid, for ``flow`` (T, 2, H, W):
    one of ``largest`` pixels is as long as the grid is wide; below a tenth of that there is a dot.
    """
    return np.stack(
        [_with_arrows(frame, one, largest) for frame, one in zip(frames, flow, strict=True)]
    )


def _with_arrows(frame: np.ndarray, flow: np.ndarray, largest: float) -> np.ndarray:
    picture = Image.fromarray(frame)
    draw = ImageDraw.Draw(picture)
    step = max(6, min(frame.shape[:2]) // _ARROW_EVERY)
    for y in range(step // 2, frame.shape[0], step):
        for x in range(step // 2, frame.shape[1], step):
            move = flow[:, y, x] * (step / largest)
            length = float(np.hypot(*move))
            if length < step / 10:
                draw.point((x, y), _HALO)
                continue
            move *= min(1.0, 1.5 * step / length)
            _arrow(draw, (x, y), (float(move[0]), float(move[1])))
    return np.asarray(picture)


def _arrow(draw: ImageDraw.ImageDraw, at: tuple[int, int], move: tuple[float, float]) -> None:
    end = at[0] + move[0], at[1] + move[1]
    # The head: a third of the shaft to both sides of it.
    sides = [
        (end[0] - move[0] / 3 + turn * move[1] / 4, end[1] - move[1] / 3 - turn * move[0] / 4)
        for turn in (1, -1)
    ]
    for width, color in ((3, _HALO), (1, _INK)):
        for start in (at, *sides):
            draw.line([start, end], color, width)
