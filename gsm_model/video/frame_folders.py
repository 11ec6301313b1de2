"""Folders of numbered pictures: which series lie in one, which of them is the video, and which
numbers are missing from it.
"""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from gsm_model.errors import VideoError
from gsm_model.video.flow_folders import components_beside, components_inside, half_of_flow

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff")
_DIGITS = re.compile(r"[0-9]+")
_PLACEHOLDER = re.compile(r"%[0-9]*[di]|\*")
_WORD = re.compile(r"(?<![0-9])[a-z]+|[a-z]+(?![0-9a-z])")  # the x of 640x480 is none
# What the frames of other things than the picture are called: optical flow and its two components
# (denseflow: flow_x, flow_y; TSN: x, y; EPIC-Kitchens: u, v), depth, masks, thumbnails.
_OTHER = frozenset(
    (
        *(
            "flow",
            "flowx",
            "flowy",
            "warp",
            "warped",
            "depth",
            "disp",
            "disparity",
            "mask",
            "masks",
        ),
        *("seg", "segm", "segmentation", "alpha", "thumb", "thumbs", "thumbnail", "thumbnails"),
        *("preview", "diff", "rgbdiff", "ir", "infrared", "pose", "skeleton", "heatmap", "edge"),
        *("edges", "gt", "normal", "normals", "saliency"),
    )
)
_COMPONENTS = frozenset("uvxy")
# The component to the right in a name, in lower case, and what stands there for the one down.
_RIGHT = re.compile(r"(?:(?<![a-z0-9])|(?<=flow)|(?<=warp)|(?<=warped))([xu])(?![a-z])")
_DOWN = {"x": "y", "u": "v"}
_SHOWN = 5
_SETTLED_NS = 2 * 10**9  # a folder changed just now may change again within one tick of its clock


def is_pattern(name: str) -> bool:
    """Whether a name leaves a number open, as ``img_%05d.jpg`` and ``img_*.jpg`` do."""
    return _PLACEHOLDER.search(name) is not None


@dataclass(frozen=True)
class Series:
    """Pictures whose names differ in one number, in its order. ``pattern`` is their name with the
    number left open, as ffmpeg writes it: ``img_%05d.jpg``.
    """

    pattern: str
    numbers: tuple[int, ...]
    files: tuple[str, ...]


@dataclass(frozen=True)
class FlowSeries:
    """Optical flow that is stored in pictures: motion to the ``right`` and ``down``, of the same
    numbers.
    """

    right: Series
    down: Series

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.right.pattern} and {self.down.pattern}"


@dataclass(frozen=True)
class Frames:
    """The series of a folder that is its video, and in ``notes`` what is to be said of it: series
    that were left out, numbers that are missing. ``runs`` are its numbers, as `runs_of` has them.

    ``flow`` is the optical flow that the folder holds, if any. It is ``alone`` where there are no
    pictures beside it; ``series`` is then its part to the right, and the video has a frame more
    than there are files, for each is of the motion from one frame to the next.
    """

    series: Series
    notes: tuple[str, ...]
    runs: tuple[tuple[int, int], ...]
    flow: FlowSeries | None = None
    alone: bool = False

    @property
    def count(self) -> int:
        """How many frames the video has."""
        return len(self.series.numbers) + self.alone


def frames_of(folder: Path, name: str, wanted: str | None = None) -> Frames:
    """The pictures of ``folder`` in the order of their numbers. ``wanted`` is the pattern of the
    series that is meant (``flow_x_%05d.jpg``, or as much of it as tells it apart), where there are
    several; ``name`` is what messages call the folder.

    Raises:
        VideoError: if no picture has a number, several series could be meant, or none is as
            ``wanted``.
    """
    try:
        changed = folder.stat().st_mtime_ns
        settled = time.time_ns() - changed > _SETTLED_NS
        read = _frames_of if settled else _frames_of.__wrapped__
        return read(str(folder), name, wanted, changed)
    except OSError as error:
        raise VideoError(f"{name}: {error.strerror or error}") from None


