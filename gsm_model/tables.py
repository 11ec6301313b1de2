"""Rows as a CSV file that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence


def csv_text(rows: Sequence[dict]) -> str:
    """``rows`` as CSV with a header; text that a spreadsheet would take for a formula is quoted."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return file.getvalue()


def _plain(value: object) -> object:
    return "'" + value if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
