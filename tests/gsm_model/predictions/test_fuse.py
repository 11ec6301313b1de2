"""Late fusion of tables: means by weight, clips and classes matched by name, what differs said."""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.predictions.fuse import fuse_predictions, parse_weights, weight_shares
from gsm_model.predictions.table import softmax
from tests.predictions import make_predictions, of_classes

RGB, FLOW = (make_predictions(name, n=6, k=3, seed=seed) for seed, name in enumerate("AB"))


def test_logits_are_averaged_clip_by_clip_by_weight():
    fused = fuse_predictions([RGB, FLOW], (1, 1.5))
    np.testing.assert_allclose(
        fused.table.scores, 0.4 * RGB.scores + 0.6 * FLOW.scores, rtol=1e-6, atol=1e-6
    )
    assert fused.table.ids == RGB.ids and fused.left_out == (0, 0)
    assert fused.table.model == "A + B (logits 1:1.5)" and fused.table.source == ""


def test_of_probabilities_the_logarithms_of_their_means_are_the_scores():
    table = fuse_predictions([RGB, FLOW], of="probabilities").table
    expected = (softmax(RGB.scores) + softmax(FLOW.scores)) / 2
    np.testing.assert_allclose(np.exp(table.scores), expected, rtol=1e-5)
    assert table.origin.average == "probabilities"


def test_clips_and_classes_are_matched_by_name_and_what_not_all_have_is_counted():
    rows = np.array([4, 0, 2])
    names = ("class 2", "class 0", "class 1")
    turned = FLOW.in_order_of(names).take(rows)
    third = make_predictions("C", n=6, k=3, seed=5).take(np.array([0, 1, 2, 5]))
    fused = fuse_predictions([RGB, turned, third])
    assert fused.table.ids == ("clip 0", "clip 2") and fused.left_out == (4, 1, 2)
    np.testing.assert_allclose(
        fused.table.scores, (RGB.scores[[0, 2]] + FLOW.scores[[0, 2]] + third.scores[[0, 2]]) / 3,
        rtol=1e-6,
    )  # fmt: skip
    assert [part.model for part in fused.parts] == ["A", "B", "C"]


def test_a_caution_of_one_is_the_fused_tables_too():
    doubtful = replace(FLOW, origin=replace(FLOW.origin, caution="untrained", checkpoint="f00"))
    origin = fuse_predictions([RGB, doubtful]).table.origin
    assert origin.caution == "untrained" and origin.checkpoint == "unknown + f00"


def test_what_cannot_be_fused_is_refused():
    backwards = replace(FLOW, origin=replace(FLOW.origin, order="reversed"))
    with pytest.raises(DataError, match=r"A\.parquet has its frames forward, B\.parquet reversed"):
        fuse_predictions([RGB, backwards])
    with pytest.raises(DataError, match="class 0 is"):
        fuse_predictions([RGB, of_classes(FLOW, ("x", "y", "z"))])
    with pytest.raises(DataError, match="needs a score"):
        fuse_predictions([RGB, make_predictions("C", n=6, k=3, scores=False)])
    with pytest.raises(DataError, match="at least two"):
        fuse_predictions([RGB])
    with pytest.raises(DataError, match="fusion weights '1:-1'"):
        fuse_predictions([RGB, FLOW], parse_weights("1:-1", 2))


def test_weights_count_by_their_ratio_however_large_or_small():
    np.testing.assert_allclose(weight_shares((1e308, 1.5e308), 2), (0.4, 0.6))
    np.testing.assert_allclose(weight_shares((1e-320, 1e-320), 2), (0.5, 0.5))
