"""Calibration against scikit-learn's curve and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve

from gsm_model.confusion.calibration import reliability
from gsm_model.errors import DataError
from tests.predictions import make_predictions


@pytest.mark.parametrize("skill", [0.5, 3.0])
@pytest.mark.parametrize("bins", [5, 15])
def test_the_curve_is_scikit_learns_and_the_error_its_mean_gap(skill, bins):
    answers = make_predictions(n=2000, skill=skill)
    found = reliability(answers, bins)
    sure = softmax(answers.scores.astype(np.float64), axis=1).max(1)
    accuracy, confidence = calibration_curve(answers.right, sure, n_bins=bins)
    np.testing.assert_allclose(found.confidence, confidence)
    np.testing.assert_allclose([share.value for share in found.accuracy], accuracy)
    sizes = [share.n for share in found.accuracy]
    assert sum(sizes) == 2000 and found.error == pytest.approx(
        np.average(np.abs(accuracy - confidence), weights=sizes)
    )


def test_a_model_that_is_always_sure_and_right_half_the_time_is_off_by_half():
    scores = np.zeros((10, 2), np.float32)
    scores[:, 0] = 100
    answers = replace(
        make_predictions(truth=[0] * 5 + [1] * 5, k=2),
        scores=scores,
        likeliest=np.zeros(10, np.int64),
    )
    found = reliability(answers)
    assert (
        found.error == pytest.approx(0.5)
        and found.confidence.tolist() == [1.0]
        and found.accuracy[0].n == 10
    )


def test_without_scores_there_is_no_confidence():
    with pytest.raises(DataError, match="confidence needs a score"):
        reliability(make_predictions(scores=False))
