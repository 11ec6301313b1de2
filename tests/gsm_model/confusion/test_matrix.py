"""Matrices against scikit-learn's, on random answers and on every kind of degenerate ones."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import confusion_matrix, top_k_accuracy_score

from gsm_model.confusion.matrix import confusion, expected_confusion, topk_confusion
from gsm_model.errors import DataError
from tests.predictions import make_predictions

CASES = {
    "random": make_predictions(),
    "a class without clips": make_predictions(truth=[0, 1, 1, 5, 5]),
    "one clip": make_predictions(truth=[3]),
    "a perfect model": make_predictions(skill=50.0),
    "a class that is never the answer": make_predictions(skill=-50.0, k=2),
    "a thousand classes": make_predictions(n=3000, k=1000),
    "the size of Something-Something V2's validation set": make_predictions(n=24_777, k=174),
}


@pytest.mark.parametrize("answers", CASES.values(), ids=CASES)
@pytest.mark.parametrize("normalise", ["none", "true", "predicted", "all"])
def test_counts_and_shares_are_scikit_learns(answers, normalise):
    k = len(answers.labels)
    wanted = {"none": None, "true": "true", "predicted": "pred", "all": "all"}[normalise]
    expected = confusion_matrix(answers.truth, answers.predicted, labels=range(k), normalize=wanted)
    np.testing.assert_array_equal(confusion(answers, normalise), expected)
    assert np.isfinite(confusion(answers, normalise)).all()


@pytest.mark.parametrize("answers", CASES.values(), ids=CASES)
def test_the_true_class_is_among_the_likeliest_as_often_as_scikit_learn_says(answers):
    k = len(answers.labels)
    for top in {1, min(3, k), k}:
        counts = topk_confusion(answers, top)
        assert counts.sum() == top * len(answers.ids)
        if k > 2 and top < k:
            expected = top_k_accuracy_score(
                answers.truth, answers.scores, k=top, labels=range(k), normalize=False
            )
            assert np.trace(counts) == expected
    np.testing.assert_array_equal(topk_confusion(answers, 1), confusion(answers))


@pytest.mark.parametrize("answers", CASES.values(), ids=CASES)
def test_expected_confusion_is_the_mean_probability_by_true_class(answers):
    found, p = expected_confusion(answers), softmax(answers.scores.astype(np.float64), axis=1)
    for label in np.unique(answers.truth)[:20]:
        np.testing.assert_allclose(found[label], p[answers.truth == label].mean(0), rtol=1e-9)
    empty = np.setdiff1d(np.arange(len(answers.labels)), answers.truth)
    assert not found[empty].any()


def test_without_scores_there_are_no_probabilities():
    for compute in (expected_confusion, lambda answers: topk_confusion(answers, 2)):
        with pytest.raises(DataError, match="only the predicted classes"):
            compute(make_predictions(scores=False))
    with pytest.raises(ValueError, match="the 9 likeliest of 7"):
        topk_confusion(make_predictions(), 9)
