"""People who raise an arm: the hand goes up, whatever the arm does on its way."""

import numpy as np
import pytest

from gsm_model.data.randomised.chance import STYLE, Clutter
from gsm_model.data.randomised.limbs import raise_arm
from gsm_model.data.randomised.parts import Thing

ENDS = np.array([0.0, 1.0])


@pytest.mark.parametrize("seed", range(30))
def test_the_hand_ends_higher_than_it_was_and_the_body_stays(seed):
    body, *limbs = raise_arm(Clutter(np.random.default_rng(seed), STYLE, 1.0)).parts
    assert isinstance(body, Thing) and body.role == "background"
    height = body.size(ENDS)[0, 1]
    assert len(limbs) % 3 == 0, "an upper arm, a forearm and a hand"
    for hand in limbs[2::3]:
        assert isinstance(hand, Thing) and hand.role == "actor"
        start, end = hand.at(ENDS)[:, 1] - body.at(ENDS)[:, 1]
        assert end < start - 0.2 * height
