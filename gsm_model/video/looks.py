"""How a clip looks, told from the frames that were sampled of it: as cheap as can be beside their
decoding. Needs no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

_SIDE = 32  # pixels, at least, that the shorter side of a picture is reduced to
_LUMA = np.array([0.299, 0.587, 0.114]) / 255  # Rec. 601, of R′, G′ and B′


@dataclass(frozen=True)
class ClipLook:
    """``frames`` is the number of frames of the clip, ``seconds`` how long they last, NaN where no
    rate is known; the clip is frames ``first`` to ``stop`` (not included) of its file.

    ``brightness`` is the mean luma (Rec. 601) of the sampled frames, 0 (black) to 1 (white).
    ``motion`` is the mean absolute change of luma, 0 … 1, from each sampled frame to the next in
    time, of pictures whose shorter side is reduced to 32 pixels or somewhat more; NaN of one frame.
    """

    frames: int
    seconds: float
    brightness: float
    motion: float
    first: int
    stop: int

    @classmethod
    def of(cls, sent: Mapping[str, float | None]) -> ClipLook:
        """What a decoding process sent, as JSON has it."""
        given = {name: math.nan if value is None else value for name, value in sent.items()}
        return cls(**given)  # type: ignore[arg-type]  # whole numbers stay so in JSON

    def sent(self) -> dict[str, float | None]:
        """This as a decoding process sends it, in JSON."""
        values = vars(self).items()
        return {name: None if math.isnan(value) else value for name, value in values}


def brightness_and_motion(frames: np.ndarray) -> tuple[float, float]:
    """Of ``frames`` (n, H, W, 3) uint8 RGB, in the order of time, as `ClipLook` has them."""
    factor = max(1, min(frames.shape[1:3]) // _SIDE)
    small = np.stack([np.asarray(Image.fromarray(frame).reduce(factor)) for frame in frames])
    luma = small @ _LUMA
    change = np.abs(np.diff(luma, axis=0))
    return float(luma.mean()), float(change.mean()) if len(frames) > 1 else math.nan
