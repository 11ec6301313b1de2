"""Flow as bytes, as data sets store it in pictures: clipped to ±20 pixels, in steps of 0.157.

Two rules are in use: yjxiong/dense_flow *rounds*, so that no motion is 128; mmaction2's
``tools/misc/flow_extraction.py`` *truncates*, so that it is 127.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

BOUND = 20.0
Zero = Literal[127, 128]
# Of the bytes of a flow, how many must be one of the two zeros before the folder's rule is told.
_ENOUGH = 0.01
_CLEARLY = 2.0


def flow_bytes(flow: Tensor, zero: Zero = 128, bound: float = BOUND) -> Tensor:
    """A flow in pixels as it is stored, uint8 of the same shape; ``zero`` is the byte of no motion:
    128 as dense_flow stores it, 127 as mmaction2 does.
    """
    scaled = (flow.clamp(-bound, bound) + bound) * (255 / (2 * bound))
    return (scaled + 0.5 if zero == 128 else scaled).to(torch.uint8)


def flow_of_bytes(stored: np.ndarray, zero: Zero = 128, bound: float = BOUND) -> np.ndarray:
    """A stored flow in pixels, float32 of the same shape; no motion is exactly 0."""
    return (stored.astype(np.float32) - zero) * np.float32(2 * bound / 255)


def zero_of(stored: np.ndarray) -> Zero | None:
    """Which byte no motion is in stored flow, read off the bytes: of 127 and 128 the one that is at
    least twice as frequent; ``None`` where neither is, or both are rare.
    """
    low, high = (int((stored == byte).sum()) for byte in (127, 128))
    if low + high < _ENOUGH * stored.size:
        return None
    if low >= _CLEARLY * high:
        return 127
    return 128 if high >= _CLEARLY * low else None
