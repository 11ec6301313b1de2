"""Tables of predictions that are no text: JSON records, parquet and feather of other programs. They
are read as text is, with every cell as a person would write it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gsm_model.errors import DataError
from gsm_model.io.tables import MAX_BYTES, METADATA_KEY, read_table
from gsm_model.predictions.delimited import ROLES, Sheet, plain_head, read_sheet
from gsm_model.predictions.files import PredictionFile, file_text
from gsm_model.predictions.table import Predictions

MAX_CELLS = 50_000_000


def is_foreign(file: PredictionFile) -> bool:
    """Whether a parquet file is of another program than this."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file.path)
    except (OSError, ValueError, pa.ArrowException):
        return False
    return METADATA_KEY not in (schema.metadata or {}) and _names_truth(schema.names)


def is_records(file: PredictionFile) -> bool:
    """Whether a JSON file is records of clips with their true classes."""
    try:
        records = _records(file)
    except DataError:
        return False
    return bool(records) and _names_truth(records[0])


def _names_truth(heads: Any) -> bool:
    return any(plain_head(str(head)) in ROLES["truth"] for head in heads)


def read_records(file: PredictionFile) -> Predictions:
    """Predictions in JSON: an object a clip, in a list or one a line.

    Raises:
        DataError: as `read_delimited`, or if it is no such file.
    """
    return _read(_records(file), file)


def _records(file: PredictionFile) -> list[Mapping[str, Any]]:
    text = file_text(file).text
    try:
        if text.lstrip().startswith("["):
            found = json.loads(text)
        else:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{file.name}: not a JSON file that can be read ({type(error).__name__})"
        ) from None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise DataError(
            f"{file.name}: not a list of objects, one a clip, with id, label, predicted"
        )
    return found


def read_columns(file: PredictionFile) -> Predictions:
    """Predictions in a parquet or feather file of another program, such as pandas writes.

    Raises:
        DataError: as `read_delimited`, or if it is no such file.
    """
    import pyarrow as pa

    try:
        table = read_table(file.path) if file.path.suffix == ".parquet" else _feather(file.path)
        if table.num_rows * max(1, table.num_columns) > MAX_CELLS:
            raise ValueError("too large")
        records = table.to_pylist()
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise DataError(
            f"{file.name}: not a table that can be read ({type(error).__name__})"
        ) from None
    return _read(records, file)


def _feather(path: Path) -> Any:
    """The table in an Arrow file, put together as long as it is no larger than `MAX_BYTES`."""
    import pyarrow as pa

    batches, taken = [], 0
    with pa.OSFile(str(path)) as opened, pa.ipc.open_file(opened) as file:
        for at in range(file.num_record_batches):
            batches.append(file.get_batch(at))
            batches[-1].validate(full=True)  # that no length or offset leads out of it
            taken += batches[-1].nbytes
            if taken > MAX_BYTES:
                raise ValueError(f"unpacks to more than {MAX_BYTES // 2**20} MB")
        return pa.Table.from_batches(batches, file.schema)


def _read(records: Sequence[Mapping[str, Any]], file: PredictionFile) -> Predictions:
    heads = list(dict.fromkeys(str(key) for record in records for key in record))
    heads = [head for head in heads if not head.startswith("__index_level_")]
    rows = [
        (at, [_cell(record.get(head)) for head in heads]) for at, record in enumerate(records, 1)
    ]
    return read_sheet(Sheet(tuple(heads), ",", iter(rows)), file, [])


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (list, tuple)):
        return json.dumps(value, default=str)
    return str(value)
