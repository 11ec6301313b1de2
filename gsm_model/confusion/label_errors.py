"""Likely label errors: clips whose label a model contradicts more surely than it usually has to be
to be right about a class.

Source: Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70 (2021): thresholds and confident joint of equations 1
and 2, its calibration to the given labels of equation 3; errors are its off-diagonal clips
(*confident joint*, in section 3.2), ordered by the normalised margin. That is what the authors'
package cleanlab calls ``filter_by="confident_learning"`` and ``rank_by="normalized_margin"``.

A model that has seen these clips with these labels in training has learnt the errors too: give
predictions for clips that it was not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gsm_model.predictions.table import Predictions, softmax


@dataclass(frozen=True)
class LabelErrors:
    """The m clips of a table whose labels are likely wrong, the surest first.

    ``rows`` (m,) int64 are their places in the table, ``suggested`` (m,) int64 the class that each
    is likelier of. ``given`` and ``instead`` (m,) float64 are the probabilities of the label and of
    that class. ``thresholds`` (K,) float64 are the mean probabilities of each class over the clips
    labelled so, which a clip must reach to count as one of it; infinite for a class without clips.
    ``joint`` (K, K) float64 is the estimated joint distribution of given label (row) and true class
    (column); it sums to 1, its rows to the shares of the labels.
    """

    model: str
    rows: np.ndarray
    suggested: np.ndarray
    given: np.ndarray
    instead: np.ndarray
    thresholds: np.ndarray
    joint: np.ndarray

    @property
    def share(self) -> float:
        """The estimated share of clips with a wrong label, 0 … 1."""
        return float(1 - np.trace(self.joint))


def find_label_errors(predictions: Predictions) -> LabelErrors:
    """The likely label errors among the clips of ``predictions``, by confident learning.

    Raises:
        DataError: if there are no scores.
    """
    p = softmax(predictions.require_scores("finding label errors"))
    labels = predictions.truth
    n, k = p.shape
    every = np.arange(n)
    counts = np.bincount(labels, minlength=k)
    sums = np.bincount(labels, weights=p[every, labels], minlength=k)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(p >= thresholds, p, -1.0)  # of classes a clip is confidently of
    likeliest = confident.argmax(axis=1)
    counted = confident[every, likeliest] > -1
    joint = np.zeros((k, k), np.int64)
    np.add.at(joint, (labels[counted], likeliest[counted]), 1)
    # Where the label is the model's prediction after all, the authors' package reports none.
    wrong = np.flatnonzero(counted & (likeliest != labels) & (p.argmax(axis=1) != labels))
    margin = p[wrong, labels[wrong]] - p[wrong].max(axis=1)
    order = np.argsort(margin, kind="stable")
    rows = wrong[order]
    return LabelErrors(
        predictions.model,
        rows,
        likeliest[rows],
        p[rows, labels[rows]],
        p[rows, likeliest[rows]],
        thresholds,
        _calibrated(joint, counts),
    )


def _calibrated(joint: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The confident joint as shares, its rows scaled to the given labels' numbers; of a class that
    no clip is confidently of, all are taken to be right.
    """
    joint = joint.astype(np.float64)
    empty = joint.sum(axis=1) == 0
    joint[empty, empty] = 1
    scaled = joint / joint.sum(axis=1, keepdims=True) * counts[:, None]
    return scaled / scaled.sum()


def label_error_rows(
    models: Sequence[Predictions], found: Sequence[LabelErrors]
) -> list[dict[str, object]]:
    """One row a clip that any of one or two models (of the same clips) contradicts: the clip, its
    label, what each model suggests instead and the probabilities that it gives to both. Clips that
    all models contradict with one and the same class come first, then those of A, then those of B,
    each in its order.
    """
    of_clip = [dict(zip(one.rows.tolist(), range(len(one.rows)), strict=True)) for one in found]
    every = list(dict.fromkeys(row for one in found for row in one.rows.tolist()))

    def agreed(row: int) -> bool:
        places = [places_of.get(row) for places_of in of_clip]
        named = {
            None if place is None else int(one.suggested[place])
            for one, place in zip(found, places, strict=True)
        }
        return None not in named and len(named) == 1

    both = {row: len(found) > 1 and agreed(row) for row in every}
    told: list[dict[str, object]] = []
    for row in sorted(every, key=lambda row: not both[row]):
        line: dict[str, object] = {
            "clip": models[0].ids[row],
            "label": models[0].labels[models[0].truth[row]],
        }
        for letter, one, places in zip("ab", found, of_clip, strict=False):
            at = places.get(row)
            name = "" if at is None else models[0].labels[one.suggested[at]]
            line |= {
                f"suggested_{letter}": name,
                f"p_label_{letter}": None if at is None else float(one.given[at]),
                f"p_suggested_{letter}": None if at is None else float(one.instead[at]),
            }
        if len(found) > 1:
            line["agreed"] = both[row]
        told.append(line)
    return told
