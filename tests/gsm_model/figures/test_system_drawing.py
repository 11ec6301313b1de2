"""Every system says what it is about and is drawn: what meets in it meets in the drawing."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gsm_model.evaluation.systems import systems_table
from gsm_model.figures.system_drawing import EARLIER, LATER, in_words, system_drawings
from gsm_model.models.registry import systems

ROOT = Path(__file__).resolve().parents[3]


def lines_of(svg: str) -> dict[str, int]:
    """How many lines of each colour there are."""
    found: dict[str, int] = {}
    for path in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):
        color = path.attrib["stroke"]
        found[color] = found.get(color, 0) + path.attrib["d"].count("M")
    return found


@pytest.mark.parametrize("system", systems().values(), ids=lambda one: one.name)
def test_every_system_has_its_idea_in_three_sentences_its_file_and_a_drawing(system):
    assert re.fullmatch(r"([A-Z][^.]*\.( |$)){3}", system.idea)
    assert (ROOT / system.file).is_file()
    assert system.drawing and len(system_drawings(system)) == len(system.drawing)


def test_frames_are_drawn_where_they_can_be_seen():
    reach = {row["name"]: row["reach"] for row in systems_table() if row["reach"]}
    for name, (back, ahead) in reach.items():
        drawn = [lines_of(svg) for svg in system_drawings(systems()[name])]
        assert any(EARLIER in colors for colors in drawn) == (back > 0), name
        assert any(LATER in colors for colors in drawn) == (ahead > 0), name


@pytest.mark.parametrize(
    ("name", "same", "beside"),
    [
        ("none", 16, 0),  # four channels, each from four
        ("r3d", 16, 16),
        ("tsm", 2 + 16, 1),  # of four channels one from each side, two stay
        ("csn", 3 * 16 + 4, 4),  # each channel from itself alone
        ("gst", 3 * 2 + 2, 2),
    ],
)
def test_a_line_is_drawn_for_everything_that_meets(name, same, beside):
    [svg] = system_drawings(systems()[name])
    found = lines_of(svg)
    assert found.get("currentColor") == same
    assert found.get(EARLIER, 0) == found.get(LATER, 0) == beside


def test_a_drawing_is_said_in_words():
    [branch] = systems()["gst"].drawing
    assert in_words(branch) == (
        "3×3 beside 3×3×3: 3 of 4 from 2 of 4 in t, 1 of 4 from 2 of 4 in t − 1 and t and t + 1"
    )
    [svg] = system_drawings(systems()["gst"])
    assert ElementTree.fromstring(svg).attrib["aria-label"] == in_words(branch)
