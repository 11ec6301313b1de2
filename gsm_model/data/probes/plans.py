"""The probes: one function each says what the frames of a clip show and in which order each of its
two classes plays them.

Places are in half widths of the picture: (−1, −1) is its upper left corner, (1, 1) the lower right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RED, BLUE = (0.92, 0.22, 0.18), (0.2, 0.38, 0.95)
PLAIN = ((0.95, 0.85, 0.25), (0.3, 0.8, 0.4), (0.9, 0.9, 0.9), (0.95, 0.6, 0.85))
FEWEST_FRAMES = 8


def check_frames(num_frames: int) -> None:
    """Refuse a number of frames that no probe's clip has.

    Raises:
        ValueError: if it is not a multiple of 4, or less than `FEWEST_FRAMES`.
    """
    if num_frames < FEWEST_FRAMES or num_frames % 4:
        raise ValueError(
            f"a probe's clip has a multiple of 4 frames, at least {FEWEST_FRAMES}, not {num_frames}"
        )


@dataclass(frozen=True)
class Thing:
    """A disc (or a square) of ``color`` (RGB in 0 … 1) about ``at`` (x, y), or only its outline."""

    at: tuple[float, float]
    color: tuple[float, float, float]
    square: bool = False
    size: float = 0.22
    outline: bool = False


Shown = tuple[Thing, ...]


@dataclass(frozen=True)
class Plan:
    """``frames``: what each shows. ``orders``: for each of the two classes the frames it plays,
    (T,) indices into ``frames``. In a probe both are permutations of the same frames.
    """

    frames: tuple[Shown, ...]
    orders: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Probe:
    """A question about a clip with two answers.

    ``plan(rng, T, d)`` lays out a clip of T frames; ``d`` in 1 … T − 1 is how many frames the two
    events are apart, and means something where ``has_distance`` is true. A ``static`` one is a
    control: one frame answers it.
    """

    name: str
    first: str
    second: str
    plan: Callable[[np.random.Generator, int, int], Plan]
    has_distance: bool = False
    static: bool = False


def _somewhere(rng: np.random.Generator, reach: float = 0.65) -> tuple[float, float]:
    x, y = rng.uniform(-reach, reach, 2)
    return float(x), float(y)


def _plain(rng: np.random.Generator) -> tuple[float, float, float]:
    return PLAIN[rng.integers(len(PLAIN))]


def _along(start: np.ndarray, stop: np.ndarray, share: float) -> tuple[float, float]:
    x, y = start + (stop - start) * share
    return float(x), float(y)


def _path(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two places far enough from each other for steps between them to be seen."""
    angle, middle = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.2, 2)
    reach = rng.uniform(0.5, 0.6) * np.array([np.cos(angle), np.sin(angle)])
    return middle - reach, middle + reach


