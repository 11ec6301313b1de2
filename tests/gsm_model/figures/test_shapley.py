"""What each frame is worth, for print: rounding is no colour."""

import numpy as np

from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.shapley.frames import FrameShapley
from gsm_model.explain.shapley.values import OrderRelations, exact_values
from gsm_model.figures.shapley import shapley_figure
from gsm_model.models.card import Card


def test_relations_that_are_rounding_are_blank_beside_interactions_that_are_not():
    game = exact_values(np.random.default_rng(0).normal(size=4))
    noise = 4e-8 * np.array([[0, 1], [-1, 0]])
    found = FrameShapley(
        Card("TSN", "trained", ("x", "y")),
        Target(0, 1),
        "forward",
        "left out",
        np.array([2, 7]),
        game,
        OrderRelations(noise, noise, noise, 2, True),
        np.zeros(2, np.float32),
        (),
        9.0,
    )
    interactions, relations = (axes.collections[0] for axes in shapley_figure(found).axes[1:3])
    assert interactions.get_array().any() and not relations.get_array().any()
    assert relations.get_clim() == (-1, 1)