@lru_cache(maxsize=4)  # the clips of one long video follow each other in a list
def _frames_of(folder: str, name: str, wanted: str | None, changed: int) -> Frames:
    names = _pictures_in(folder)
    found = series_of(names)
    inside = components_inside(Path(folder))
    if beside := None if inside and found else inside or components_beside(Path(folder)):
        apart = _flow_apart(folder, beside, name)
        return _flow_alone(apart, apart.right, ())
    if not found:
        if half := half_of_flow(Path(folder)):
            raise VideoError(
                f"{name}: holds a folder {half[0]} but none called {half[1]}; optical flow needs"
                " both components"
            )
        raise VideoError(
            f"{name}: a folder with no numbered .jpg or .png frames in it (such as 00001.jpg;"
            " WebP, BMP and TIFF are read too)"
        )
    flow = flow_among(found) if inside is None else _flow_apart(folder, inside, name)
    alone = not wanted and flow is not None and inside is None and all(map(is_other, found))
    if wanted:
        chosen = _wanted(found, wanted, name)
    else:
        chosen = flow.right if alone and flow is not None else _picture(found, name)
    for (a, first), (b, second) in pairwise(zip(chosen.numbers, chosen.files, strict=True)):
        if a == b:
            raise VideoError(f"{name}: {first} and {second} have the same number; remove one")
    if alone and flow:
        return _flow_alone(flow, chosen, (_unnumbered(names),))
    notes = _left_out(found, chosen), _unnumbered(names), missing_numbers(chosen.numbers)
    return Frames(chosen, tuple(filter(None, notes)), runs_of(chosen.numbers), flow)


def _pictures_in(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [
            entry.name
            for entry in entries
            if entry.name.lower().endswith(SUFFIXES)
            and not entry.name.startswith(".")
            and entry.is_file()
        ]


def _flow_alone(flow: FlowSeries, chosen: Series, more: tuple[str, ...]) -> Frames:
    """A folder that holds ``flow`` and no pictures, with ``more`` to be said of it."""
    notes = (
        f"holds optical flow, {flow.name}, and no pictures",
        *more,
        missing_numbers(chosen.numbers),
    )
    runs = runs_of((*chosen.numbers, chosen.numbers[-1] + 1))
    return Frames(chosen, tuple(filter(None, notes)), runs, flow, True)


def _flow_apart(folder: str, components: tuple[str, str], name: str) -> FlowSeries:
    """The flow whose components lie in folders of their own, relative to ``folder``."""
    right, down = (_only_series(folder, one, name) for one in components)
    if right.numbers != down.numbers:
        raise VideoError(
            f"{name}: its optical flow has {len(right.numbers)} files to the right"
            f" ({right.pattern}) and {len(down.numbers)} down ({down.pattern}), not of the same"
            " numbers; bring those that are missing, or remove the others"
        )
    return FlowSeries(right, down)


def _only_series(folder: str, component: str, name: str) -> Series:
    found = series_of(_pictures_in(os.path.join(folder, component)))  # noqa: PTH118
    if len(found) != 1:
        raise VideoError(
            f"{name}: {component} holds {len(found)} series of numbered pictures; one is needed as"
            " a component of optical flow"
        )
    [one] = found
    at = "" if component == "." else f"{component}/"
    return replace(one, pattern=at + one.pattern, files=tuple(at + file for file in one.files))


def flow_among(found: Sequence[Series]) -> FlowSeries | None:
    """The optical flow among the series of a folder: two that are called alike but for x and y, or
    u and v, have the same numbers, and are named as something else than the picture. ``None`` where
    there is none, or several could be meant; of flow and warped flow (TSN) it is the flow.
    """
    by_pattern = {series.pattern.casefold(): series for series in found if is_other(series)}
    pairs = []
    for pattern, right in by_pattern.items():
        for component in _RIGHT.finditer(pattern):
            at, other = component.start(1), _DOWN[component.group(1)]
            down = by_pattern.get(pattern[:at] + other + pattern[at + 1 :])
            if down is not None and down.numbers == right.numbers:
                pairs.append(FlowSeries(right, down))
    plain = [pair for pair in pairs if "warp" not in pair.right.pattern.casefold()]
    chosen = plain or pairs
    return chosen[0] if len(chosen) == 1 else None


def series_of(names: Iterable[str]) -> tuple[Series, ...]:
    """The series among file names, sorted by their patterns; names without a number are in none.

    The number of a frame is the one that changes from name to name. Where several change, it is
    the one that orders all the others; failing that, the one with the fewest series.
    """
    groups: dict[tuple[str, ...], list[_Name]] = defaultdict(list)
    for name in names:
        if (parsed := _Name.of(name)).digits:
            groups[tuple(text.casefold() for text in parsed.texts)].append(parsed)
    found = [series for group in groups.values() for series in _split(group)]
    return tuple(sorted(found, key=lambda series: series.pattern))


@dataclass(frozen=True)
class _Name:
    """A file name as the texts and the digits that it is made of, its suffix apart."""

    name: str
    suffix: str
    texts: tuple[str, ...]
    digits: tuple[str, ...]
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, name: str) -> _Name:
        stem, suffix = _cut(name)
        digits = tuple(_DIGITS.findall(stem))
        return cls(name, suffix, tuple(_DIGITS.split(stem)), digits, tuple(map(int, digits)))

    def without(self, slot: int) -> tuple[int, ...]:
        return self.numbers[:slot] + self.numbers[slot + 1 :]

    def pattern(self, slot: int, digits: str) -> str:
        pieces = [self.texts[0]]
        for at, text in enumerate(self.texts[1:]):
            pieces += [digits if at == slot else self.digits[at], text]
        return "".join(pieces) + self.suffix


