"""What systems trained alike can tell of time: their profiles over the temporal probes, as a part
of the table of systems.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gsm_model.data.synthetic_sets import Looks
from gsm_model.evaluation.probes import ProbeResult, profile_of, score_probes
from gsm_model.models.recognizer import Recognizer
from gsm_model.predictions.fuse import FLOW_WEIGHT, fuse_predictions

ORDERED_BY = "which first"


def measure_on_probes(
    models: Mapping[str, Recognizer],
    num_clips: int,
    looks: Looks,
    progress: Callable[[int, int], None] | None = None,
    fused: Mapping[str, tuple[str, str]] | None = None,
) -> dict[str, dict[str, Any]]:
    """The profiles of trained models, and of those pairs of them that are ``fused`` (name → the
    model of pictures and that of flow, which counts as `FLOW_WEIGHT`), over the same clips of the
    probes' test split, which look as ``looks`` says (its number of frames is the models'): name →
    *clutter*, *data* and *results*, a list of *probe*, *control*, *distance* (frames between the
    two events, ``None`` over all), *value*, *low*, *high* and *n* (scenes, each in two orders), as
    `profile_of` counts them.

    Raises:
        DataError: as `score_probes`.
    """
    scored = score_probes(list(models.values()), num_clips, looks, progress=progress)
    tables = dict(zip(models, scored, strict=True))
    for name, streams in (fused or {}).items():
        both = [tables[stream] for stream in streams]
        tables[name] = fuse_predictions(both, (1.0, FLOW_WEIGHT)).table
    frames = next(model.architecture.num_segments for model in models.values())
    camera = f", camera {looks.camera:g}" if looks.camera else ""
    return {
        name: {
            "clutter": looks.clutter,
            "data": f"{table.data}, clutter {looks.clutter:g}{camera}",
            "results": [_numbers(one) for one in profile_of(table, frames)],
        }
        for name, table in tables.items()
    }


def _numbers(result: ProbeResult) -> dict[str, Any]:
    share = result.right
    return {
        "probe": result.probe,
        "control": result.static,
        "distance": result.distance,
        "value": round(share.value, 4),
        "low": round(share.low, 4),
        "high": round(share.high, 4),
        "n": share.n,
    }


def probed(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those rows of the table of systems that were measured on the probes, the best at *which
    first* first.
    """

    def order(row: Mapping[str, Any]) -> float:
        return -share_of(row, ORDERED_BY)["value"]

    told = [row for row in rows if (row.get("probes") or {}).get("results")]
    return sorted(told, key=order)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int | None]]:
    """The probes that all ``rows`` were measured on, each with its distance, in the first one's
    order.
    """
    first, *others = ([_column(one) for one in row["probes"]["results"]] for row in rows)
    return [column for column in first if all(column in other for other in others)]


def _column(result: Mapping[str, Any]) -> tuple[str, int | None]:
    return result["probe"], result.get("distance")


def probes_recipe(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the figures of ``rows`` on the probes are of, in words: of all, if they differ in it."""
    return "; or ".join(dict.fromkeys(map(_recipe, rows)))


def _recipe(row: Mapping[str, Any]) -> str:
    of = row["probes"]
    network, first = of["network"], share_of(row, ORDERED_BY)
    return (
        f"one training each: ResNet-18 of {network['width']:g} of its channels,"
        f" {network['frames']} frames of {network['size']} × {network['size']} pixels,"
        f" {of['steps']:,} steps of {of['batch']} clips; {first['n']:,} scenes a probe of"
        f" {of['data']}, each in both orders; chance is 50 %"
    )


def share_of(row: Mapping[str, Any], probe: str, distance: int | None = None) -> Mapping[str, Any]:
    """The right answers of a row to a probe, over all distances if none is given.

    Raises:
        KeyError: if it was not measured.
    """
    for one in row["probes"]["results"]:
        if _column(one) == (probe, distance):
            return one
    raise KeyError((probe, distance))
