"""The chart of patching holds the effects, its cells can be clicked, and the sentence says when
there is nothing to move.
"""

import numpy as np

from app.components.sentences import patched_most
from app.pages.gates import charts
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.patching.clips import Patching
from gsm_model.models.card import Card

EFFECTS = np.array([[0.1, -0.2, 0.0], [0.3, 0.5, 0.2]])


def patching(before: float, **more) -> Patching:
    card = Card("GSM", "trained", ("x", "y"))
    layers, frames = ("layer1.0", "layer1.1"), np.array([2, 7, 9])
    of = (card, Target(0, 1), "place", "its reversal", frames, layers, before, -2.0)
    return Patching(*of, {"after": EFFECTS}, **more)


def test_exact_effects_stand_in_place_of_estimates_where_they_are_known():
    exact = np.full((2, 3), np.nan)
    exact[1, 1] = 0.9
    heat, cells = charts.patching(patching(3.0, exact={"after": exact}), "after").data
    assert heat.z[1][1] == 0.9 and heat.z[0][1] == -0.2 and heat.zmax == 0.9
    assert len(cells.customdata) == 6 and list(cells.customdata[4]) == [1, 1]


def test_the_sentence_names_the_largest_and_says_when_nothing_moves():
    assert "+0.50, at *layer1\\.1*, frame 7 (estimated)" in patched_most(
        patching(3.0), "after"
    ).replace("*layer1.1*", "*layer1\\.1*")
    assert "there is nothing to move" in patched_most(patching(-2.0), "after")
