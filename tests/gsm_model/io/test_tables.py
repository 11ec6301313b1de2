"""Tables as files: CSV read back by the standard reader and plain to a spreadsheet; parquet and
archives that unpack to too much.
"""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gsm_model.io import tables
from gsm_model.io.tables import csv_text


def test_rows_come_back_as_they_were():
    rows = [{"name": 'a "quoted", name', "share": 0.25}, {"name": "two\nlines", "share": 1.0}]
    found = list(csv.DictReader(io.StringIO(csv_text(rows), newline="")))
    assert [(row["name"], float(row["share"])) for row in found] == [
        (row["name"], row["share"]) for row in rows
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@f", "\tx"])
def test_text_that_a_spreadsheet_would_run_is_made_plain_and_numbers_stay(text):
    assert list(csv.reader(io.StringIO(csv_text([{"a": text, "b": -1.5}]))))[1] == [
        "'" + text,
        "-1.5",
    ]


def test_a_heading_that_a_spreadsheet_would_run_is_made_plain_too():
    assert next(csv.reader(io.StringIO(csv_text([{"=cmd()": 1, "Holding something": 2}])))) == [
        "'=cmd()",
        "Holding something",
    ]


def test_no_rows_are_an_empty_table():
    assert csv_text([]).strip() == ""


def test_a_table_that_unpacks_to_more_than_allowed_is_found_out_while_it_is_read(
    tmp_path, monkeypatch
):
    many = pa.table({"id": pa.array(["x" * 1000] * 20_000).dictionary_encode()})
    pq.write_table(many, tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000 and len(
        tables.read_table(tmp_path / "bomb.parquet")
    ) == 20_000
    plain = pa.table({"id": pa.array(["x" * 1000] * 20_000)})
    pq.write_table(plain, tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000
    monkeypatch.setattr(tables, "MAX_BYTES", 2_000_000)
    with pytest.raises(ValueError, match="unpacks to more than 1 MB"):
        tables.read_table(tmp_path / "bomb.parquet")


def test_an_archive_that_would_unpack_to_more_than_allowed_is_not_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "bomb.npz", scores=np.zeros((1000, 1000)))
    tables.check_archive(tmp_path / "bomb.npz")
    monkeypatch.setattr(tables, "MAX_BYTES", 2_000_000)
    with pytest.raises(ValueError, match="unpacks to more than 1 MB"):
        tables.check_archive(tmp_path / "bomb.npz")


@pytest.mark.parametrize("count", [0, 3])
def test_lists_in_a_column_and_what_a_table_is_about_come_back_as_they_were(tmp_path, count):
    values = np.arange(count * 4, dtype=np.float32).reshape(count, 2, 2)
    tables.write_table(
        pa.table({"pairs": tables.list_column(values)}), {"of": "é"}, tmp_path / "t.parquet"
    )
    table = tables.read_table(tmp_path / "t.parquet")
    found = tables.list_values(table, "pairs", 2, 2)
    assert (
        found.dtype == np.float32
        and np.array_equal(found, values)
        and tables.what_table_says(table) == {"of": "é"}
    )
    if count:
        with pytest.raises(ValueError, match="reshape"):
            tables.list_values(table, "pairs", 5)
    with pytest.raises(KeyError):
        tables.what_table_says(pa.table({"pairs": [1]}))
