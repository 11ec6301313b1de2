"""How good a model's predictions on a data set are, with intervals."""

from __future__ import annotations

import numpy as np

from gsm_model.data.labels import reversed_classes
from gsm_model.errors import DataError
from gsm_model.evaluation.intervals import measure_share
from gsm_model.models.card import Measure
from gsm_model.predictions.table import Predictions

BOOTSTRAP_DRAWS = 2000


def measures_of_table(predictions: Predictions) -> tuple[Measure, ...]:
    """Top-1, top-5, class mean and, where classes are each other's time reversal, within-pair
    accuracy, with 95 % intervals.

    *Class mean* is the mean over the classes that have clips of their top-1; its interval is a
    bootstrap's within classes (the others' are Wilson's). *Within pair* counts the clips whose
    class has its reversed class among the classes: the class scores higher than that, chance being
    one half. Clips that could not be scored are left out of all of them.

    Raises:
        DataError: if no clip was scored, or there are no scores.
    """
    rows = predictions.scored()
    n, names = len(rows.ids), rows.labels
    if n == 0:
        raise DataError("no clip was scored, so there is nothing to measure")
    scores = rows.require_scores()
    ranked = np.argsort(-scores, axis=1, kind="stable")
    measures = [measure_share("top-1", int(np.sum(ranked[:, 0] == rows.truth)), n, rows.data)]
    if len(names) > 5:
        measures.append(
            measure_share("top-5", int(np.sum(ranked[:, :5] == rows.truth[:, None])), n, rows.data)
        )
    measures.append(_class_mean(ranked[:, 0] == rows.truth, rows.truth, rows.data))
    reverses = reversed_classes(names)[rows.truth]
    paired = np.flatnonzero(reverses >= 0)
    if len(paired):
        right = scores[paired, rows.truth[paired]] > scores[paired, reverses[paired]]
        measures.append(measure_share("within pair", int(right.sum()), len(paired), rows.data))
    return tuple(measures)


def _class_mean(right: np.ndarray, truth: np.ndarray, data: str) -> Measure:
    """Drawing the clips of a class again with replacement makes its number of hits binomial, so
    that is what is drawn.
    """
    _, classes = np.unique(truth, return_inverse=True)
    clips = np.bincount(classes)
    shares = np.bincount(classes, weights=right) / clips
    drawn = (
        np.random.default_rng(0).binomial(clips, shares, size=(BOOTSTRAP_DRAWS, len(clips))) / clips
    )
    low, high = np.percentile(drawn.mean(axis=1), [2.5, 97.5])
    return Measure("class mean", float(shares.mean()), float(low), float(high), len(truth), data)
