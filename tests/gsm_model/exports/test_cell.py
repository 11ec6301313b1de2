"""The clips of a cell, and films of those whose files are there."""

import csv
import io

import numpy as np
import pytest

from gsm_model.errors import DataError
from gsm_model.exports.cell import cell_clips, cell_files, parse_cell
from tests.predictions import make_predictions
from tests.videos import constant_rate


def test_a_cell_has_the_clips_of_a_class_that_a_model_takes_for_another(
    two_models, tmp_path, moving_bar
):
    a, b = two_models.a, two_models.b
    rows = cell_clips([a, b], (2, 5))
    expected = (a.truth == 2) & ((a.predicted == 5) | (b.predicted == 5))
    np.testing.assert_array_equal(rows, np.flatnonzero(expected))
    assert len(rows) > 1
    constant_rate(tmp_path / f"{a.ids[rows[1]]}.mp4", moving_bar)
    files = cell_files([a, b], (2, 5), tmp_path)
    told = list(csv.DictReader(io.StringIO(files["cell.csv"].decode())))
    assert [line["clip"] for line in told] == [a.ids[row] for row in rows]
    assert {line["true"] for line in told} == {"class 2"}
    assert "class 5" in (told[0]["a"], told[0]["b"])
    assert told[0]["film"] == "" and "there is no video of it" in told[0]["error"]
    assert told[1]["film"] == "cell-002.mp4" and set(files) == {"cell.csv", "cell-002.mp4"}


def test_a_cell_without_clips_is_a_table_without_rows():
    right = make_predictions(n=20, skill=50)
    assert cell_files([right], (0, 1)) == {"cell.csv": b"clip,true,a\n"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class 1", "has 1 names, not 2"),
        ("class 1,class 99", "'class 99' is none of the 7 classes"),
        ("class *,class 1", "names several classes"),
    ],
)
def test_what_names_no_cell_is_refused(text, message):
    labels = make_predictions().labels
    assert parse_cell('"class 1",class 2', labels) == (1, 2)
    with pytest.raises(DataError, match=message):
        parse_cell(text, labels)
