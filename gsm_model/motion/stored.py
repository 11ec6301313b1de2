"""Flow as bytes, as data sets store it in pictures: clipped to ±20 pixels, in steps of 0.157.

Two rules are in use: yjxiong/dense_flow *rounds*, so that no motion is 128; mmaction2's
``tools/misc/flow_extraction.py`` *truncates*, so that it is 127.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

BOUND = 20.0
Zero = Literal[127, 128]
# Of the bytes of a flow, how many must be one of the two zeros before the folder's rule is told.
_ENOUGH = 0.01
_CLEARLY = 2.0
_SHARED = 1.5
_MANY = 1000


def flow_bytes(flow: Tensor, zero: Zero = 128, bound: float = BOUND) -> Tensor:
    """A flow in pixels as it is stored, uint8 of the same shape; ``zero`` is the byte of no motion:
    128 as dense_flow stores it, 127 as mmaction2 does.
    """
    import torch  # here, so that a decoding process reads stored flow without it

    scaled = (flow.clamp(-bound, bound) + bound) * (255 / (2 * bound))
    return (scaled + 0.5 if zero == 128 else scaled).to(torch.uint8)


def flow_of_bytes(stored: np.ndarray, zero: Zero = 128, bound: float = BOUND) -> np.ndarray:
    """A stored flow in pixels, float32 of the same shape; no motion is exactly 0."""
    return (stored.astype(np.float32) - zero) * np.float32(2 * bound / 255)


def zero_of(stored: np.ndarray) -> Zero | None:
    """Which byte no motion is in stored flow, read off the bytes: of 127 and 128 the one that is at
    least twice as frequent. Where both are about as frequent, and clearly more so than 126 and 129,
    it is 128: rounding shares what is nearly still between the two, truncating gives it to 127.
    ``None`` where it is otherwise, or both are rare, or there are few to judge a shared zero by.
    """
    below, low, high, above = (int((stored == byte).sum()) for byte in range(126, 130))
    if low + high < _ENOUGH * stored.size:
        return None
    if low >= _CLEARLY * high:
        return 127
    around = low + high >= _MANY and min(low, high) >= _SHARED * max(below, above)
    return 128 if high >= _CLEARLY * low or around else None
