"""A system's operator as a drawing: frames side by side with four channels each, time from left to
right, steps from top to bottom, and a line wherever something of the one enters the other.

The drawings are SVG whose ink is that of the text around them, so that they stand on light and on
dark. Earlier and later frames have colours that the colour-blind tell apart; how something enters
is said by the line itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from gsm_model.models.systems.drawing import ALL, CHANNELS, Branch, Link, Step
from gsm_model.models.systems.system import System

EARLIER, SAME, LATER = "#2B8CC4", "currentColor", "#D55E00"
CELL, GAP, FRAME_GAP, ROW_GAP = 13, 3, 22, 62  # pixels
MARGIN, TOP = 16, 24
FRAME = CHANNELS * CELL + (CHANNELS - 1) * GAP
CHARACTER = 6.6  # of a name, about
# Attributes of the lines of each kind.
LINES = {
    "learnt": 'stroke-width="0.9" stroke-opacity="0.85"',
    "moved": 'stroke-width="3"',
    "gated": 'stroke-width="2" stroke-dasharray="6 3"',
    "many gated": 'stroke-width="0.9" stroke-dasharray="5 3" stroke-opacity="0.85"',
    "subtracted": 'stroke-width="2" stroke-dasharray="1.5 3.5"',
}
NAMES = {-1: "t − 1", 0: "t", 1: "t + 1"}
LEGEND = (
    "Four channels stand for all; time runs to the right, steps go down. Blue comes from the"
    " earlier frame, orange from the later one. Thin lines: with learnt weights; thick: moved as it"
    " is; dashed: as far as a gate lets it; dotted: subtracted."
)


def system_drawings(system: System) -> tuple[str, ...]:
    """The drawing of each of ``system``'s branches, whose sum is what it gives, as SVG."""
    return tuple(branch_drawing(branch) for branch in system.drawing)


def in_words(branch: Branch) -> str:
    """What is drawn of ``branch``, for whom a picture says nothing."""
    return "; then ".join(f"{step.name}: {_step_in_words(step)}" for step in branch.steps)


def _step_in_words(step: Step) -> str:
    return ", ".join(map(_link_in_words, step.links)) + (
        ", of all frames of the clip" if step.whole_clip else ""
    )


def _link_in_words(link: Link) -> str:
    which = "all channels" if link.channels == ALL else f"{len(link.channels)} of {CHANNELS}"
    frames = " and ".join(NAMES[far] for far in link.frames)
    if link.kind == "subtracted":
        return f"minus {which} of {frames}"
    if link.kind == "moved":
        return f"{which} of {frames}" + ("" if link.frames == (0,) else " moved here")
    sources = "" if link.sources == ALL else f"{len(link.sources)} of {CHANNELS} in "
    taken = f"from {sources}{frames}" + ("" if link.mixes else ", each from itself alone")
    return f"{which} {taken}" + (" as far as a gate lets it" if link.kind == "gated" else "")


def branch_drawing(branch: Branch) -> str:
    """One branch as SVG of its own size, with the same in words as its name."""
    rows = branch.rows()
    frames = sorted({frame for row in rows for frame in row})
    used = len(frames) * FRAME + (len(frames) - 1) * FRAME_GAP
    width = used + 2 * MARGIN + max(CHARACTER * len(step.name) for step in branch.steps)
    places = {frame: float(MARGIN + k * (FRAME + FRAME_GAP)) for k, frame in enumerate(frames)}
    tops = [TOP + k * (CELL + ROW_GAP) for k in range(len(rows))]
    parts = [_text(NAMES[frame], places[frame] + FRAME / 2, TOP - 8) for frame in rows[0]]
    parts += [_cells(ALL, places[frame], TOP) for frame in rows[0]]
    for number, (step, top) in enumerate(zip(branch.steps, tops, strict=False)):
        above, below = rows[number : number + 2]
        parts += _lines(step, above, below, places, top + CELL)
        reached = tuple(sorted({channel for link in step.links for channel in link.channels}))
        parts += [_cells(reached, places[frame], tops[number + 1]) for frame in below]
        parts.append(_text(step.name, used + 1.5 * MARGIN, top + CELL + ROW_GAP / 2 + 4, "start"))
        if step.whole_clip:
            ends = (MARGIN / 2, used + 1.5 * MARGIN)
            parts += [_text("…", x, top + CELL - 2) for x in ends]
    height = tops[-1] + CELL + 24
    parts.append(_text(f"output at {NAMES[0]}", places[0] + FRAME / 2, height - 6))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}" role="img" aria-label="{escape(in_words(branch))}"'
        ' style="max-width: 100%; height: auto" font-size="12" fill="currentColor">'
        f"{''.join(parts)}</svg>"
    )


def _text(text: str, x: float, y: float, anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _cells(channels: Sequence[int], x: float, y: float) -> str:
    """Those of a frame's channels that there are."""
    return "".join(
        f'<rect x="{x + k * (CELL + GAP):g}" y="{y:g}" width="{CELL}" height="{CELL}" rx="2"'
        ' fill="currentColor" fill-opacity="0.25" stroke="currentColor"/>'
        for k in channels
    )


def _lines(
    step: Step,
    above: tuple[int, ...],
    below: tuple[int, ...],
    places: Mapping[int, float],
    top: float,
) -> Iterator[str]:
    for link in step.links:
        for at in below:
            for far in link.frames:
                if at + far in above:
                    color = SAME if far == 0 else EARLIER if far < 0 else LATER
                    ends = _ends(link, places[at + far], places[at])
                    path = " ".join(f"M{a:g} {top:g}L{b:g} {top + ROW_GAP:g}" for a, b in ends)
                    line = LINES["many gated" if link.mixes and link.kind == "gated" else link.kind]
                    yield f'<path d="{path}" fill="none" stroke="{color}" {line}/>'


def _ends(link: Link, source: float, target: float) -> Iterator[tuple[float, float]]:
    """Where the lines of ``link`` begin and end, from left to right."""
    for channel in link.channels:
        for other in link.sources if link.mixes else (channel,):
            yield (
                source + other * (CELL + GAP) + CELL / 2,
                target + channel * (CELL + GAP) + CELL / 2,
            )
