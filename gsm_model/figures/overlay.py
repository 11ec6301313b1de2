"""Maps laid over frames: small pieces that colour, blend, label and put side by side, arrays in,
arrays out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Colormap
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

TITLE_PIXELS = 22
CHARACTER_PIXELS = 7  # of a title's font, on average
INK, PAPER = (22, 33, 46), (255, 255, 255)


def colored(maps: np.ndarray, colors: Colormap, low: float, high: float, pixels: int) -> np.ndarray:
    """``maps`` (T, h, w) → (T, pixels, pixels, 3) uint8: every cell one square of the colour of its
    value between ``low`` and ``high``.
    """
    share = np.clip((maps.astype(np.float64) - low) / (high - low), 0, 1)
    rgb = (colors(share)[..., :3] * 255).round().astype(np.uint8)
    return np.stack(
        [
            np.asarray(Image.fromarray(one).resize((pixels, pixels), Image.Resampling.NEAREST))
            for one in rgb
        ]
    )


def blended(frames: np.ndarray, over: np.ndarray, opacity: float) -> np.ndarray:
    """``over`` laid on ``frames``, both (T, H, W, 3) uint8, with ``opacity`` 0 … 1."""
    return (frames * (1 - opacity) + over * opacity).round().astype(np.uint8)


def titled(frames: np.ndarray, texts: Sequence[str]) -> np.ndarray:
    """``frames`` (T, H, W, 3) uint8 with a line of text above each: (T, H + 22, W, 3). Text that is
    too long is cut.
    """
    return np.stack([_with_title(frame, text) for frame, text in zip(frames, texts, strict=True)])


def cautioned(film: np.ndarray, text: str) -> np.ndarray:
    """``film`` (T, H, W, 3) uint8 with all of ``text`` under it, in as many lines as it needs;
    without text as it is.
    """
    t, _, width, _ = film.shape
    empty = np.zeros((t, 0, width, 3), np.uint8)
    lines = textwrap.wrap(text, max(20, width // CHARACTER_PIXELS))
    return np.concatenate([film, *(titled(empty, [line] * t) for line in lines)], axis=1)


def _with_title(frame: np.ndarray, text: str) -> np.ndarray:
    height, width = frame.shape[:2]
    picture = Image.new("RGB", (width, height + TITLE_PIXELS), PAPER)
    picture.paste(Image.fromarray(frame), (0, TITLE_PIXELS))
    draw, font = ImageDraw.Draw(picture), _font(12)
    while text and draw.textlength(text, font) > width - 8:
        text = text[:-2].rstrip() + "…" if not text.endswith("…") else text[:-2].rstrip("… ") + "…"
    draw.text((4, 3), text, INK, font)
    return np.asarray(picture)


def _font(size: int) -> ImageFont.FreeTypeFont:
    """Matplotlib's own font, which has a minus sign and most alphabets."""
    return ImageFont.truetype(findfont("DejaVu Sans"), size)


def side_by_side(columns: Sequence[np.ndarray], gap: int = 8) -> np.ndarray:
    """Films (T, H, W, 3) uint8 of one height as one, with a white gap between them."""
    t, height = columns[0].shape[:2]
    space = np.full((t, height, gap, 3), 255, np.uint8)
    parts = [part for column in columns for part in (column, space)][:-1]
    return np.concatenate(parts, axis=2)


def scale_bar(
    colors: Colormap, low: float, high: float, width: int, count: int, text: str
) -> np.ndarray:
    """``count`` equal frames (count, 40, width, 3) uint8 of a colour scale with its two ends, its
    middle and ``text`` written under it.
    """
    picture = Image.new("RGB", (width, 40), PAPER)
    ramp = (colors(np.linspace(0, 1, width - 40))[None, :, :3] * 255).astype(np.uint8).repeat(14, 0)
    picture.paste(Image.fromarray(ramp), (20, 4))
    draw, font = ImageDraw.Draw(picture), _font(11)
    ends = [f"{value:+g}".replace("-", "−") if value else "0" for value in (low, high)]
    for place, label in ((20, ends[0]), (width // 2, text), (width - 20, ends[1])):
        draw.text((place, 21), label, INK, font, anchor="ma")
    return np.asarray(picture)[None].repeat(count, 0)
