"""What becomes of a model's answers on a data set when the frames are reversed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model.data.labels import reversed_classes
from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.models.card import Measure
from gsm_model.predictions.join import match_tables
from gsm_model.predictions.table import Predictions, Provenance

ALL_PAIRS = "all pairs"


@dataclass(frozen=True)
class Flips:
    """Of the clips of ``group`` (a pair of classes, or all pairs): the share whose answer, when the
    frames are reversed, goes to the time reversal of what it was, stays what it was, or goes
    elsewhere. The three add up to 1."""

    group: str
    to_reversed_class: Measure
    stays: Measure
    elsewhere: Measure


def count_flips(forward: Predictions, backward: Predictions) -> tuple[Flips, ...]:
    """Compare a model's answers on the same clips, forward and reversed: all pairs first, then each
    pair of classes.

    Clips are grouped by their true class; those whose class has no time reversal among the classes
    are left out.

    Raises:
        DataError: if the tables are of different models, data or views, or no clip is of a pair.
    """
    check_orders(forward.origin, backward.origin)
    forward, backward = forward.scored(), backward.scored()
    if forward.ids != backward.ids:
        raise DataError("the forward and the reversed table hold different clips")
    names = forward.labels
    reverses = reversed_classes(names)
    before, after = forward.predicted, backward.predicted
    flipped, stayed = (after == reverses[before]), after == before
    first = np.minimum(forward.truth, reverses[forward.truth])
    paired = reverses[forward.truth] >= 0
    if not paired.any():
        raise DataError(
            f"{forward.data}: no clip is of a class whose time reversal is among the classes"
        )

    def of(group: str, rows: np.ndarray) -> Flips:
        n, hits = (
            int(rows.sum()),
            [int((rows & kind).sum()) for kind in (flipped, stayed, ~flipped & ~stayed)],
        )
        shares = (
            measure_share(metric, count, n, forward.data)
            for metric, count in zip(("to reversed class", "stays", "elsewhere"), hits, strict=True)
        )
        return Flips(group, *shares)

    pairs = [
        of(f"{names[k]} / {names[reverses[k]]}", paired & (first == k))
        for k in np.unique(first[paired])
    ]
    return (of(ALL_PAIRS, paired), *pairs)


def flips_of_models(tables: Sequence[Predictions]) -> list[tuple[str, tuple[Flips, ...]]]:
    """Each model's name and `count_flips` of its forward and its reversed table, which
    `match_tables` finds.

    Raises:
        DataError: if a table has no counterpart, or two do not belong together.
    """
    return [
        (forward.model, count_flips(forward, backward))
        for forward, backward in match_tables(tables)
    ]


def check_orders(forward: Provenance, backward: Provenance) -> None:
    """Raises:
    DataError: if these are not of a forward and a reversed table of one model, on the same data
        with the same views.
    """

    def what(table: Provenance) -> tuple:
        return table.labels, table.checkpoint, table.data_sha256, table.views, table.average

    if what(forward) != what(backward) or (forward.order, backward.order) != (
        "forward",
        "reversed",
    ):
        raise DataError(
            "give a forward and a reversed table of one model on the same data with the same views"
        )
