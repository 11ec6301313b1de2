"""The large files of random answers: their size, and every number on them against independent
ones.
"""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from gsm_model.confusion.fixture import CLIPS, random_predictions
from gsm_model.confusion.matrix import confusion
from gsm_model.confusion.significance import class_groups, compare
from gsm_model.predictions.join import join_predictions
from gsm_model.predictions.read import read_predictions
from gsm_model.predictions.write import write_parquet


@pytest.fixture(scope="module")
def paired(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    for seed, name in enumerate("ab"):
        write_parquet(random_predictions(name, seed, 2.0 + seed), folder / f"{name}.parquet")
    return join_predictions(*(read_predictions(folder / f"{name}.parquet") for name in "ab"))


def test_it_is_as_large_as_a_validation_set_says_that_it_is_random_and_is_the_same_each_time(
    paired,
):
    assert (len(paired.a.ids), len(paired.a.labels)) == (CLIPS, 174) and paired.a.data.startswith(
        "random numbers"
    )
    np.testing.assert_array_equal(paired.a.scores, random_predictions("a", 0).scores)
    assert np.ptp(np.bincount(paired.a.truth, minlength=174)) > 100, (
        "classes are unequal in number, as real ones are"
    )


def test_its_matrix_and_accuracies_are_scikit_learns(paired):
    for model in (paired.a, paired.b):
        np.testing.assert_array_equal(
            confusion(model), confusion_matrix(model.truth, model.predicted, labels=range(174))
        )
    whole, *classes = compare(paired, class_groups(paired))
    assert whole.accuracy_a == pytest.approx(accuracy_score(paired.a.truth, paired.a.predicted))
    assert sum(row.n for row in classes) == whole.n == CLIPS
    assert sum(row.only_b_right for row in classes) == whole.only_b_right
