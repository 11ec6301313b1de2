"""Where names stand beside the points of a chart, so that none lies on another or on a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

Place = tuple[float, float]  # across and up, in parts of the plot
Box = tuple[float, float, float, float]  # left, right, bottom, top, in pixels
WIDTHS = (260, 740, 1400)  # pixels of a plot: on a phone, on a desk, on a wide screen
HEIGHT = 330
LETTER, LINE = 6.2, 14  # pixels that a letter takes across, a name up
GAP = 10  # from a point to its name
MARGIN = 20  # pixels that a name may stand out of the plot on the right
# In the order in which they are tried, by where the name is seen from its point.
POSITIONS = {
    "middle left": (-1, 0),
    "middle right": (1, 0),
    "top left": (-1, 1),
    "top right": (1, 1),
    "bottom left": (-1, -1),
    "bottom right": (1, -1),
}


def place_names(
    names: Mapping[str, Place],
    sure: Iterable[str],
    lines: Sequence[tuple[Place, Place]],
    points: Iterable[Place],
) -> dict[str, str]:
    """Plotly's position of each of ``names`` beside its point, the first ones first. One that would
    lie on another or on one of ``lines``, or leave the plot, at any of `WIDTHS`, is left out, but
    for the ``sure`` ones, which stand where they hit least. Of free positions the one is taken
    that covers fewest of ``points``.
    """
    placed: dict[str, str] = {}
    held, crowd = set(sure), list(points)
    for name, at in names.items():
        hits = {}
        for position in POSITIONS:
            box_in = {width: box_of(name, at, position, width) for width in WIDTHS}
            hits[position] = (
                sum(_hits(box, width, names, placed, lines) for width, box in box_in.items()),
                sum(_covered(box, width, crowd) for width, box in box_in.items()),
            )
        best = min(hits, key=lambda position: hits[position])
        if name in held or hits[best][0] == 0:
            placed[name] = best
    return placed


def _hits(
    box: Box,
    width: float,
    names: Mapping[str, Place],
    placed: Mapping[str, str],
    lines: Sequence[tuple[Place, Place]],
) -> int:
    """How many names, lines and borders ``box`` lies on."""
    others = (box_of(other, names[other], where, width) for other, where in placed.items())
    hits = sum(_overlap(box, other) for other in others)
    hits += sum(_crosses(box, line, width) for line in lines)
    return hits + (box[0] < 0 or box[1] > width + MARGIN or box[2] < 0)


def _covered(box: Box, width: float, points: Sequence[Place]) -> int:
    return sum(_overlap(box, _around(point, width)) for point in points)


def box_of(name: str, at: Place, position: str, width: float) -> Box:
    """What ``name`` covers in a plot ``width`` pixels wide."""
    across, up = POSITIONS[position]
    x, y = at[0] * width, at[1] * HEIGHT
    near, far = x + across * GAP, x + across * (GAP + LETTER * len(name))
    middle = y + up * (GAP + LINE) / 2
    return min(near, far), max(near, far), middle - LINE / 2, middle + LINE / 2


def _around(point: Place, width: float) -> Box:
    x, y = point[0] * width, point[1] * HEIGHT
    return x - GAP / 2, x + GAP / 2, y - GAP / 2, y + GAP / 2


def _overlap(one: Box, other: Box) -> bool:
    across = one[0] < other[1] and other[0] < one[1]
    return across and one[2] < other[3] and other[2] < one[3]


def _crosses(box: Box, line: tuple[Place, Place], width: float) -> bool:
    parts = np.linspace(0, 1, 400)[:, None]
    way = ((1 - parts) * line[0] + parts * line[1]) * (width, HEIGHT)
    inside = (way >= (box[0], box[2])) & (way <= (box[1], box[3]))
    return bool(inside.all(axis=1).any())
