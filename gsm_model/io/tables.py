"""Tables as files: CSV that no spreadsheet runs, and parquet that says what it is of."""

from __future__ import annotations

import csv
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gsm_model.io.atomic import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

METADATA_KEY = b"gate_shift_lens"
MAX_BYTES = 2 * 2**30
ROWS_AT_A_TIME = 1000


def csv_text(rows: Sequence[dict], otherwise: Sequence[str] = ()) -> str:
    """``rows``, all with the columns of the first, as CSV with a header, of the columns
    ``otherwise`` if there are none; text that a spreadsheet would take for a formula is quoted.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    columns = list(rows[0] if rows else otherwise)
    writer.writerow([_plain(column) for column in columns])
    writer.writerows([_plain(row[column]) for column in columns] for row in rows)
    return file.getvalue()


def _plain(value: object) -> object:
    return (
        "'" + value
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


def read_table(path: Path) -> pa.Table:
    """The table in a parquet file, read a thousand rows at a time so that one that unpacks to more
    than `MAX_BYTES` is found out early.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no parquet file (`pyarrow.ArrowInvalid`), or unpacks to too much.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    batches, taken = [], 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_AT_A_TIME):
            batches.append(batch)
            taken += batch.nbytes
            if taken > MAX_BYTES:
                raise ValueError(f"unpacks to more than {MAX_BYTES // 2**20} MB")
        return pa.Table.from_batches(batches, file.schema_arrow)


def check_archive(path: Path) -> None:
    """Look at what a zip archive (such as an ``.npz``) would unpack to before anything of it is
    unpacked.

    Raises:
        OSError, zipfile.BadZipFile: if it is none.
        ValueError: if it would unpack to more than `MAX_BYTES`.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
            raise ValueError(f"unpacks to more than {MAX_BYTES // 2**20} MB")


def write_table(table: pa.Table, about: Mapping[str, object], path: Path) -> None:
    """Write ``table`` as parquet with ``about`` as JSON in its metadata; the file appears whole or
    not at all.

    Raises:
        OSError: if it cannot be written.
    """
    import pyarrow.parquet as pq

    named = table.replace_schema_metadata(
        {METADATA_KEY: json.dumps(about, ensure_ascii=False).encode()}
    )
    with whole_file(path) as unfinished:
        pq.write_table(named, unfinished, compression="zstd")


def what_table_says(table: pa.Table) -> dict:
    """What `write_table` was told ``table`` is about.

    Raises:
        KeyError, ValueError: if it was not written so.
    """
    return json.loads((table.schema.metadata or {})[METADATA_KEY])


def list_column(values: np.ndarray) -> pa.Array:
    """(N, …) numbers as a column of N lists, each of one length, of the same type."""
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), math.prod(values.shape[1:]))


def list_values(table: pa.Table, column: str, *shape: int) -> np.ndarray:
    """(N, *shape): the numbers of a ``column`` that `list_column` made.

    Raises:
        KeyError, ValueError, AttributeError: if there is none, or its lists are not of that shape.
    """
    return (
        table[column].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, *shape)
    )
