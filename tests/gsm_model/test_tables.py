"""Tables as CSV: read back by the standard reader, and plain to a spreadsheet."""

import csv
import io

import pytest

from gsm_model.tables import csv_text


def test_rows_come_back_as_they_were():
    rows = [{"name": 'a "quoted", name', "share": 0.25}, {"name": "two\nlines", "share": 1.0}]
    found = list(csv.DictReader(io.StringIO(csv_text(rows), newline="")))
    assert [(row["name"], float(row["share"])) for row in found] == [(row["name"], row["share"]) for row in rows]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@f", "\tx"])
def test_text_that_a_spreadsheet_would_run_is_made_plain_and_numbers_stay(text):
    assert list(csv.reader(io.StringIO(csv_text([{"a": text, "b": -1.5}]))))[1] == ["'" + text, "-1.5"]


def test_a_heading_that_a_spreadsheet_would_run_is_made_plain_too():
    assert next(csv.reader(io.StringIO(csv_text([{"=cmd()": 1, "Holding something": 2}])))) == ["'=cmd()", "Holding something"]


def test_no_rows_are_an_empty_table():
    assert csv_text([]).strip() == ""
