"""Which frames of a file a row of a list means: all of them, those from one number to another, or
those from one time to another.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from gsm_model.errors import VideoError
from gsm_model.video.source import VideoInfo

_SLACK_SECONDS = 0.1  # that times in lists, of two decimals, may be off
_SLACK_FRAMES = 2
_CUT_SECONDS = 1.0  # that a clip which was cut out may be longer than its times say


@dataclass(frozen=True)
class Part:
    """A part of a file as a list names it.

    ``first`` and ``stop`` are frames, 0-based, ``stop`` not included; frame k of a folder is the
    file with the number k + ``base``. ``begin`` and ``end`` are the same in seconds. ``fps`` is
    what the list counts frames in. ``num_frames`` is how many frames the list says the file has.
    ``maybe_cut``: the file may hold this part and no more.
    """

    first: int | None = None
    stop: int | None = None
    begin: float | None = None
    end: float | None = None
    fps: float | None = None
    base: int = 1
    num_frames: int | None = None
    maybe_cut: bool = False


@dataclass(frozen=True)
class Span:
    """Frames of a file from ``first`` to ``stop``, 0-based, ``stop`` not included, and what is to
    be said of how they were found.
    """

    first: int
    stop: int
    notes: tuple[str, ...] = ()


def locate(part: Part, info: VideoInfo, name: str) -> Span:
    """The frames of the file of ``info`` that ``part`` means.

    A folder's frames go by their numbers. A video's go by the times of the list, where it has them
    and its frame numbers are not these times at the video's rate.

    Raises:
        VideoError: if the file has not all of the part; gaps in a folder's numbers are said.
    """
    if info.kind == "folder":
        return _in_folder(part, info, name)
    part, notes = _at_rate(part, info)
    if part.first is not None or part.stop is not None:
        stop = info.num_frames if part.stop is None else part.stop
        if stop > info.num_frames:
            raise VideoError(
                f"{name}: the list names frames up to {stop}, the video has {info.num_frames}"
            )
        return Span(part.first or 0, stop, notes)
    if part.begin is None or part.end is None:
        return Span(0, info.num_frames, notes + _other_count(part, info, "video"))
    return _in_time(part, info, name, notes)


def _at_rate(part: Part, info: VideoInfo) -> tuple[Part, tuple[str, ...]]:
    """``part`` with its times instead of its frames, where the list counts them at another rate
    than the video's.
    """
    if part.first is None or part.stop is None:
        return part, ()
    begin, end = part.begin, part.end
    if end is None and part.fps:
        begin, end = part.first / part.fps, part.stop / part.fps
    if begin is None or end is None or end <= begin:
        return part, ()
    slack = _SLACK_SECONDS * info.fps + _SLACK_FRAMES
    off = max(abs(begin * info.fps - part.first), abs(end * info.fps - part.stop))
    if off <= slack:
        return part, ()
    rate = part.fps or part.stop / end
    note = (
        f"the list counts {rate:.4g} frames a second and the video has {info.fps:.4g}: its times"
        " are used instead of its frame numbers"
    )
    return Part(begin=begin, end=end, maybe_cut=part.maybe_cut), (note,)


def _in_time(part: Part, info: VideoInfo, name: str, notes: tuple[str, ...]) -> Span:
    begin, end = part.begin or 0.0, part.end or 0.0
    if part.maybe_cut and info.seconds <= end - begin + _CUT_SECONDS:
        return Span(0, info.num_frames, notes)
    first, stop = round(begin * info.fps), round(end * info.fps)
    if first >= info.num_frames or stop > info.num_frames + info.fps * _CUT_SECONDS:
        raise VideoError(
            f"{name}: the list names {begin:g} s to {end:g} s, the video lasts {info.seconds:.1f} s"
        )
    return Span(first, max(first + 1, min(stop, info.num_frames)), notes)


def _in_folder(part: Part, info: VideoInfo, name: str) -> Span:
    first, stop = part.first, part.stop
    if first is None and stop is None:
        if part.end is None:
            return Span(0, info.num_frames, _other_count(part, info, "folder"))
        if not part.fps:
            raise VideoError(
                f"{name}: the list names times, and a folder of frames has none; add a column fps"
                " to the list"
            )
        first, stop = round((part.begin or 0) * part.fps), round(part.end * part.fps)
    begin, end = (first or 0) + part.base, (stop or 0) + part.base - 1  # numbers, both included
    lowest, highest = info.runs[0][0], info.runs[-1][1]
    span = place_of(info.runs, begin), place_of(info.runs, end + 1)
    if begin < lowest or end > highest or span[0] == span[1]:
        raise VideoError(
            f"{name}: the list names frames {begin} to {end}, the folder has {lowest} to {highest}"
            + (" without these" if begin >= lowest and end <= highest else "")
        )
    there, asked = span[1] - span[0], end - begin + 1
    if there == asked:
        return Span(*span)
    return Span(*span, (f"of frames {begin} to {end} only {there} of {asked} are there",))


def place_of(runs: tuple[tuple[int, int], ...], number: int) -> int:
    """How many of the numbers in ``runs`` are below ``number``."""
    at = bisect_left([first for first, _ in runs], number)
    below = sum(last - first + 1 for first, last in runs[:at])
    return below if not at else below - max(0, runs[at - 1][1] - number + 1)


def _other_count(part: Part, info: VideoInfo, what: str) -> tuple[str, ...]:
    if part.num_frames is None or part.num_frames == info.num_frames:
        return ()
    return (
        f"the list says {part.num_frames} frames, the {what} has {info.num_frames}; these are read",
    )
