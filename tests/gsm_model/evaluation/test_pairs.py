"""The direction of time, counted by hand on five clips of two pairs and of none."""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.evaluation.pairs import pair_accuracies
from tests.gsm_model.evaluation.test_reversal import NAMES, table

# Rows are clips of the classes 0 to 4; the last is of no pair.
AHEAD = [[3, 1, 0, 0, 9], [2, 1, 0, 0, 0], [0, 5, 3, 1, 0], [0, 0, 1, 2, 0], [0, 0, 0, 0, 1]]
BACK = [[1, 3, 0, 0, 0], [2, 1, 0, 0, 0], [0, 0, 2, 1, 0], [0, 0, 2, 1, 9], [0, 0, 0, 0, 1]]


def tables(ahead, back):
    return [
        replace(table(order, range(5)), scores=np.array(scores, np.float32))
        for order, scores in (("forward", ahead), ("reversed", back))
    ]


def test_five_clips_counted_by_hand():
    every, folding, moving = pair_accuracies(*tables(AHEAD, BACK))
    assert [m.value for m in every.measures()] == [3 / 4, 3 / 4, 2 / 4, 2 / 4, 3 / 4]
    # Clip 0 is right both ways; clip 1 forward wrong, reversed right.
    assert [m.value for m in folding.measures()] == [1 / 2, 1, 1 / 2, 1 / 2, 1]
    # Clip 2's class beats its reversal but not another pair's class; reversed it stays.
    assert [m.value for m in moving.measures()] == [1, 1 / 2, 1 / 2, 1 / 2, 1 / 2]
    assert folding.group == f"{NAMES[0]} / {NAMES[1]}" and folding.forward.n == 2
    assert every.both == measure_share("within pair, both", 2, 4, "five clips")


def test_what_does_not_see_the_order_is_never_right_both_ways():
    blind = np.random.default_rng(0).random((5, 5))
    every = pair_accuracies(*tables(blind, blind))[0]
    assert every.both.value == 0 and every.forward.value + every.reversed.value == 1


def test_tables_that_do_not_belong_together_are_refused():
    forward, backward = tables(AHEAD, BACK)
    with pytest.raises(DataError, match="a forward and a reversed"):
        pair_accuracies(forward, forward)
    with pytest.raises(DataError, match="different clips"):
        pair_accuracies(forward, replace(backward, ids=tuple("abcde")))
    with pytest.raises(DataError, match="no clip is of a class"):
        pair_accuracies(*(replace(one, truth=np.full(5, 4)) for one in (forward, backward)))