def _split(group: list[_Name]) -> list[Series]:
    """The series of names that are alike but for their digits."""
    slots = range(len(group[0].digits))
    varying = [slot for slot in slots if len({name.numbers[slot] for name in group}) > 1]
    if len(varying) == 1:
        return _series(group, varying[0])
    if not varying:  # one frame, or several formats of it: the longest number is the frame's
        return _series(group, max(slots, key=lambda slot: (len(group[0].digits[slot]), slot)))
    leading = [slot for slot in varying if _orders(group, slot, varying)]
    if leading:  # beside the frame's number runs another, such as its time
        return _series(group, min(leading, key=lambda slot: _spread(group, slot)))
    apart = {slot: len({name.without(slot) for name in group}) for slot in varying}
    slot = min(varying, key=lambda slot: (apart[slot], -slot))
    by_rest: dict[tuple[int, ...], list[_Name]] = defaultdict(list)
    for name in group:
        by_rest[name.without(slot)].append(name)
    return [series for part in by_rest.values() for series in _series(part, slot)]


def _orders(group: list[_Name], slot: int, varying: list[int]) -> bool:
    """Whether no two names share the number at ``slot`` and all others rise with it."""
    ordered = sorted((name.numbers for name in group), key=lambda numbers: numbers[slot])
    return all(
        a[slot] < b[slot] and all(a[other] <= b[other] for other in varying)
        for a, b in pairwise(ordered)
    )


def _spread(group: list[_Name], slot: int) -> int:
    numbers = [name.numbers[slot] for name in group]
    return max(numbers) - min(numbers)


def _series(names: list[_Name], slot: int) -> list[Series]:
    """The names as one series; where numbers come twice, one for each format or spelling."""
    keys: tuple[Callable[[_Name], object], ...] = (
        lambda name: "",
        lambda name: name.suffix.lower(),
        lambda name: (name.texts, name.suffix),
    )
    for key in keys:
        parts: dict[object, list[_Name]] = defaultdict(list)
        for name in names:
            parts[key(name)].append(name)
        if all(len({n.numbers[slot] for n in part}) == len(part) for part in parts.values()):
            break
    return [_one(part, slot) for part in parts.values()]


