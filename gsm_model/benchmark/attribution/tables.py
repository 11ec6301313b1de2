"""The known-answer test as rows for a table, and as one object for a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from gsm_model.benchmark.attribution.score import AttributionTable
from gsm_model.models.card import Measure


def attribution_rows(table: AttributionTable) -> list[dict]:
    """One row an attribution: *where*, *when* and *which way* with the ends of their 95 %
    intervals, ``same``, ``correlation``, ``cost``, and what they are of. ``correlation`` is
    ``None`` where class and reversal always have one map.
    """
    about = {
        "n": table.n,
        "model": table.origin.model,
        "checkpoint": table.origin.checkpoint,
        "data": table.origin.data,
    }
    return [
        {
            "method": row.method,
            **_ends("where", row.where),
            **_ends("when", row.when),
            **_ends("which_way", row.which_way),
            "same": row.same,
            "correlation": None if row.same == 1 else row.correlation,
            "cost": row.cost,
            **about,
        }
        for row in table.rows
    ]


def attribution_object(table: AttributionTable, left_out: Sequence[str] = ()) -> dict:
    """One model's rows with what chance and the model itself reach, as JSON can hold them."""
    return {
        "model": table.origin.model,
        "checkpoint": table.origin.checkpoint,
        "data": table.origin.data,
        "clips": table.n,
        "frames": table.frames,
        "frames_with_action": table.shown,
        "chance": {"where": table.area.value, "when": table.shown / table.frames},
        "measures": [asdict(one) for one in table.model],
        "left_out": list(left_out),
        "rows": attribution_rows(table),
    }


def _ends(name: str, measure: Measure | None) -> dict[str, float | None]:
    """A share with its interval, held within 0 … 1."""
    ends = {"": "value", "_low": "low", "_high": "high"}
    return {
        f"{name}{end}": None if measure is None else min(max(getattr(measure, of), 0.0), 1.0)
        for end, of in ends.items()
    }
