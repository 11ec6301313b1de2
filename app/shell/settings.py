"""What the person who runs the app may set, by environment variables."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gsm_model.models.inference.optimize import PRECISIONS, Precision
from gsm_model.video.source import Limits

PREFIX = "GATE_SHIFT_LENS_"


@dataclass(frozen=True)
class Settings:
    """``checkpoints``: a folder whose models anyone may load, or ``None``. ``videos``: a folder
    whose videos anyone may see who has a table of predictions for them, or ``None``. ``video``:
    limits on clips.

    ``checkpoint_megabytes`` bounds an uploaded checkpoint, ``session_megabytes`` all files of one
    session, ``total_megabytes`` those of all sessions together; ``model_megabytes`` the models in
    memory, their copies for quick passes included. ``precision`` is that of those copies. Where
    more than ``most_waiting`` wait for the models, or one has waited ``longest_wait`` seconds, it
    is refused. ``operator_page``: whether the page for whoever runs the server is shown.
    """

    checkpoints: Path | None
    videos: Path | None
    video: Limits
    checkpoint_megabytes: int
    session_megabytes: int
    total_megabytes: int
    model_megabytes: int
    precision: Precision
    most_waiting: int
    longest_wait: float
    operator_page: bool


def read_settings() -> Settings:
    """The settings of this process.

    Raises:
        ValueError: if a variable that should be a number is none, or a precision is unknown, naming
            it.
    """
    return Settings(
        checkpoints=_folder("CHECKPOINTS"),
        videos=_folder("VIDEOS"),
        video=Limits(
            max_bytes=_number("MAX_CLIP_MB", 300) * 2**20,
            max_seconds=float(_number("MAX_CLIP_SECONDS", 600)),
            max_memory=_number("MAX_DECODER_MB", 6144) * 2**20,
            max_decode_seconds=float(_number("MAX_DECODER_SECONDS", 60)),
        ).with_side(_number("MAX_SIDE", 4096)),
        checkpoint_megabytes=_number("MAX_CHECKPOINT_MB", 1024),
        session_megabytes=_number("MAX_SESSION_MB", 4096),
        total_megabytes=_number("MAX_TOTAL_MB", 40960),
        model_megabytes=_number("MAX_MODELS_MB", 4096),
        precision=_precision(),
        most_waiting=_number("MAX_WAITING", 64),
        longest_wait=float(_number("MAX_WAIT_SECONDS", 120)),
        operator_page=os.environ.get(PREFIX + "OPERATOR_PAGE", "") not in ("", "0"),
    )


def _folder(name: str) -> Path | None:
    folder = os.environ.get(PREFIX + name)
    return Path(folder) if folder else None


def _precision() -> Precision:
    name = os.environ.get(PREFIX + "PRECISION", PRECISIONS[0])
    if name not in PRECISIONS:
        raise ValueError(f"{PREFIX}PRECISION must be one of {', '.join(PRECISIONS)}, got {name!r}")
    return name


def _number(name: str, default: int) -> int:
    text = os.environ.get(PREFIX + name, str(default))
    if not text.isdigit() or int(text) == 0:
        raise ValueError(f"{PREFIX}{name} must be a whole number above 0, got {text!r}")
    return int(text)
