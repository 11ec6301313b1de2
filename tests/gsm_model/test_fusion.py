"""Late fusion: weighted means of logits or probabilities, classes matched by name."""

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.fusion import fuse, parse_weights
from gsm_model.models.card import Card
from gsm_model.predict import Prediction

LABELS = ("a", "b", "c")


def said(logits, labels=LABELS, title="m"):
    card = Card(title, "trained", labels)
    return Prediction(card, "forward", np.arange(1), np.array([logits], np.float32), 0.0)


def softmax(values):
    return np.exp(values) / np.exp(values).sum()


def test_logits_are_averaged_by_weight():
    fused = fuse([said([1, 2, 4], title="RGB"), said([4, 0, 2], title="flow")], (1, 1.5))
    expected = np.array([(1 + 6) / 2.5, 2 / 2.5, (4 + 3) / 2.5])
    np.testing.assert_allclose(fused.scores, expected)
    np.testing.assert_allclose(fused.probabilities, softmax(expected))
    assert fused.name == "RGB + flow" and fused.top(1)[0][1] == "a"
    np.testing.assert_allclose(fused.lead(), [0.4 * (1 - 4), 0.6 * (4 - 2)])


def test_probabilities_are_averaged_too():
    a, b = [1, 2, 4], [4, 0, 2]
    fused = fuse([said(a), said(b)], of="probabilities")
    np.testing.assert_allclose(fused.probabilities, (softmax(a) + softmax(b)) / 2, rtol=1e-6)
    assert fused.probabilities.sum() == pytest.approx(1)


def test_a_model_of_weight_one_and_others_of_zero_answers_alone():
    one = said([1, 2, 4])
    fused = fuse([one, said([9, 0, 0])], (1, 0))
    np.testing.assert_allclose(fused.probabilities, one.probabilities, rtol=1e-6)


def test_classes_are_matched_by_name():
    fused = fuse([said([1, 2, 4]), said([4, 1, 2], ("c", "a", "b"))])
    np.testing.assert_allclose(fused.scores, [1, 2, 4])


def test_weights_are_read():
    assert parse_weights("1:1.5", ["RGB", "flow"]) == (1, 1.5)
    assert parse_weights("default", ["RGB", "flow", "differences"]) == (1, 1.5, 1)


@pytest.mark.parametrize("text", ["1", "1:x", "-1:2", "0:0", "nan:1", "1:2:3"])
def test_weights_that_are_none_are_refused(text):
    with pytest.raises(DataError, match="fusion weights.*such as 1:1.5"):
        parse_weights(text, ["RGB", "flow"])


def test_models_of_other_classes_are_refused():
    with pytest.raises(DataError, match="at least two"):
        fuse([said([1, 2, 3])])
    with pytest.raises(DataError, match="3 classes, m 2"):
        fuse([said([1, 2, 3]), said([1, 2], ("a", "b"))])
    with pytest.raises(DataError, match="not the same"):
        fuse([said([1, 2, 3]), said([1, 2, 3], ("a", "b", "d"))])
