"""Frames for the browser: a strip of pictures, and an H.264 preview in any order."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import streamlit as st
from PIL import Image

from gsm_model.video.decoded import DecodedVideo
from gsm_model.video.encode import to_mp4
from gsm_model.video.sampling import Order, order_positions

THUMBNAIL_HEIGHT = 120
_STRIP_STYLE = """
<style>
.gsl-strip { container-type: inline-size; }
.gsl-strip > div { display: grid; grid-template-columns: repeat(4, 1fr); gap: 6px; }
@container (min-width: 760px) { .gsl-strip > div { grid-template-columns: repeat(8, 1fr); } }
.gsl-strip figure { margin: 0; }
.gsl-strip img { width: 100%; display: block; border-radius: 4px; }
.gsl-strip figcaption { font-size: 0.8rem; text-align: center; opacity: 0.85; }
</style>
"""  # rows of four or eight, of which most clips have one or two that are full


def strip(frames: np.ndarray, captions: Sequence[str]) -> str:
    """HTML of pictures in a row that wraps on narrow pages: ``frames`` (T, H, W, 3) uint8, a
    caption each (trusted text).
    """
    figures = [
        f'<figure><img alt="{caption}"'
        f' src="{jpeg_uri(frame)}"><figcaption>{caption}</figcaption></figure>'
        for frame, caption in zip(frames, captions, strict=True)
    ]
    return f'{_STRIP_STYLE}<div class="gsl-strip"><div>{"".join(figures)}</div></div>'


def as_printed(name: str, picture: bytes, caption: str, alt: str) -> None:
    """A figure as it prints, once a page by that ``name``; on a phone it can be moved sideways, so
    that its letters are large enough.
    """
    with st.container(key=f"printed-{name}"):
        st.image(picture, caption=caption, alt=alt)


def clip_strip(video: DecodedVideo, indices: np.ndarray) -> str:
    """HTML of the frames of ``video`` at ``indices``, each with its number and its time."""
    times = video.times_at(indices)
    captions = [f"frame {i}, {t:.2f} s" for i, t in zip(indices, times, strict=True)]
    return strip(video.frames_at(indices), captions)


def jpeg_uri(frame: np.ndarray, largest_height: int = THUMBNAIL_HEIGHT) -> str:
    """``frame`` (H, W, 3) uint8 as the address of a JPEG picture, scaled down to ``largest_height``
    pixels if it is higher.
    """
    height, width = frame.shape[:2]
    scale = min(1.0, largest_height / height)
    small = Image.fromarray(frame).resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BILINEAR
    )
    file = io.BytesIO()
    small.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def preview_positions(count: int, num_segments: int, order: Order, seed: int = 0) -> np.ndarray:
    """Positions of ``count`` preview frames when the video's ``num_segments`` spans are played in
    ``order``.

    Reversed plays every frame backwards; shuffled plays whole spans, forwards, in the models'
    order; frozen shows the middle frame.
    """
    positions = np.arange(count)
    if order == "shuffled":
        spans = np.array_split(positions, num_segments)
        return np.concatenate([spans[span] for span in order_positions(num_segments, order, seed)])
    if order == "frozen":
        return np.full(count, count // 2)
    return positions[::-1] if order == "reversed" else positions


def preview(video: DecodedVideo, num_segments: int, order: Order, seed: int = 0) -> bytes:
    """The video as a small H.264 file that lasts as long as the original (at least 1 s), played in
    ``order``.
    """
    positions = preview_positions(len(video.preview), num_segments, order, seed)
    fps = min(30.0, max(1.0, len(positions) / max(video.info.seconds, 1.0)))
    return to_mp4(video.preview[np.repeat(positions, _shown(video, fps)[positions])], fps)


def _shown(video: DecodedVideo, fps: float) -> np.ndarray:
    """For how many frames of a film of ``fps`` each preview frame is shown, at least one: until the
    next is due, where the video's rate varies.
    """
    count = len(video.preview)
    if video.preview_times is None or count < 2:
        return np.ones(count, np.int64)
    evenly = video.preview_indices / video.info.fps
    if np.abs(video.preview_times - evenly).max() * video.info.fps < 0.5:
        return np.ones(count, np.int64)
    due = np.append(video.preview_times, video.info.seconds)
    return np.maximum(1, np.diff(np.round(due * fps))).astype(np.int64)
