"""Tables as other programs write them: lists in a cell, records, columns of pandas; and numbers
that could be read in two ways.
"""

import json
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from gsm_model.errors import DataError
from gsm_model.predictions.read import read_predictions

N, NAMES = 30, ("a", "b", "c")
TRUTH = np.arange(N) % 3
SCORES = (np.random.default_rng(0).normal(size=(N, 3)) + 3 * np.eye(3)[TRUTH]).round(3)
PROBABILITIES = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
PREDICTED = SCORES.argmax(1)
RECORDS = [
    {"id": f"v{at}", "label": NAMES[TRUTH[at]], "predicted": NAMES[PREDICTED[at]]}
    for at in range(N)
]


def table(head, cells):
    rows = (f"v{at},{NAMES[TRUTH[at]]},{','.join(cells(at))}\n" for at in range(N))
    return f"id,label,{head}\n" + "".join(rows)


def read(tmp_path, content, name="t.csv", labels=NAMES):
    path = tmp_path / name
    if callable(content):
        content(path)
    else:
        path.write_text(content)
    return read_predictions(path, labels)


def right(found):
    predicted = found.scores.argmax(1) if found.likeliest is None else found.likeliest
    assert found.truth.tolist() == TRUTH.tolist() and predicted.tolist() == PREDICTED.tolist()
    return " ".join(found.notes)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.json", lambda path: path.write_text(json.dumps(RECORDS))),
        ("t.jsonl", lambda path: path.write_text("\n".join(map(json.dumps, RECORDS)))),
        ("t.parquet", lambda path: pa.parquet.write_table(pa.Table.from_pylist(RECORDS), path)),
        ("t.feather", lambda path: pa.feather.write_feather(pa.Table.from_pylist(RECORDS), path)),
    ],
)
def test_records_and_columns_of_other_programs_are_tables(tmp_path, name, write):
    found = read(tmp_path, write, name)
    assert right(found) == "" and found.ids[:2] == ("v0", "v1")


def test_scores_in_one_cell_are_a_list(tmp_path):
    assert right(read(tmp_path, table("scores", lambda at: [f'"{SCORES[at].tolist()}"']))) == ""
    spaced = table("logits", lambda at: [str(SCORES[at])])
    assert right(read(tmp_path, spaced)) == ""
    lists = [{"label": int(TRUTH[at]), "scores": SCORES[at].tolist()} for at in range(N)]
    assert right(read(tmp_path, json.dumps(lists), "t.json")) == ""
    cut = spaced.replace(str(SCORES[5]), "[0.1 ... 3.2 7 8]")
    with pytest.raises(DataError, match="cut short when it was written"):
        read(tmp_path, cut)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            lambda at: [f"{100 * p:.3f}%" for p in PROBABILITIES[at]],
            "probabilities that sum to 100",
        ),
        (lambda at: [f"{-np.log(p):.4f}" for p in PROBABILITIES[at]], "negative logarithms"),
        (lambda at: [f"{s:.3f}" for s in SCORES[at]], ""),
    ],
)
def test_what_scores_are_is_read_off_all_of_them(tmp_path, cells, said):
    notes = right(read(tmp_path, table("a,b,c", cells)))
    assert said in notes and bool(said) == bool(notes)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (lambda at: map(str, (-SCORES[at]).argsort().argsort()), r"are ranks \(0 to 2 in every"),
        (lambda at: [f'"{1234 + 1000 * s:,.0f}"' if s > 0 else "7" for s in SCORES[at]],
         "decimal commas or commas between thousands"),
    ],
)  # fmt: skip
def test_numbers_of_two_meanings_are_asked_about(tmp_path, cells, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, table("a,b,c", cells))


def test_classes_counted_from_1_are_known_by_the_last(tmp_path):
    rows = "".join(f"v{at},{TRUTH[at] + 1},{PREDICTED[at] + 1}\n" for at in range(N))
    assert "from 1" in right(read(tmp_path, "id,label,predicted\n" + rows))
    with pytest.raises(DataError, match="none of the 3 classes"):
        read(tmp_path, "id,label,predicted\nv,0,1\n" + rows)
    write = lambda path: np.savez(path, logits=SCORES, targets=TRUTH + 1)  # noqa: E731
    assert "from 1" in right(read(tmp_path, write, "t.npz"))


@pytest.mark.parametrize(
    "truth", [np.eye(3)[TRUTH], np.array(NAMES)[TRUTH], TRUTH[:, None], TRUTH.astype(float)]
)
def test_true_classes_of_score_files_in_any_shape(tmp_path, truth):
    right(
        read(tmp_path, lambda path: np.savez(path, scores=SCORES[:, None], labels=truth), "t.npz")
    )


def test_pickles_of_several_true_classes_are_refused_and_ids_are_read(tmp_path):
    def write(value):
        return lambda path: path.write_bytes(pickle.dumps(value))

    both = np.eye(3)[TRUTH]
    both[0] = 1
    with pytest.raises(DataError, match="several true classes or none"):
        read(tmp_path, write([SCORES, both]), "t.pkl")
    ids = [f"v{at}" for at in range(N)]
    found = read(tmp_path, write({"preds": SCORES, "labels": TRUTH, "ids": ids}), "t.pkl")
    assert found.ids == tuple(ids)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "v0,a,a\nv1,b,b\n", "its columns begin with v0, a, a; expected id, label"),
        ("t.txt", "v0 0 0\n", "its first line names no column of true classes"),
        ("t.json", "[1, 2]", "neither a submission, .* nor a list of objects"),
        ("t.xlsx", "PK", "none of .parquet, .npz"),
    ],
)
def test_what_is_missing_is_said(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, content, name)
