"""Predictions from every kind of file, and two files put together clip by clip."""

import json

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.predictions.read import read_predictions
from gsm_model.predictions.table import Predictions, Provenance
from gsm_model.predictions.write import write_parquet, write_scores

LABELS = ("Folding something", "Unfolding something", "Holding something")
SCORES = np.array([[3, 1, 0], [0, 2, 1], [0.5, 1.5, 1]], np.float32)


def predictions(errors=("", "", "")):
    origin = Provenance(LABELS, "My GSM", "abc", "my clips", "d", "forward", "1x1")
    return Predictions(origin, ("a", "b", "c"), np.array([0, 1, 2]), SCORES, errors)


def test_a_table_of_predictions_and_a_score_file_say_the_same(tmp_path):
    write_parquet(predictions(), tmp_path / "p.parquet")
    write_scores(predictions(), tmp_path / "s.npz")
    table, scores = (
        read_predictions(tmp_path / "p.parquet"),
        read_predictions(tmp_path / "s.npz", LABELS),
    )
    for found in (table, scores):
        assert (
            found.labels == LABELS
            and found.predicted.tolist() == [0, 1, 1]
            and found.right.tolist() == [True, True, False]
        )
        np.testing.assert_array_equal(found.scores, SCORES)
        assert len(found.sha256) == 64
    assert table.ids == ("a", "b", "c") and not table.numbered and scores.numbered


def test_a_clip_that_was_not_scored_is_left_out(tmp_path):
    write_parquet(predictions(("", "gone", "")), tmp_path / "p.parquet")
    assert read_predictions(tmp_path / "p.parquet").ids == ("a", "c")


@pytest.mark.parametrize(
    "head", ["Folding something,Unfolding something,Holding something", "0,1,2"]
)
def test_csv_with_scores_by_name_or_by_index(tmp_path, head):
    rows = [
        f"{id},{label},{','.join(map(str, row))}"
        for id, label, row in zip("abc", range(3), SCORES, strict=True)
    ]
    (tmp_path / "x.csv").write_text(f"id,label,{head}\n" + "\n".join(rows) + "\n")
    found = read_predictions(tmp_path / "x.csv")
    assert found.labels == (LABELS if "F" in head else ("class 0", "class 1", "class 2"))
    assert found.predicted.tolist() == [0, 1, 1] and found.truth.tolist() == [0, 1, 2]


def test_csv_with_predicted_classes_by_name(tmp_path):
    (tmp_path / "x.csv").write_text(
        "id,label,predicted\n007,Folding something,Unfolding something\n8,Holding something,Holding"
        " something\n"
    )
    found = read_predictions(tmp_path / "x.csv", LABELS)
    assert found.ids == ("007", "8") and found.predicted.tolist() == [1, 2] and found.scores is None
    with pytest.raises(DataError, match="give a label file"):
        read_predictions(tmp_path / "x.csv")


def test_a_submission_is_read_with_the_list_of_its_true_classes(tmp_path):
    (tmp_path / "s.json").write_text(
        json.dumps({"1": ["Unfolding something", "Folding something"], "2": 2})
    )
    listed = [
        {"id": "1", "template": "Folding [something]"},
        {"id": "2", "template": "Holding [something]"},
        {"id": "3", "template": "x"},
    ]
    (tmp_path / "validation.json").write_text(json.dumps(listed))
    found = read_predictions(tmp_path / "s.json", LABELS, tmp_path / "validation.json")
    assert (found.ids, found.truth.tolist(), found.predicted.tolist()) == (
        ("1", "2"),
        [0, 2],
        [1, 2],
    )
    with pytest.raises(DataError, match="does not say the true classes"):
        read_predictions(tmp_path / "s.json", LABELS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "id,label,predicted\na,0,0\na,1,1\n", "more than once, the first is 'a'"),
        ("x.csv", "id,label,predicted\na,0,7\n", "7 is none of the 3 classes"),
        ("x.csv", "id,label,predicted\na,Waving,0\n", "'Waving' is none of the 3 classes"),
        ("x.csv", "id,label,0,1,2\na,0,1,nan,0\n", "some scores are not finite"),
        ("x.csv", "id,label,0,1,2\na,0,1,high,0\n", "some scores are no numbers"),
        ("x.csv", "id,label,0,1\na,0,1,0\n", "2 scores a clip, but 3 class names"),
        ("x.csv", "clip,thing,0,1\na,0,1,0\n", "expected id, label"),
        ("x.csv", "", "not a CSV file that can be read"),
        ("x.npz", "words", "not a score file"),
        ("x.parquet", "words", "not a table of predictions"),
        ("x.txt", "words", "its first line names no column of true classes"),
        (
            "x.bin",
            "words",
            "none of .parquet, .npz, .csv, .tsv, .txt, .pkl, .pickle, .json, .jsonl and .feather",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_fault(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read_predictions(tmp_path / name, LABELS)


def test_an_npz_of_objects_is_not_unpickled(tmp_path):
    np.savez(tmp_path / "x.npz", scores=np.array([{"a": 1}], dtype=object), labels=np.array([0]))
    with pytest.raises(DataError, match="not a score file"):
        read_predictions(tmp_path / "x.npz")
