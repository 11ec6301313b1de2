"""Two files of predictions put together clip by clip."""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.predictions.join import join_predictions
from tests.predictions import make_predictions, of_classes


def classes(*labels):
    return of_classes(make_predictions("B"), labels).origin


def test_files_are_joined_by_id_whatever_their_order_and_what_is_missing_is_counted():
    a = make_predictions("A", n=6)
    b = make_predictions("B", n=6, seed=4).take(np.array([5, 3, 1, 0]))
    paired = join_predictions(a, b)
    assert paired.a.ids == paired.b.ids == ("clip 0", "clip 1", "clip 3", "clip 5")
    np.testing.assert_array_equal(paired.b.scores, b.scores[[3, 2, 1, 0]])
    assert (paired.only_in_a, paired.only_in_b) == (2, 0)


def test_without_ids_the_true_classes_must_be_the_same_in_the_same_order():
    a, b = (
        make_predictions("A", n=5),
        replace(make_predictions("B", n=5, seed=3), numbered=True, ids=tuple("01234")),
    )
    assert join_predictions(a, b).b is b
    with pytest.raises(DataError, match="not the same in the same order"):
        join_predictions(a, b.take(np.array([1, 0, 2, 3, 4])))


def test_the_same_classes_in_another_order_are_joined_by_name():
    a, b = make_predictions("A", n=30), make_predictions("B", n=30, seed=4)
    order = np.array([3, 0, 6, 1, 2, 5, 4])  # of b's classes in its own file
    place = np.argsort(order)
    moved = replace(
        of_classes(b, [b.labels[index] for index in order]),
        truth=place[b.truth],
        scores=b.scores[:, order],
        likeliest=place[b.predicted],
    )
    paired = join_predictions(a, moved)
    np.testing.assert_array_equal(paired.b.scores, b.scores)
    np.testing.assert_array_equal(paired.b.predicted, b.predicted)
    assert paired.b.labels == a.labels


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"origin": classes("a", "b")}, "7 classes, B.parquet has 2"),
        ({"origin": classes(*"abcdefg")}, "class 0 is 'class 0' in A.parquet and 'a'"),
        ({"ids": tuple("vwxyz")}, "no clip in common"),
        ({"truth": np.array([6, 6, 6, 6, 6])}, "have another true class"),
    ],
)
def test_answers_that_do_not_belong_together_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        join_predictions(make_predictions("A", n=5), replace(make_predictions("B", n=5), **change))
