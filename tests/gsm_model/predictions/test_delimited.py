"""Tables as people and spreadsheets write them: what was meant comes back, whatever the names,
separators, encodings and columns; else a message.
"""

import csv
import io
import random

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.predictions.delimited import ROLES
from gsm_model.predictions.read import read_predictions
from tests.fuzz_tables import fuzz

# Names that other readers take for numbers, truth values, gaps or dates.
NAMES = (
    ("1E1", "1E2", "2E1", "2E2"),
    ("true", "false"),
    ("True", "False", "None"),
    ("001", "01", "1"),
    ("NA", "N/A", "nan", "null"),
    ("1.0", "1", "1.00"),
    ("inf", "-inf", "+1"),
    ("1", "2", "3", "4"),
    ("2", "0", "1"),
    ("2020-01-02", "01/02/2020", "1:30"),
    ("a, b", 'say "x"', "semi;colon", "pipe|tab"),
    ("label", "id", "predicted"),
    ("折叠", "展开", "T恤"),
    ("Fermé", "Ouvert", "-"),
)


def table(head, rows, separator=","):
    file = io.StringIO()
    csv.writer(file, delimiter=separator, lineterminator="\n").writerows([head, *rows])
    return file.getvalue()


def read(tmp_path, text, labels=None, name="x.csv", encoding="utf-8"):
    (tmp_path / name).write_bytes(text.encode(encoding))
    return read_predictions(tmp_path / name, labels)


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_predicted_classes_are_read_by_name_in_any_layout(tmp_path, names, seed):
    draw = random.Random(f"{names} {seed}")
    n = draw.randint(2, 40)
    truth, predicted = ([draw.randrange(len(names)) for _ in range(n)] for _ in range(2))
    columns = {
        draw.choice(ROLES["id"][:8]): [f"v{i}" for i in range(n)],
        draw.choice(ROLES["truth"][:9]): [names[i] for i in truth],
        draw.choice(ROLES["predicted"][:6]): [names[i] for i in predicted],
    }
    heads = draw.sample(list(columns), 3)
    rows = list(zip(*(columns[head] for head in heads), strict=True))
    heads = [draw.choice([head, head.upper(), f" {head.title()} "]) for head in heads]
    text = table(heads, rows, draw.choice(",;\t|"))
    encoding = draw.choice(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
    found = read(tmp_path, text, names, draw.choice(["x.csv", "x.CSV", "x.tsv", "x.txt"]), encoding)
    assert found.truth.tolist() == truth and found.predicted.tolist() == predicted
    assert found.ids == tuple(f"v{i}" for i in range(n)) and found.labels == names


@pytest.mark.parametrize("names", NAMES[:-1])
@pytest.mark.parametrize("seed", range(3))
def test_scores_are_read_by_the_name_of_their_column_in_any_layout(tmp_path, names, seed):
    draw = random.Random(f"{names} {seed}")
    n, k, separator = draw.randint(1, 30), len(names), draw.choice(",;\t|")
    truth = [draw.randrange(k) for _ in range(n)]
    scores = np.round(np.random.default_rng(seed).normal(size=(n, k)), 3)
    columns = {"id": [f"v{i}" for i in range(n)], "label": [names[i] for i in truth]}
    if {"id", "label"} & set(names):
        columns = {"clip_id": columns["id"], "ground truth": columns["label"]}
    comma = separator != "," and draw.random() < 0.5
    for index, name in enumerate(names):
        columns[name] = [str(v).replace(".", "," if comma else ".") for v in scores[:, index]]
    heads = draw.sample(list(columns), len(columns))
    rows = zip(*(columns[head] for head in heads), strict=True)
    found = read(tmp_path, table(heads, rows, separator), names)
    assert found.truth.tolist() == truth and found.labels == names
    np.testing.assert_allclose(found.scores, scores, rtol=1e-6)
    assert any("decimal commas" in note for note in found.notes) == comma


@pytest.mark.parametrize(
    ("names", "truth", "predicted", "expected", "said"),
    [
        (("1", "2", "3", "4"), "1 2 3", "1 2 1", ([0, 1, 2], [0, 1, 0]), "taken by name"),
        (("1", "2", "3", "4"), "0 1 2", "0 1 3", ([0, 1, 2], [0, 1, 3]), "places in the list"),
        (("1", "2", "3", "4"), "1 2 3", "0 1 2", ([1, 2, 3], [0, 1, 2]), "places in the list"),
        (("1", "2", "10"), "1 2 10", "10 2 1", ([0, 1, 2], [2, 1, 0]), "taken by name"),
        (("0", "1", "2"), "0 1 2", "2 1 0", ([0, 1, 2], [2, 1, 0]), None),
        (("a", "b", "c"), "0 1 2", "a b c", ([0, 1, 2], [0, 1, 2]), None),
        (("a", "b", "c"), "0 b 2", "2.0 b 0.0", ([0, 1, 2], [2, 1, 0]), None),
        (("1", "2", "9"), "1 2 9", "0 1 2", None, "do not agree"),
        (("1", "2", "3"), "1 2 3", "1 2 7", None, "7 is none of the 3 classes"),
        (("01", "02", "03"), "01 02 3", "01 02 03", None, "3 is none of the 3 classes"),
        (("a", "b", "c"), "a b -1", "a b c", None, "'-1' is none of the 3 classes"),
    ],
)
def test_a_name_wins_over_a_place_and_one_reading_holds_for_all_rows(
    tmp_path, names, truth, predicted, expected, said
):
    rows = zip("xyz", truth.split(), predicted.split(), strict=True)
    text = table(["id", "label", "predicted"], rows)
    if expected is None:
        with pytest.raises(DataError, match=said):
            read(tmp_path, text, names)
        return
    found = read(tmp_path, text, names)
    assert (found.truth.tolist(), found.predicted.tolist()) == expected
    assert (said is None and not found.notes) or (said and said in found.notes[0])


def test_columns_of_indices_and_with_prefixes_are_put_in_order(tmp_path):
    rows = [("a", 1, 0.1, 0.2, 0.9), ("b", 0, 3, 4, 5)]
    for heads in (
        ["2", "0", "1"],
        ["score_2", "score_0", "score_1"],
        ["class 2", "class 0", "class 1"],
    ):
        found = read(tmp_path, table(["id", "label", *heads], rows))
        np.testing.assert_allclose(found.scores, [[0.2, 0.9, 0.1], [4, 5, 3]], rtol=1e-6)
        assert found.truth.tolist() == [1, 0]
    found = read(
        tmp_path, table(["id", "label", "p_up", "p_down", "p_left"], [("a", "down", 1, 2, 4)])
    )
    assert found.labels == ("up", "down", "left") and found.truth.tolist() == [1]


def test_rows_without_a_prediction_are_left_out_and_counted(tmp_path):
    text = "id,label,predicted\na,x,y\nb,x,\nc,y,NaN\nd,,x\n\ne,y,y\n,,\n"
    found = read(tmp_path, text, ("x", "y"))
    assert found.ids == ("a", "e")
    assert found.notes == (
        "1 of 5 rows have no true class and are left out",
        "2 of 5 rows have no prediction and are left out",
    )
    found = read(tmp_path, "id,label,x,y\na,x,1,2\nb,x,,\nc,y,nan,NaN\n")
    assert found.ids == ("a",) and "2 of 3 rows have no prediction" in found.notes[0]
    # Where a class is called so, it is a prediction.
    found = read(tmp_path, "id,label,predicted\na,x,NaN\nb,NaN,x\n", ("x", "NaN"))
    assert found.predicted.tolist() == [1, 0] and not found.notes


def test_columns_beside_them_are_said_or_asked_about(tmp_path):
    text = "id,label,predicted,fps,note\na,x,y,25,so\n"
    assert read(tmp_path, text, ("x", "y")).notes == ("columns that are not used: 'fps', 'note'",)
    text = "id,label,fps,x,y\na,x,25,1,2\n"
    assert read(tmp_path, text, ("x", "y")).scores.tolist() == [[1, 2]]
    with pytest.raises(DataError, match="column 'fps' may be a class or not; give a label file"):
        read(tmp_path, text)
    text = "id,label,predicted,x,y\na,x,y,3,2\nb,y,y,1,2\n"
    found = read(tmp_path, text)
    assert found.predicted.tolist() == [1, 1] and "1 predicted classes have not" in found.notes[0]


def test_probabilities_are_said_and_give_the_same_softmax(tmp_path):
    p = np.random.default_rng(0).dirichlet(np.ones(3), 12)
    for scale, said in ((1, "are probabilities,"), (30, "that sum to 30"), (100, "sum to 100")):
        rows = [(i, 0, *np.round(row * scale, 6)) for i, row in enumerate(p)]
        found = read(tmp_path, table(["id", "label", "0", "1", "2"], rows))
        odds = np.exp(found.scores.astype(float))
        np.testing.assert_allclose(odds / odds.sum(1, keepdims=True), p, atol=1e-5)
        assert said in found.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,label,predicted\na,x\n", "line 2 has 2 cells, the first line 3"),
        ("id,label,predicted\na,x,y,z\n", "line 2 has 4 cells"),
        ('id,label,predicted\n"a,x,y\nb,x,y\n', "cannot|can be read|line break"),
        ("id,label,label\na,x,y\n", "two columns are called 'label'"),
        ("id,target,label\na,0,1\n", "may both be the true classes"),
        ("a,x,y\nb,x,y\n", "expected id, label"),
        (
            "id;label;x;y\na;x;1,5;2.5\n",
            "some scores have a decimal comma and some a decimal point",
        ),
        ("id,label,x,y\na,x,1_0,2\n", "'1_0' in column 'x'"),
        ("id,label,x,y\na,x,1,\n", "not finite"),
        ("id,label,x,y\na,x,1e99,2\n", "not finite"),
        ("id,label,x,z\na,x,1,2\n", r"called as classes \('x'\) and some are not \('z'\)"),
        ("id,label,predicted\na,x,\n", "no clip in it was scored"),
        ("id,label,predicted\n", "no clip in it was scored"),
        ("id,label,predicted\na,x,y\na,x,y\nb,x,y\nb,y,y\n", "2 clips come more than once"),
    ],
)
def test_what_is_no_table_or_two_is_refused(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, ("x", "y"))


def test_positions_are_said_where_no_column_is_called_as_a_class(tmp_path):
    found = read(tmp_path, "id,label,Ouvrir,Fermer\na,0,1,2\n", ("open", "close"))
    assert "'Ouvrir' is 'open', 'Fermer' is 'close'" in found.notes[0]


def test_a_spreadsheets_own_line_and_trailing_separators_are_no_content(tmp_path):
    found = read(tmp_path, "sep=;\r\nid;label;predicted;\r\na;x;y;\r\n;;;\r\n", ("x", "y"))
    assert (found.ids, found.predicted.tolist()) == (("a",), [1])


def test_the_encoding_is_said_and_names_that_are_given_decide_it(tmp_path):
    text = "id,label,predicted\n" + "a,Père,Père\nb,Fils,Père\n"
    found = read(tmp_path, text, ("Père", "Fils"), encoding="cp1252")
    assert found.truth.tolist() == [0, 1] and "Windows-1252" in found.notes[0]
    with pytest.raises(DataError, match="does not say its encoding"):
        read(tmp_path, "id,label,Père,Fils\na,Père,1,2\n", encoding="cp1252")


def test_mutated_files_of_every_format_are_read_or_refused_in_words():
    assert sum(fuzz(300).values()) == 300