def which_first(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """A red and a blue flash, ``distance`` frames apart."""
    red, blue = Thing(_somewhere(rng), RED), Thing(_somewhere(rng), BLUE)
    start = int(rng.integers(0, frames - distance))
    shown: list[Shown] = [()] * frames
    shown[start], shown[start + distance] = (red,), (blue,)
    order = np.arange(frames)
    swapped = order.copy()
    swapped[[start, start + distance]] = start + distance, start
    return Plan(tuple(shown), (order, swapped))


def direction(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """A thing that crosses the picture from left to right, or back."""
    y, color, square = rng.uniform(-0.6, 0.6), _plain(rng), bool(rng.integers(2))
    places = np.linspace(-rng.uniform(0.4, 0.75), rng.uniform(0.4, 0.75), frames)
    shown = tuple((Thing((float(x), float(y)), color, square),) for x in places)
    return Plan(shown, (np.arange(frames), np.arange(frames)[::-1]))


def speed(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """There and back once slowly, or twice quickly: each place is shown twice."""
    start, stop = _path(rng)
    color, levels = _plain(rng), frames // 2
    shares = np.repeat(np.arange(levels), 2) / (levels - 1)
    shown = tuple((Thing(_along(start, stop, share), color),) for share in shares)
    once = np.concatenate([np.arange(levels), np.arange(levels)[::-1]])
    there, back = np.arange(0, levels, 2), np.arange(1, levels, 2)[::-1]
    twice = np.tile(np.concatenate([there, back]), 2)
    turn = int(rng.integers(frames))
    return Plan(shown, (_each_once(np.roll(once, turn)), _each_once(np.roll(twice, turn))))


def _each_once(levels: np.ndarray) -> np.ndarray:
    """Frames 2·level and 2·level + 1 for the first and the second time that a level is played."""
    seen: dict[int, int] = {}
    order = []
    for level in levels.tolist():
        order.append(2 * level + seen.get(level, 0))
        seen[level] = seen.get(level, 0) + 1
    return np.array(order)


def count(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """A thing that is there once for long, or twice for half as long."""
    thing, lit = (Thing(_somewhere(rng), _plain(rng)),), frames // 4 * 2
    shown: list[Shown] = [()] * (frames - lit) + [thing] * lit
    dark = frames - lit

    def layout(*blocks: int) -> np.ndarray:
        """Dark and lit frames in turn, ``blocks`` long each."""
        lit_at = np.repeat(np.arange(len(blocks)) % 2, blocks).astype(bool)
        order = np.empty(frames, int)
        order[lit_at] = dark + np.arange(lit)
        order[~lit_at] = np.arange(dark)
        return order

    before = int(rng.integers(1, dark))
    first = int(rng.integers(1, dark - 1))
    gap = int(rng.integers(1, dark - first))
    once = layout(before, lit, dark - before)
    return Plan(tuple(shown), (once, layout(first, lit // 2, gap, lit // 2, dark - first - gap)))


def completed(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """A thing that is brought to its place and stays, or is taken back from it."""
    start, stop = _path(rng)
    color, levels = _plain(rng), frames // 2
    goal = Thing(_along(start, stop, 1.0), (0.1, 0.1, 0.1), True, 0.3, outline=True)
    shares = np.repeat(np.arange(levels), 2) / (levels - 1)
    shown = tuple((goal, Thing(_along(start, stop, share), color)) for share in shares)
    back = np.concatenate([np.arange(levels), np.arange(levels)[::-1]])
    return Plan(shown, (np.arange(frames), _each_once(back)))


def which_turns(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """A red and a blue thing; one of them goes on, the other turns back."""
    half, ranks = frames // 2, np.arange(frames)
    places = np.linspace(-1, 1, frames) * rng.uniform(0.6, 0.75)
    # Sorted by the red thing's place the blue one turns back, and the other way round.
    partner = np.concatenate([ranks[:half], ranks[half:][::-1]])
    red_y, blue_y = (0.4, -0.4) if rng.integers(2) else (-0.4, 0.4)
    flip = -1.0 if rng.integers(2) else 1.0
    shown = tuple(
        (
            Thing((flip * float(places[k]), red_y), RED),
            Thing((flip * float(places[partner[k]]), blue_y), BLUE),
        )
        for k in range(frames)
    )
    return Plan(shown, (np.argsort(partner), ranks))


def _control(rng: np.random.Generator, frames: int, thing: Callable[[int, float], Thing]) -> Plan:
    """The ``thing(class, share of the way)`` at places in any order: each class its own frames."""
    order = rng.permutation(frames)
    shown = tuple((thing(kind, k / (frames - 1)),) for kind in (0, 1) for k in range(frames))
    return Plan(shown, (order, frames + order))


def which_color(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """A red thing or a blue one."""
    start, stop = _path(rng)
    return _control(
        rng, frames, lambda kind, share: Thing(_along(start, stop, share), (RED, BLUE)[kind])
    )


def which_side(rng: np.random.Generator, frames: int, distance: int) -> Plan:
    """A thing that stays in the left half or in the right."""
    color, x = _plain(rng), rng.uniform(0.45, 0.65)
    return _control(
        rng, frames, lambda kind, share: Thing((float((-x, x)[kind]), 1.2 * share - 0.6), color)
    )


PROBES: tuple[Probe, ...] = (
    Probe("which first", "red before blue", "blue before red", which_first, has_distance=True),
    Probe("direction", "crossing to the right", "crossing to the left", direction),
    Probe("speed", "there and back once", "there and back twice", speed),
    Probe("count", "there once", "there twice", count),
    Probe("completed", "brought and left", "brought and taken back", completed),
    Probe("which turns", "red turns back", "blue turns back", which_turns),
    Probe("color", "a red thing", "a blue thing", which_color, static=True),
    Probe("side", "in the left half", "in the right half", which_side, static=True),
)
LABELS: tuple[str, ...] = tuple(label for probe in PROBES for label in (probe.first, probe.second))
