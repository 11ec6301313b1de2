"""Motion as a codec has it: vectors of blocks, and what they leave unexplained.

Two pictures are encoded as MPEG-4 part 2, the second predicted from the first, and decoded again,
which takes about a millisecond. So every clip has vectors, whatever its own file is: one of a
codec without any (VP9 as FFmpeg decodes it, pictures alone), a folder, an uploaded GIF. DMC-Net's
and CoViAR's authors encode their data so too.

Source: Wu and others, "Compressed Video Action Recognition", CVPR 2018, and Shou and others,
"DMC-Net", CVPR 2019: vectors of ±20 pixels and residuals are stored as bytes around 128.
"""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import Type

_BLOCK = 16
_QUANTISER = "2"  # of 31; the finest that does not find motion in noise
_BOUND = 20.0


def motion_vectors(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The motion from picture ``first`` to ``second``, (H, W, 3) uint8 RGB, as MPEG-4 codes it.

    Returns the flow (2, H, W) float32 in pixels to the right and down, one for each block, at the
    places of ``second``: the opposite of the codec's vectors, which point back to where a block
    comes from, and zero where a block has none; and the residual (H, W, 3) int16, the second
    picture less what the vectors make of the first, both as they are decoded.

    Raises:
        ValueError: if the pictures have not one size, or are no pictures.
    """
    if first.shape != second.shape or first.ndim != 3 or first.shape[2] != 3:
        raise ValueError(f"two pictures (H, W, 3) are needed, got {first.shape} and {second.shape}")
    height, width = first.shape[:2]
    margins = ((0, -height % _BLOCK), (0, -width % _BLOCK), (0, 0))
    before, now = _coded([np.pad(one, margins, mode="edge") for one in (first, second)])
    flow = flow_of_blocks(now)
    reference, shown = (one.to_ndarray(format="rgb24").astype(np.int16) for one in (before, now))
    residual = shown - _moved(reference, flow)
    return flow[:, :height, :width], residual[:height, :width]


def vector_bytes(flow: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """A flow of blocks and a residual, as `motion_vectors`, as a network is given them: (5, H, W)
    uint8, 128 more than steps of 0.157 pixels, cut off, and than the residual.
    """
    steps = np.trunc(flow * (127.5 / _BOUND))
    planes = np.concatenate([steps, residual.transpose(2, 0, 1)]) + 128
    return np.clip(planes, 0, 255).astype(np.uint8)


def _coded(pictures: list[np.ndarray]) -> list[av.VideoFrame]:
    """``pictures`` after MPEG-4, the vectors of each beside it."""
    encoder = av.VideoCodecContext.create("mpeg4", "w")
    encoder.height, encoder.width = pictures[0].shape[:2]
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    encoder.gop_size, encoder.max_b_frames = len(pictures), 0
    # A scene change would make the second picture one without vectors.
    encoder.options = {"qmin": _QUANTISER, "qmax": _QUANTISER, "sc_threshold": "1000000000"}
    decoder = av.VideoCodecContext.create("mpeg4", "r")
    decoder.options = {"flags2": "+export_mvs"}
    encoder.thread_count = decoder.thread_count = 1
    packets = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [frame for packet in (*packets, None) for frame in decoder.decode(packet)]


def flow_of_blocks(frame: av.VideoFrame) -> np.ndarray:
    """The flow (2, H, W) float32 that the vectors beside ``frame`` mean, block by block."""
    flow = np.zeros((2, frame.height, frame.width), np.float32)
    try:
        vectors = frame.side_data[Type.MOTION_VECTORS].to_ndarray()
    except KeyError:  # every block is a picture of its own
        return flow
    for one in vectors:
        top = max(0, int(one["dst_y"]) - int(one["h"]) // 2)
        left = max(0, int(one["dst_x"]) - int(one["w"]) // 2)
        block = flow[:, top : top + int(one["h"]), left : left + int(one["w"])]
        back = np.array([one["motion_x"], one["motion_y"]], np.float32) / one["motion_scale"]
        block[:] = -back[:, None, None]
    return flow


def moved_from(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """``values`` (C, H, W) looked up where each place comes from, place − ``flow`` (2, H, W), at
    the nearest pixel, the border repeated: (C, H, W).
    """
    height, width = values.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    y = np.clip(np.rint(rows - flow[1]).astype(np.int64), 0, height - 1)
    x = np.clip(np.rint(columns - flow[0]).astype(np.int64), 0, width - 1)
    return values[:, y, x]


def _moved(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """``picture`` (H, W, 3) int16 looked up at each place − ``flow``, bilinear between pixels, the
    border repeated.
    """
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    y = np.clip(rows - flow[1], 0, height - 1)
    x = np.clip(columns - flow[0], 0, width - 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    below, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (y - top)[..., None], (x - left)[..., None]
    upper = picture[top, left] * (1 - across) + picture[top, right] * across
    lower = picture[below, left] * (1 - across) + picture[below, right] * across
    return np.round(upper * (1 - down) + lower * down).astype(np.int16)
