"""What becomes of answers when the frames are reversed: counted by hand, paired with care."""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.evaluation.reversal import ALL_PAIRS, count_flips, match_tables
from gsm_model.figures.reversal import flips_figure
from gsm_model.predictions.table import Predictions, Provenance

NAMES = (
    "Folding something",
    "Unfolding something",
    "Moving something up",
    "Moving something down",
    "Holding something",
)


def table(order, answers, labels=(0, 1, 2, 3, 4)):
    scores = np.eye(len(NAMES), dtype=np.float32)[list(answers)]
    ids = tuple(f"clip {index}" for index in range(len(labels)))
    return Predictions(
        Provenance(NAMES, "GSM", "abc", "five clips", "d", order, "1x1"),
        ids,
        np.array(labels),
        scores,
        ("",) * len(ids),
    )


def test_five_clips_counted_by_hand():
    """Forward 0 1 2 3 4, reversed 1 1 4 2 4: to the reversed class, stays, elsewhere, to the
    reversed class, and one of no pair.
    """
    every, folding, moving = count_flips(
        table("forward", [0, 1, 2, 3, 4]), table("reversed", [1, 1, 4, 2, 4])
    )
    assert (every.group, every.to_reversed_class.n) == (ALL_PAIRS, 4)
    assert (every.to_reversed_class.value, every.stays.value, every.elsewhere.value) == (
        2 / 4,
        1 / 4,
        1 / 4,
    )
    assert folding.group == "Folding something / Unfolding something"
    assert (folding.to_reversed_class.value, folding.stays.value, folding.elsewhere.value) == (
        1 / 2,
        1 / 2,
        0,
    )
    assert (moving.to_reversed_class.value, moving.stays.value, moving.elsewhere.value) == (
        1 / 2,
        0,
        1 / 2,
    )
    assert every.to_reversed_class.low < 0.5 < every.to_reversed_class.high


def test_tables_that_do_not_belong_together_are_refused():
    forward, backward = table("forward", range(5)), table("reversed", range(5))
    other_clips = replace(backward, ids=tuple("abcde"))
    other_model = replace(backward, origin=replace(backward.origin, checkpoint="xyz"))
    for wrong, message in (
        (other_clips, "different clips"),
        (other_model, "of one model"),
        (forward, "a forward and a reversed"),
    ):
        with pytest.raises(DataError, match=message):
            count_flips(forward, wrong)
    no_pair = [replace(t, truth=np.full(5, 4)) for t in (forward, backward)]
    with pytest.raises(DataError, match="no clip is of a class"):
        count_flips(*no_pair)


def test_tables_find_their_counterparts_in_any_order():
    forward, backward = table("forward", range(5)), table("reversed", range(5))
    other = [
        replace(t, origin=replace(t.origin, model="TSN", checkpoint="x"))
        for t in (backward, forward)
    ]
    assert match_tables([backward, *other, forward]) == [(forward, backward), (other[1], other[0])]
    with pytest.raises(DataError, match="GSM on five clips: no table of the order 'reversed'"):
        match_tables([forward])
    with pytest.raises(DataError, match="two tables are of the order 'forward'"):
        match_tables([forward, forward])
    with pytest.raises(DataError, match="the order 'shuffled, seed 0'"):
        match_tables([table("shuffled, seed 0", range(5))])


def test_the_figure_shows_each_share_with_its_interval():
    flips = count_flips(table("forward", [0, 1, 2, 3, 4]), table("reversed", [1, 1, 4, 2, 4]))
    figure = flips_figure([("GSM", flips), ("TSN", flips)])
    [axes] = figure.axes
    assert [label.get_text().split("\n")[0] for label in axes.get_yticklabels()] == [
        ALL_PAIRS,
        "Folding something",
        "Moving something up",
    ]
    for container in axes.containers:
        assert container.lines[0].get_xdata().tolist() == [0.5, 0.5, 0.5]
    assert "4 clips, five clips, 95 % intervals" in axes.get_xlabel()
