"""Confident learning: a case worked out by hand, and the list of the authors' own package."""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.confusion.label_errors import find_label_errors, label_error_rows
from gsm_model.errors import DataError
from tests.predictions import make_predictions


def of_two_classes(first, labels):
    """Six clips with these probabilities of the first of two classes."""
    p = np.array([first, 1 - np.array(first)]).T
    made = make_predictions(n=len(first), k=2, truth=labels)
    return replace(made, scores=np.log(p).astype(np.float32))


LABELS = [0, 0, 0, 1, 1, 1]


def test_two_of_six_labels_are_wrong():
    found = find_label_errors(of_two_classes([0.9, 0.8, 0.1, 0.2, 0.3, 0.95], LABELS))
    # Mean probabilities of the label: (0.9 + 0.8 + 0.1) / 3 and (0.8 + 0.7 + 0.05) / 3.
    np.testing.assert_allclose(found.thresholds, [0.6, 0.51667], atol=1e-4)
    # Margins of 0.05 − 0.95 and 0.1 − 0.9.
    assert found.rows.tolist() == [5, 2] and found.suggested.tolist() == [0, 1]
    np.testing.assert_allclose(found.given, [0.05, 0.1], atol=1e-6)
    np.testing.assert_allclose(found.instead, [0.95, 0.9], atol=1e-6)
    np.testing.assert_allclose(found.joint, np.array([[2, 1], [1, 2]]) / 6)
    assert found.share == pytest.approx(1 / 3)


def test_a_clip_that_the_model_is_unsure_of_is_no_error():
    found = find_label_errors(of_two_classes([0.9, 0.8, 0.4, 0.2, 0.3, 0.1], LABELS))
    # The third is likelier of the second class, but 0.6 is below that class's mean of 0.8.
    assert found.rows.tolist() == [] and found.share == 0


def test_the_list_is_cleanlabs():
    made = make_predictions(n=80, k=4, seed=5, skill=2.0)
    labels = made.truth.copy()
    labels[:8] = (labels[:8] + 1) % 4
    found = find_label_errors(replace(made, truth=labels))
    # cleanlab 2.9.0, find_label_issues(filter_by="confident_learning",
    # return_indices_ranked_by="normalized_margin")
    assert found.rows.tolist() == [0, 7, 4, 5, 46, 6, 49, 48]


def test_a_class_without_clips_is_suggested_of_none():
    made = make_predictions(n=60, k=5, seed=1, skill=1.0, truth=np.arange(60) % 4)
    found = find_label_errors(made)
    assert found.thresholds[4] == np.inf and 4 not in found.suggested
    assert found.joint[4].sum() == 0 and found.joint.sum() == pytest.approx(1)
    with pytest.raises(DataError, match="finding label errors needs a score"):
        find_label_errors(make_predictions(scores=False))


def test_what_both_models_say_comes_first():
    a = of_two_classes([0.9, 0.8, 0.1, 0.2, 0.3, 0.95], LABELS)
    b = of_two_classes([0.9, 0.8, 0.05, 0.2, 0.3, 0.1], LABELS)
    rows = label_error_rows([a, b], [find_label_errors(one) for one in (a, b)])
    assert [(row["clip"], row["agreed"]) for row in rows] == [("clip 2", True), ("clip 5", False)]
    assert rows[0]["label"] == "class 0" and rows[0]["suggested_b"] == "class 1"
    assert rows[1]["suggested_b"] == "" and rows[1]["p_label_b"] is None
    [first, _] = label_error_rows([a], [find_label_errors(a)])
    assert first["clip"] == "clip 5" and "agreed" not in first