def _one(names: list[_Name], slot: int) -> Series:
    names = sorted(names, key=lambda name: (name.numbers[slot], name.name))
    widths = {len(name.digits[slot]) for name in names}
    width = min(widths)
    padded = len(widths) == 1 and width > 1
    return Series(
        names[0].pattern(slot, f"%0{width}d" if padded else "%d"),
        tuple(name.numbers[slot] for name in names),
        tuple(name.name for name in names),
    )


def _picture(found: Sequence[Series], name: str) -> Series:
    """The one series that is not of something else than the picture."""
    pictures = [series for series in found if not is_other(series)]
    if len(pictures) == 1 or len(found) == 1:
        return (pictures or list(found))[0]
    example = (pictures or list(found))[0].pattern
    raise VideoError(
        f"{name}: holds {len(found)} series of pictures ({_patterns(found)}); say which is the"
        f" video: give FOLDER/{example} as the path, or in a list --series {example}"
    )


def is_other(series: Series) -> bool:
    """Whether a series is named after something else than the picture, such as optical flow."""
    words = _WORD.findall(_PLACEHOLDER.sub("0", _cut(series.pattern)[0]).lower())
    return bool(_OTHER.intersection(words)) or (len(words) == 1 and words[0] in _COMPONENTS)


def _wanted(found: Sequence[Series], wanted: str, name: str) -> Series:
    asked = _PLACEHOLDER.sub("*", wanted)
    opened = {_PLACEHOLDER.sub("*", series.pattern): series for series in found}
    if asked in opened:
        return opened[asked]
    for alike in (
        [series for pattern, series in opened.items() if pattern.split("*")[0].rstrip("_-. ")
         == asked.split("*")[0].rstrip("_-. ")],
        [series for pattern, series in opened.items() if pattern.startswith(asked)],
    ):  # fmt: skip
        if len(alike) == 1:
            return alike[0]
    raise VideoError(f"{name}: no one series is {wanted!r}; there are {_patterns(found)}")


def _patterns(found: Sequence[Series]) -> str:
    shown = ", ".join(f"{series.pattern}: {len(series.files)}" for series in found[:_SHOWN])
    return shown + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


def _left_out(found: Sequence[Series], chosen: Series) -> str:
    others = [series for series in found if series is not chosen]
    if others:
        return f"read {chosen.pattern}, left out {_patterns(others)}"
    return f"read {chosen.pattern}, though it is not named as pictures" if is_other(chosen) else ""


def _unnumbered(names: Sequence[str]) -> str:
    bare = sorted(name for name in names if not _DIGITS.search(_cut(name)[0]))
    if not bare:
        return ""
    more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
    return f"left out {bare[0]}{more}, which has no number"


def missing_numbers(numbers: Sequence[int]) -> str:
    """Which numbers an ascending row of them lacks, in words; empty where it is whole."""
    steps = [b - a for a, b in pairwise(numbers)]
    if not steps or set(steps) == {1}:
        return ""
    step = min(steps)
    if len(set(steps)) == 1:
        return f"only every {_ordinal(step)} number is there, from {numbers[0]} to {numbers[-1]}"
    if sum(one == step for one in steps) < len(steps) / 2 or any(one % step for one in steps):
        return f"its numbers, {numbers[0]} to {numbers[-1]}, are at uneven distances"
    gaps = [(a + step, b - step) for a, b in pairwise(numbers) if b - a > step]
    count = sum((last - first) // step + 1 for first, last in gaps)
    shown = ", ".join(
        str(first) if first == last else f"{first} to {last}" for first, last in gaps[:_SHOWN]
    )
    more = ", …" if len(gaps) > _SHOWN else ""
    verb = "is" if count == 1 else "are"
    beside = f" beside every {_ordinal(step)}" if step > 1 else ""
    return f"{count:,} of its numbers {verb} missing{beside} ({shown}{more})"


def _ordinal(step: int) -> str:
    return {2: "second", 3: "third"}.get(step, f"{step}th")


def runs_of(numbers: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as runs without a gap, each its first and last."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], number
        else:
            runs.append((number, number))
    return tuple(runs)


def _cut(name: str) -> tuple[str, str]:
    """A file name without its suffix, and the suffix with its dot."""
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if dot else (name, "")
