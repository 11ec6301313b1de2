"""Score files of other projects, as their programs write them."""

import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch

from gsm_model.errors import DataError
from gsm_model.predictions.read import read_predictions

RNG = np.random.default_rng(0)
N, K = 14, 3
TRUTH = RNG.integers(K, size=N)
SCORES = RNG.normal(size=(N, K)).astype(np.float32)
SEGMENTS = SCORES[:, None, None] + RNG.normal(size=(N, 5, 1, K)).astype(np.float32)


def pairs():
    """As ``np.savez`` packs the TSN tester's list of (scores, label)."""
    found = np.empty((N, 2), dtype=object)
    for row in range(N):
        found[row, 0], found[row, 1] = SEGMENTS[row], int(TRUTH[row])
    return found


def mmaction(score, label, index):
    """The dicts of mmaction2's versions."""
    return (
        {"pred_score": torch.tensor(score), "gt_label": torch.tensor([label])},
        {
            "pred_scores": {"item": torch.tensor(score)},
            "gt_labels": {"item": torch.tensor([label])},
        },
        {
            "pred_score": score,
            "gt_label": label,
            "frame_dir": f"clips/{index}",
            "img_shape": (2, 3),
        },
        OrderedDict(pred_score=score.tolist(), gt_label=[int(label)]),
    )


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "content",
    [
        [torch.tensor(SCORES), torch.tensor(TRUTH)],
        (SCORES, TRUTH),
        [SCORES.tolist(), TRUTH.tolist()],
        [torch.tensor(SCORES).half().float(), torch.tensor(TRUTH)[:, None]],
        {"scores": SCORES, "labels": TRUTH},
    ],
)
def test_slowfasts_scores_and_labels(tmp_path, content, protocol):
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content, protocol))
    found = read_predictions(tmp_path / "x.pkl", ("a", "b", "c"))
    np.testing.assert_allclose(found.scores, SCORES, atol=1e-2)
    assert found.truth.tolist() == TRUTH.tolist() and found.numbered
    assert found.predicted.tolist() == SCORES.argmax(1).tolist()


@pytest.mark.parametrize("version", range(4))
def test_mmactions_dump_old_and_new(tmp_path, version):
    content = [
        mmaction(score, label, index)[version]
        for index, (score, label) in enumerate(zip(SCORES, TRUTH, strict=True))
    ]
    (tmp_path / "x.pickle").write_bytes(pickle.dumps(content))
    found = read_predictions(tmp_path / "x.pickle")
    np.testing.assert_array_equal(found.scores, SCORES)
    assert found.truth.tolist() == TRUTH.tolist() and found.labels[2] == "class 2"
    assert found.ids[3] == ("clips/3" if version == 2 else "3")


def test_the_tsn_testers_scores_are_averaged_over_segments(tmp_path):
    np.savez(tmp_path / "pairs.npz", scores=pairs(), labels=TRUTH)
    np.savez(tmp_path / "plain.npz", scores=SEGMENTS, labels=TRUTH)
    np.savez(tmp_path / "objects.npz", scores=pairs(), labels=TRUTH.astype(object))
    for name in ("pairs.npz", "plain.npz", "objects.npz"):
        found = read_predictions(tmp_path / name)
        np.testing.assert_allclose(found.scores, SEGMENTS.mean((1, 2)), rtol=1e-5)
        assert found.truth.tolist() == TRUTH.tolist()
        assert found.notes == ("the 5 scores a clip are averaged",)
    np.savez(tmp_path / "other.npz", scores=pairs(), labels=(TRUTH + 1) % K)
    with pytest.raises(DataError, match="other.npz: has other true classes in 'scores'"):
        read_predictions(tmp_path / "other.npz")


def test_probabilities_of_many_views_are_said(tmp_path):
    p = 30 * np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)
    (tmp_path / "x.pkl").write_bytes(pickle.dumps([p, TRUTH]))
    found = read_predictions(tmp_path / "x.pkl")
    odds = np.exp(found.scores)
    np.testing.assert_allclose(odds / odds.sum(1, keepdims=True), p / 30, rtol=1e-4)
    assert "probabilities that sum to 30" in found.notes[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([score for score in SCORES], "scores without true classes"),
        ([{"pred_score": score} for score in SCORES], "have no true class"),
        ([{"pred_score": SCORES[0], "gt_label": [0, 2]}], "several true classes"),
        ([{"pred_score": SCORES[0], "gt_label": [0.5]}], "not a pickle of scores"),
        ([{"pred_score": SCORES[0], "gt_label": 9}], "labels outside 0 to 2"),
        ([SCORES, TRUTH[:-1]], "do not fit"),
        ([SCORES, TRUTH + 0.5], "do not fit"),
        ([SCORES * np.nan, TRUTH], "not finite"),
        ([SCORES[:, :2], TRUTH], "2 classes, but 3 labels|outside"),
        ({"a": 1}, "not a pickle of scores"),
        ("text", "not a pickle of scores"),
        ([], "not a pickle of scores"),
        (None, "not a pickle of scores"),
    ],
)
def test_other_pickles_are_refused_in_words(tmp_path, content, message):
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=f"x.pkl: .*({message})"):
        read_predictions(tmp_path / "x.pkl", ("a", "b", "c"))
