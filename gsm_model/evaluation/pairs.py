"""Whether a model tells the direction of time: its predictions on clips played forward and
reversed, for each pair of classes that are each other's time reversal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsm_model.data.labels import reversed_classes
from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.evaluation.reversal import ALL_PAIRS, check_orders
from gsm_model.models.card import Measure
from gsm_model.predictions.table import Predictions


@dataclass(frozen=True)
class PairAccuracy:
    """Of the clips of ``group`` (a pair of classes, or all pairs), with Wilson's intervals.

    ``forward`` and ``reversed``: the class scores higher than its reversal, a reversed clip being
    one of the reversed class; chance is one half. ``both``: both of them; what does not see the
    order of frames has 0. ``top1_forward`` and ``top1_reversed``: it scores highest of all classes
    of the pairs that have clips.
    """

    group: str
    forward: Measure
    reversed: Measure
    both: Measure
    top1_forward: Measure
    top1_reversed: Measure

    def measures(self) -> tuple[Measure, ...]:
        """All five."""
        return self.forward, self.reversed, self.both, self.top1_forward, self.top1_reversed


def pair_accuracies(forward: Predictions, backward: Predictions) -> tuple[PairAccuracy, ...]:
    """All pairs together, then each that has clips, in the order of the classes.

    ``truth`` is in both tables that of the clips played forward. Clips whose class has no time
    reversal among the classes are left out, and those that could not be scored.

    Raises:
        DataError: if the tables are not a forward and a reversed one of one model on the same
            clips, there are no scores, or no clip is of a pair.
    """
    check_orders(forward.origin, backward.origin)
    forward, backward = forward.scored(), backward.scored()
    if forward.ids != backward.ids:
        raise DataError("the forward and the reversed table hold different clips")
    names, reverses = forward.labels, reversed_classes(forward.labels)
    rows = np.flatnonzero(reverses[forward.truth] >= 0)
    if not len(rows):
        raise DataError(
            f"{forward.data}: no clip is of a class whose time reversal is among the classes"
        )
    truth = forward.truth[rows]
    reverse = reverses[truth]
    ahead, back = forward.require_scores()[rows], backward.require_scores()[rows]
    each = np.arange(len(rows))
    classes = np.unique(np.concatenate([truth, reverse]))
    hits = {
        "within pair, forward": ahead[each, truth] > ahead[each, reverse],
        "within pair, reversed": back[each, reverse] > back[each, truth],
        "top-1 of the pairs, forward": classes[ahead[:, classes].argmax(1)] == truth,
        "top-1 of the pairs, reversed": classes[back[:, classes].argmax(1)] == reverse,
    }
    hits["within pair, both"] = hits["within pair, forward"] & hits["within pair, reversed"]

    def of(group: str, chosen: np.ndarray) -> PairAccuracy:
        measures = {
            metric: measure_share(metric, int(right[chosen].sum()), int(chosen.sum()), forward.data)
            for metric, right in hits.items()
        }
        return PairAccuracy(
            group,
            measures["within pair, forward"],
            measures["within pair, reversed"],
            measures["within pair, both"],
            measures["top-1 of the pairs, forward"],
            measures["top-1 of the pairs, reversed"],
        )

    first = np.minimum(truth, reverse)
    return (
        of(ALL_PAIRS, np.ones(len(rows), bool)),
        *(of(f"{names[k]} / {names[reverses[k]]}", first == k) for k in np.unique(first)),
    )
