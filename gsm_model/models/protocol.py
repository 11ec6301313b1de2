"""How a model is tested: how many frames, clips and crops of a video, and what is averaged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gsm_model.predictions.table import AVERAGES, Average
from gsm_model.video.transforms import InputSpec

_FRAMES = re.compile(r"(\d+) frames")
_COUNTS = {"one": 1, "two": 2, "three": 3, "ten": 10}
_PART = re.compile(r"(\w+) (clips?|crops)")

_SAMPLED = {
    "even": "frames spread evenly",
    "dense": "a dense window of frames",
    "every-second": "every second frame of a window",
}


@dataclass(frozen=True)
class EvalProtocol:
    """``clips`` × ``crops`` views of a video of ``segments`` frames each, ``None`` for as many as
    the model was trained with, whose logits or probabilities are averaged. ``source`` says whose
    it is.
    """

    clips: int = 1
    crops: int = 1
    segments: int | None = None
    average: Average = "logits"
    source: str = "none is recorded, so one clip and its centre crop"

    @property
    def views(self) -> int:
        """How many times a network looks at a video."""
        return self.clips * self.crops

    def in_words(self, spec: InputSpec, segments: int) -> str:
        """What is done, for a model of ``spec`` that is given ``segments`` frames."""
        whole = spec.width == spec.resize == spec.size
        source = (
            self.source.replace("its centre crop", "the whole picture") if whole else self.source
        )
        clips = "1 clip" if self.clips == 1 else f"{self.clips} clips"
        one = "the whole picture, squeezed" if whole else "centre crop"
        crops = one if self.crops == 1 else f"{self.crops} crops"
        averaged = f", {self.average} averaged" if self.views > 1 else ""
        how = _SAMPLED[spec.sampling]
        return f"{clips}, {crops}, {segments} frames a clip, {how}{averaged} ({source})"

    def values(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> EvalProtocol:
        """The protocol of `values`.

        Raises:
            TypeError, ValueError: if they are not a protocol's.
        """
        found = cls(**values)
        counts = (found.clips, found.segments or 1)
        whole = all(isinstance(count, int) and 1 <= count <= 64 for count in counts)
        if not whole or found.crops not in (1, 3, 10) or found.average not in AVERAGES:
            raise ValueError(f"protocol {dict(values)!r}")
        return found


UNSTATED = EvalProtocol()


def parse_protocol(text: str | None, average: Average, whose: str) -> EvalProtocol:
    """The protocol that a table of accuracies words as ``text``, such as *two clips, three crops*
    or *25 frames, ten crops*; ``None`` where it states none.

    Raises:
        ValueError: for other words.
    """
    if text is None:
        source = f"{whose} state none, so one clip and its centre crop"
        return EvalProtocol(average=average, source=source)
    found = {"clips": 1, "crops": 1}
    frames = _FRAMES.fullmatch(text.split(", ")[0])
    for part in text.split(", ")[1 if frames else 0 :]:
        if part == "centre crop":
            continue
        match = _PART.fullmatch(part)
        count = _COUNTS.get(match[1], match[1]) if match else ""
        if match is None or not str(count).isdigit():
            raise ValueError(f"no protocol {text!r}")
        found["crops" if match[2] == "crops" else "clips"] = int(count)
    segments = int(frames[1]) if frames else None
    return EvalProtocol(found["clips"], found["crops"], segments, average, f"as {whose} test it")
