"""Pairs of alike classes: found, known, listed; and the decision within one."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from gsm_model.confusion.pairs import (
    found_pairs,
    mutual_confusion,
    read_pairs,
    reversed_class_pairs,
    view_pair,
)
from gsm_model.data.labels import something_something
from gsm_model.errors import DataError
from tests.predictions import make_predictions, of_classes

TRUTH = np.array([0, 0, 0, 0, 1, 1, 2, 2])
HARD = replace(
    make_predictions("A", truth=TRUTH, k=3), likeliest=np.array([0, 1, 1, 2, 0, 1, 2, 2])
)
SOLVED = replace(
    make_predictions("B", truth=TRUTH, k=3), likeliest=np.array([0, 0, 0, 2, 1, 1, 2, 2])
)


def test_mutual_confusion_of_eight_clips_counted_by_hand():
    found = mutual_confusion(HARD)
    np.testing.assert_allclose(found, [[0, 3 / 6, 1 / 6], [3 / 6, 0, 0], [1 / 6, 0, 0]])


def test_pairs_are_found_by_how_often_they_are_mixed_up_and_with_a_second_model_by_what_it_solves():
    assert found_pairs(HARD) == [(0, 1), (0, 2)]
    assert found_pairs(HARD, SOLVED) == [(0, 1)], (
        "both take one clip of the first class for the third"
    )
    assert found_pairs(SOLVED, HARD) == [] and found_pairs(HARD, most=1) == [(0, 1)]


def test_time_reversals_are_known_by_name():
    answers = of_classes(
        make_predictions(truth=[0, 1, 2], k=3),
        ("Folding something", "Holding something", "Unfolding something"),
    )
    assert reversed_class_pairs(answers) == [(0, 2)]
    assert reversed_class_pairs(replace(answers, truth=np.array([1, 1, 1]))) == []


def test_a_list_of_pairs_may_have_names_with_commas_and_stars(tmp_path):
    labels = something_something()
    (tmp_path / "pairs.csv").write_text(
        'Folding something,Unfolding something\n\n"Removing something, revealing something'
        ' behind",Putting something in front of something\nPoking a hole into s*,Poking a hole into'
        " some substance\n"
    )
    found = [(labels[i], labels[j]) for i, j in read_pairs(tmp_path / "pairs.csv", labels)]
    assert found[0] == ("Folding something", "Unfolding something") and len(found) == 3
    assert set(found[2]) == {
        "Poking a hole into some substance",
        "Poking a hole into something soft",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Folding something\n", "line 1 has 1 names"),
        ("Folding something,Flying\n", "line 1: 'Flying' is none of the 174 classes"),
        ("\n", "no pair in it"),
    ],
)
def test_a_list_that_does_not_fit_says_where(tmp_path, content, message):
    (tmp_path / "pairs.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_pairs(tmp_path / "pairs.csv", something_something())


def test_the_decision_within_a_pair_and_where_the_rest_went():
    """8 of 10 and 3 of 10 clips are taken for the first class, 1 of each elsewhere; d′ with half a
    clip added to each cell.
    """
    truth = np.array([0] * 10 + [1] * 10 + [2] * 2)
    predicted = np.array([0] * 8 + [1] + [2] + [0] * 3 + [1] * 6 + [2] + [2, 0])
    view = view_pair(
        replace(make_predictions(truth=truth, k=3, scores=False), likeliest=predicted), (0, 1)
    )
    np.testing.assert_array_equal(view.counts, [[8, 1, 1], [3, 6, 1]])
    hits, false_alarms = norm.ppf(8.5 / 10), norm.ppf(3.5 / 10)
    assert (view.sensitivity, view.bias) == pytest.approx(
        (hits - false_alarms, -(hits + false_alarms) / 2)
    )


def test_with_scores_the_decision_is_between_the_two_alone():
    answers = make_predictions(truth=[0] * 50 + [1] * 50, k=3, skill=1.0)
    view = view_pair(answers, (0, 1))
    first = answers.scores[:, 0] > answers.scores[:, 1]
    rates = [(first[part].sum() + 0.5) / 51 for part in (slice(50), slice(50, None))]
    assert view.sensitivity == pytest.approx(norm.ppf(rates[0]) - norm.ppf(rates[1]))
    assert np.isnan(view_pair(answers, (0, 2)).sensitivity)
