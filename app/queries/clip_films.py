"""The clips of tables of predictions, as films: synthetic ones are drawn again, others are read
from the folder of videos that the operator has chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from app.cache.store import keep
from app.shell.session import settings
from gsm_model.data.find_videos import VIDEO_SUFFIXES
from gsm_model.data.own_clips import OwnClip
from gsm_model.data.synthetic.dataset import FPS, drawn_clip_of
from gsm_model.errors import VideoError
from gsm_model.predictions.clip_files import ClipFile, ClipFolder, Film, film
from gsm_model.predictions.table import Predictions
from gsm_model.video.encode import to_mp4
from gsm_model.video.source import Limits

OPENED_FRAMES, OPENED_HEIGHT = 600, 480  # of a clip that cannot be opened as the file it is
LOOK_AGAIN = 600.0  # seconds after which files that were added to the folder are found by name


@st.cache_resource(show_spinner=False, ttl=LOOK_AGAIN)
def _folder(path: Path) -> ClipFolder:
    return ClipFolder(path)


def can_be_seen(id: str) -> bool:
    """Whether there is a way to see the clip that a table calls ``id``."""
    return drawn_clip_of(id) is not None or settings().videos is not None


def film_of(models: Sequence[Predictions], row: int) -> Film:
    """The clip at ``row`` of the tables of ``models``, to be played; made once.

    Raises:
        LensError: if there is no file of it, or it cannot be decoded.
    """
    id = models[0].ids[row]
    if drawn_clip_of(id) is not None:
        return keep("films", ("drawn", id), lambda: Film(_drawn(id), True), doing="Drawing it …")
    clip = _file_of(models, row)
    return keep("films", (clip, _changed(clip)), lambda: film(clip, limits=_limits()), None, _size)


def clip_to_open(models: Sequence[Predictions], row: int) -> tuple[str, bytes]:
    """The name and content of the clip at ``row`` as a file that the app can open: the file itself
    where the clip is all of it and it is no larger than an upload may be, else a film of it.

    Raises:
        LensError: as `film_of`.
    """
    id, shown = models[0].ids[row], film_of(models, row)
    if drawn_clip_of(id) is not None:
        return f"{id}.mp4", shown.content
    clip, largest = _file_of(models, row), settings().video.max_bytes
    is_file = shown.whole and clip.path.suffix.lower() in VIDEO_SUFFIXES
    try:
        if is_file and (largest is None or clip.path.stat().st_size <= largest):
            return clip.path.name, clip.path.read_bytes()
    except OSError as error:
        raise VideoError(f"{id}: cannot be read ({error.strerror})") from None
    return f"{Path(id).stem}.mp4", film(clip, OPENED_FRAMES, OPENED_HEIGHT, _limits()).content


def _drawn(id: str) -> bytes:
    """The drawn clip as a file that says which it is, so that it does not count as filmed."""
    clip = drawn_clip_of(id)
    assert clip is not None
    split, _, index = id.partition("/")
    frames = clip.frames(range(clip.num_frames), 240, 320)
    return to_mp4(frames, FPS, quality=20, comment=OwnClip("drawn", split, int(index)).mark())


def _file_of(models: Sequence[Predictions], row: int) -> ClipFile:
    folder = settings().videos
    if folder is None:
        raise VideoError(f"{models[0].ids[row]}: the app has no folder of videos")
    return _folder(folder).find(models, row)


def _limits() -> Limits:
    """Those of uploads without the ones on the length, for a part of an hour may be meant."""
    return replace(settings().video, max_bytes=None, max_seconds=None, max_frames=None)


def _changed(clip: ClipFile) -> int:
    try:
        return clip.path.stat().st_mtime_ns
    except OSError:  # it went away just now, which reading it will say
        return 0


def _size(shown: Film) -> int:
    return len(shown.content)
