"""From a decoded frame to RGB, as ffmpeg's command converts it; transparency on black."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import av
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame

# Numbers of ITU-T H.273: what a file states of its colours.
_BT2020_PRIMARIES = 9
_TRANSFERS = {16: "PQ", 18: "HLG"}
# What is transparent is shown on this, in videos as in pictures.
BACKGROUND = "black"
TRANSPARENT = f"it has transparency: what is transparent is shown on {BACKGROUND}"
# Decoders that read the alpha of WebM, where ffmpeg's own leave it out.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def alpha_decoder(codec: str) -> str | None:
    """The decoder that reads ``codec`` with its transparency; ``None`` if there is none here."""
    name = _ALPHA_DECODERS.get(codec)
    if name is None:
        return None
    try:
        av.Codec(name, "r")
    except av.codec.codec.UnknownCodecError:
        return None
    return name


def has_alpha(frame: VideoFrame) -> bool:
    """Whether a frame's pixels may be transparent; those of a palette may."""
    return frame.format.has_palette or any(part.is_alpha for part in frame.format.components)


def is_plain(frame: VideoFrame) -> bool:
    """Whether every conversion to RGB gives the same bytes: 8 bits, even sides, whole pictures, no
    transparency.
    """
    return (
        all(part.bits == 8 for part in frame.format.components)
        and frame.width % 2 == frame.height % 2 == 0
        and not frame.interlaced_frame
        and not has_alpha(frame)
    )


def colour_notes(frame: VideoFrame) -> list[str]:
    """What is to be said of a frame's colours and scan lines."""
    notes = []
    transfer, wide = _TRANSFERS.get(frame.color_trc), frame.color_primaries == _BT2020_PRIMARIES
    if transfer:
        notes.append(
            f"its brightness is HDR ({transfer}): taken as it is, without tone mapping, so that it"
            " looks flat"
        )
    elif wide:
        notes.append("its colours are those of BT.2020: taken as they are, so that they look pale")
    if frame.interlaced_frame:
        notes.append("it is interlaced: both fields are shown in one frame, as they are stored")
    return notes


class Converter:
    """Converts frames as ffmpeg's command does; one for each reading of a file."""

    def __init__(self) -> None:
        self._graphs: dict[tuple, _Conversion] = {}

    def rgb(self, frame: VideoFrame) -> np.ndarray:
        """A frame as it is stored, (H, W, 3) uint8 RGB."""
        key = (frame.format.name, frame.width, frame.height, frame.colorspace, frame.color_range)
        if key not in self._graphs:
            self._graphs[key] = _Conversion(frame)
        return self._graphs[key].rgb(frame)


class _Conversion:
    """The filters of ffmpeg's command that convert frames like ``frame``."""

    def __init__(self, frame: VideoFrame) -> None:
        self.alpha = has_alpha(frame)
        self.graph = Graph()
        self.graph.threads = 1
        nodes = [
            self.graph.add(
                "buffer",
                video_size=f"{frame.width}x{frame.height}",
                pix_fmt=frame.format.name,
                time_base="1/1000",
                pixel_aspect="1/1",
                colorspace=str(int(frame.colorspace)),
                range=str(int(frame.color_range)),
            ),
            self.graph.add("scale"),
            self.graph.add("format", "rgba" if self.alpha else "rgb24"),
            self.graph.add("buffersink"),
        ]
        for first, second in pairwise(nodes):
            first.link_to(second)
        self.graph.configure()
        self.source, self.sink = nodes[0], nodes[-1]

    def rgb(self, frame: VideoFrame) -> np.ndarray:
        self.source.push(frame)
        pixels = cast(VideoFrame, self.sink.pull()).to_ndarray()
        return on_black(pixels) if self.alpha else pixels


def on_black(pixels: np.ndarray) -> np.ndarray:
    """(…, 4) uint8 RGB and alpha, not premultiplied → (…, 3) uint8."""
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 127) // 255).astype(np.uint8)
