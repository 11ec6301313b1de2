"""Lists whose clips have several labels each, known by their form so that they are called what they
are: Charades, AVA, and others like them. Nothing here predicts more than one class a clip.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gsm_model.errors import DataError

_NEXT = (
    "Networks here give each clip one class, so there is no accuracy to measure on it. Take a list"
    " with one label a clip, or look at single clips with predict and explain"
)
_CHARADES_COLUMNS = {"id", "actions", "length"}
_BOXES = ({"x1", "y1", "x2", "y2"}, {"xmin", "ymin", "xmax", "ymax"})
# AVA without a header: video, second, a box in shares of the picture, action, person.
_SHARE = r"[01]?\.\d+|[01]"
_AVA = re.compile(rf"[^,]+,\s*\d+(\.\d+)?,(\s*({_SHARE}),){{4}}\s*\d+(,\s*\d+)?")
_SEVERAL = re.compile(r"\d+(\s*[,;|]\s*\d+)+")


def check_one_label(
    records: Sequence[tuple[int, Mapping[str, Any]]], labels: Sequence[str], name: str
) -> None:
    """Refuse records whose clips have several labels; ``labels`` are the columns that may hold a
    label.

    Raises:
        DataError: if they have, which names the data set where it is known.
    """
    columns = {key for _, record in records for key in record}
    if any(box <= columns for box in _BOXES):
        raise _refused(name, "boxes around persons or objects, as AVA's, with labels for each box")
    for at, record in records:
        for column in labels:
            value = record.get(column)
            if isinstance(value, (list, tuple)) or (
                isinstance(value, str) and _SEVERAL.fullmatch(value.strip())
            ):
                shown = f"the first is {str(value)[:40]}, in record {at}"
                raise _refused(name, f"clips with several labels each ({shown})")


def check_text(text: str, name: str) -> None:
    """Refuse AVA's list, which has no header, and that of Charades by its header.

    Raises:
        DataError: if it is one.
    """
    header = text.lstrip()[:4096].partition("\n")[0].lower()
    columns = {column.strip(" \"'") for column in re.split(r"[,;\t]", header)}
    if columns >= _CHARADES_COLUMNS:
        raise _refused(name, "Charades, whose clips have several labels each")
    if any(_AVA.fullmatch(line.strip()) for line in text[:4096].splitlines()[:3]):
        raise _refused(name, "AVA's boxes around persons, with several labels each")


def _refused(name: str, what: str) -> DataError:
    return DataError(f"{name}: is a list of {what}. {_NEXT}")
