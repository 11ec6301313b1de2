"""Tables of predictions put together: parts of one, two models' on the same clips, one model's with
the frames in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model._moved import renamed
from gsm_model.errors import DataError
from gsm_model.predictions.table import Predictions


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Several tables of one origin as one, in order.

    Raises:
        DataError: if there is none, they are of different origin, have no scores, or only some of
            them have features.
    """
    if not parts or any(part.origin != parts[0].origin for part in parts):
        raise DataError("only tables of the same model, data, order and views can be joined")
    shared = set.intersection(*(set(part.properties) for part in parts))
    kept = any(part.features is not None for part in parts)
    return Predictions(
        parts[0].origin,
        tuple(id for part in parts for id in part.ids),
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.require_scores() for part in parts]),
        tuple(error for part in parts for error in part.errors),
        features=np.concatenate([part.require_features() for part in parts]) if kept else None,
        properties={
            name: np.concatenate([part.properties[name] for part in parts])
            for name in parts[0].properties
            if name in shared
        },
    )


@dataclass(frozen=True)
class PairedPredictions:
    """Two models' predictions on the same n clips, in one order, and how many clips only one of the
    files has.
    """

    a: Predictions
    b: Predictions
    only_in_a: int
    only_in_b: int


def join_predictions(a: Predictions, b: Predictions) -> PairedPredictions:
    """Put the scored clips of ``a`` and ``b`` together: by id, or, where a file only numbers its
    clips, by place; the classes in the order of ``a``.

    Raises:
        DataError: if their classes differ, no clip is in both, a clip has another true class in
            each, or, without ids, the true classes are not the same in the same order.
    """
    a, b = a.scored(), b.scored()
    if len(a.labels) != len(b.labels):
        raise DataError(
            f"{a.source} has {len(a.labels)} classes, {b.source} has {len(b.labels)}; compare"
            " models of the same classes"
        )
    if sorted(a.labels) == sorted(b.labels):
        b = b.in_order_of(a.labels)
    if a.labels != b.labels:
        place = next(
            index
            for index, pair in enumerate(zip(a.labels, b.labels, strict=True))
            if pair[0] != pair[1]
        )
        raise DataError(
            f"class {place} is {a.labels[place]!r} in {a.source} and {b.labels[place]!r} in"
            f" {b.source}; give both the label file they were made with"
        )
    if a.numbered or b.numbered:
        if not np.array_equal(a.truth, b.truth):
            raise DataError(
                f"{a.source} and {b.source}: one has no clip ids, and their true classes are not"
                " the same in the same order"
            )
        return PairedPredictions(a, b, 0, 0)
    places = {id: row for row, id in enumerate(b.ids)}
    both = np.array([row for row, id in enumerate(a.ids) if id in places], dtype=np.int64)
    if len(both) == 0:
        raise DataError(
            f"{a.source} and {b.source} have no clip in common; one's are called as {a.ids[0]!r},"
            f" the other's as {b.ids[0]!r}"
        )
    one, other = a.take(both), b.take(np.array([places[a.ids[row]] for row in both]))
    if (wrong := np.flatnonzero(one.truth != other.truth)).size:
        raise DataError(
            f"{len(wrong)} clips have another true class in {a.source} than in {b.source}, the"
            f" first is {one.ids[wrong[0]]!r}"
        )
    return PairedPredictions(one, other, len(a.ids) - len(both), len(b.ids) - len(both))


def match_tables(tables: Sequence[Predictions]) -> list[tuple[Predictions, Predictions]]:
    """Put each forward table together with the reversed one of the same model, data and views, in
    the order given.

    Raises:
        DataError: if one is of another order, has no counterpart, or comes twice.
    """
    by_key: dict[tuple, dict[str, Predictions]] = {}
    for table in tables:
        about = table.origin
        name = f"{about.model} on {about.data}"
        if about.order not in ("forward", "reversed"):
            raise DataError(
                f"{name}: the table is of the order '{about.order}'; give one forward and one"
                " reversed table for each model"
            )
        key = (
            about.model,
            about.checkpoint,
            about.data,
            about.data_sha256,
            about.views,
            about.average,
        )
        found = by_key.setdefault(key, {})
        if about.order in found:
            raise DataError(f"{name}: two tables are of the order '{about.order}'")
        found[about.order] = table
    for key, found in by_key.items():
        if len(found) < 2:
            missing = "reversed" if "forward" in found else "forward"
            raise DataError(
                f"{key[0]} on {key[2]}: no table of the order '{missing}'; make one with 'evaluate"
                f" --order {missing}'"
            )
    return [(found["forward"], found["reversed"]) for found in by_key.values()]


__getattr__ = renamed(
    __name__,
    {"Joined": "PairedPredictions", "join_answers": "join_predictions", "join": "concatenate"},
)
