"""The file of the table of systems: read, and checked in all that is read of it, so that a damaged
one is a sentence that names row and key.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gsm_model.errors import DataError

_FIRST = ("which first", None)  # the share that rows are ordered by

# What a value must be. NaN is no number here: no comparison holds of it.
_KINDS: dict[str, Callable[[Any], bool]] = {
    "a number": lambda value: _is_number(value) and abs(value) < 1e15,
    "a share in 0 to 1": lambda value: _is_number(value) and 0 <= value <= 1,
    "a whole number": lambda value: _is_whole(value) and 0 <= value < 10**15,
    "a text": lambda value: isinstance(value, str),
    "true or false": lambda value: isinstance(value, bool),
}
# A schema is a kind; a dictionary, of an object whose keys with a question mark may be missing or
# null, and "*" of which is any other key; or a list, of a list of one kind of thing, or of as many
# things as it has where these are several.
_SHARE = {
    **dict.fromkeys(("value", "low", "high"), "a share in 0 to 1"),
    "n": "a whole number",
}
_FIGURES = {"top1": _SHARE, "within_pair": _SHARE, "*?": _SHARE}
_TRAINING = {"within_pair": _SHARE, "*?": _SHARE}
_NETWORK = {
    "backbone": "a text",
    **dict.fromkeys(("width", "size", "frames"), "a number"),
}
_RATIO = dict.fromkeys(("ratio", "low", "high"), "a number")
_BESIDE = dict.fromkeys(("only_this", "only_gsm", "n"), "a whole number")
_REACH = ["a whole number", "a whole number"]
_RESULT = {"probe": "a text", "distance?": "a whole number", "control": "true or false", **_SHARE}
_PROBES = {
    "results": [_RESULT],
    "network": _NETWORK,
    "steps": "a whole number",
    "batch": "a whole number",
    "data": "a text",
}
_ROW: dict[str, Any] = {
    "parameters?": "a whole number",
    "gmacs?": "a number",
    "reach?": _REACH,
    "measured_reach?": _REACH,
    "latency_ratio?": {**_RATIO, "name": "a text"},
    "training_ratio?": _RATIO,
    **dict.fromkeys(("test?", "shifted?", "filmed?"), _FIGURES),
    "network?": _NETWORK,
    "pairs?": {"*?": {"*?": _SHARE}},
    "against_gsm?": {"*?": {"*?": _BESIDE}},
    "checkpoint?": "a text",
    "seeds?": {"*": {"test?": _TRAINING, "shifted?": _TRAINING}},
    "ended?": {"diverged?": "true or false"},
    "curve?": [{"step": "a number", "accuracy": "a number", "within_pair?": "a number"}],
    "probes?": {"results": [_RESULT]},
}
_ROWS: dict[str, dict[str, Any]] = {
    "systems": _ROW,
    "inputs": {
        **_ROW,
        "latency_ratio?": {"ratio": "a number", "motion?": "a number", "name": "a text"},
    },
}


def read_table(path: Path) -> dict[str, Any]:
    """The content of a table of systems, empty where there is no file; *systems* and *inputs*,
    where it has them, are name → row.

    Raises:
        DataError: if it cannot be read, or anything that is read of it is of another kind.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(
            f"{path.name}: cannot be read ({error}); measure the systems again"
        ) from None
    if not isinstance(found, dict):
        raise DataError(f"{path.name}: is no table of systems; name another file")
    for part, schema in _ROWS.items():
        rows = found.get(part, {})
        if not isinstance(rows, dict):
            raise DataError(f"{path.name}: {part!r} must be an object, not {_short(rows)}")
        for name, row in rows.items():
            if fault := _fault_of_row(row, schema):
                raise DataError(
                    f"{path.name}: {part}, row {name!r}: {fault}; measure it again into another"
                    " file"
                )
    return found


def _fault_of_row(row: Any, schema: Mapping[str, Any]) -> str | None:
    if not isinstance(row, dict):
        return f"must be an object, not {_short(row)}"
    fault = _fault(row, schema, "")
    if fault is not None:
        return fault
    if row.get("parameters") is not None and row.get("gmacs") is None:
        return "'gmacs' is missing beside 'parameters'"
    probes = row.get("probes")
    if not probes or not probes["results"]:  # without results, of a run that diverged
        return None
    fault = _fault(probes, _PROBES, "probes")
    if fault is not None:
        return fault
    if _FIRST not in {(one["probe"], one.get("distance")) for one in probes["results"]}:
        return f"'probes.results' lacks {_FIRST[0]!r} over all distances"
    return None


def _fault(value: Any, schema: Any, place: str) -> str | None:
    """What is wrong with ``value``, or the first thing in it, and where that is; ``None`` if it is
    as ``schema`` says.
    """
    if isinstance(schema, str):
        return None if _KINDS[schema](value) else f"{place!r} must be {schema}, not {_short(value)}"
    parts: list[tuple[str, Any, Any]] = []  # place, value, schema
    if isinstance(schema, list):
        if not isinstance(value, list) or len(schema) not in (1, len(value)):
            size = f" of {len(schema)}" if len(schema) > 1 else ""
            return f"{place!r} must be a list{size}, not {_short(value)}"
        several = schema if len(schema) > 1 else schema * len(value)
        parts = [
            (f"{place}[{k}]", *both) for k, both in enumerate(zip(value, several, strict=True))
        ]
    else:
        if not isinstance(value, dict):
            return f"{place!r} must be an object, not {_short(value)}"
        for key in [name for name in schema if not name.endswith(("?", "*"))]:
            if key not in value:
                return f"{_inside(place, key)!r} is missing"
        for key, inner in value.items():
            kind = _schema_of(schema, key, inner)
            if kind is not None:
                parts.append((_inside(place, key), inner, kind))
    found = (_fault(inner, kind, where) for where, inner, kind in parts)
    fault = next((one for one in found if one is not None), None)
    if fault is None and schema is _SHARE and not value["low"] <= value["value"] <= value["high"]:
        return f"{place!r} has a value outside its interval"
    return fault


def _schema_of(schema: Mapping[str, Any], key: str, value: Any) -> Any:
    """What the value of ``key`` must be; ``None`` where nothing is asked of it."""
    if key in schema:
        return schema[key]
    may_lack = schema.get(f"{key}?", schema.get("*?"))
    if may_lack is not None:
        return None if value is None else may_lack
    return schema.get("*")


def _inside(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_whole(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value: Any) -> str:
    return "null" if value is None else reprlib.repr(value)
