"""Tables as files: CSV that no spreadsheet runs, and parquet that says what it is of."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

METADATA_KEY = b"gate_shift_lens"


def csv_text(rows: Sequence[dict]) -> str:
    """``rows``, all with the columns of the first, as CSV with a header; text that a spreadsheet would take for a formula is quoted."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    columns = list(rows[0]) if rows else []
    writer.writerow([_plain(column) for column in columns])
    writer.writerows([_plain(row[column]) for column in columns] for row in rows)
    return file.getvalue()


def _plain(value: object) -> object:
    return "'" + value if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def write_table(table: pa.Table, about: Mapping[str, object], path: Path) -> None:
    """Write ``table`` as parquet with ``about`` as JSON in its metadata; the file appears whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    import pyarrow.parquet as pq

    unfinished = path.with_name(path.name + ".part")
    named = table.replace_schema_metadata({METADATA_KEY: json.dumps(about, ensure_ascii=False).encode()})
    pq.write_table(named, unfinished, compression="zstd")
    unfinished.replace(path)
