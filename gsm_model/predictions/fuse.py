"""Tables of predictions of several models on the same clips as one: late fusion over a data set.
The weights are those of any late fusion (`gsm_model.fusion` has it for one clip).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gsm_model.errors import DataError
from gsm_model.predictions.join import join_predictions
from gsm_model.predictions.table import Average, Predictions, Provenance, softmax

# Of a model of flow beside one of pictures. Source: TSN's release (Wang et al., ECCV 2016).
FLOW_WEIGHT = 1.5
SMALLEST = 1e-30  # of a probability whose logarithm is taken


@dataclass(frozen=True)
class FusedPredictions:
    """Several tables as one: ``table``, of the clips that all of them have, its ``parts``, the
    tables of those clips in that order, and how many clips of each are ``left_out`` because another
    lacks them.
    """

    table: Predictions
    parts: tuple[Predictions, ...]
    left_out: tuple[int, ...]


def default_weights(kinds: Sequence[str]) -> tuple[float, ...]:
    """The weights of models that see ``kinds``: 1, and 1.5 for those of flow."""
    return tuple(FLOW_WEIGHT if kind == "flow" else 1.0 for kind in kinds)


def parse_weights(text: str, count: int) -> tuple[float, ...]:
    """``"1:1.5"`` as ``count`` numbers, one a model.

    Raises:
        DataError: for anything else.
    """
    try:
        found = tuple(float(part) for part in re.split(r"[:,]", text))
    except ValueError:
        found = ()
    _check(found, count, text)
    return found


def weight_shares(weights: Sequence[float] | None, count: int) -> np.ndarray:
    """``weights`` of ``count`` models, 1 for each without them, divided by their sum: (count,)
    float64.

    Raises:
        DataError: if there are fewer than two models, or a weight is negative, not finite, or all
            are 0.
    """
    if count < 2:
        raise DataError("fusion needs at least two models; choose another one")
    given = tuple(weights) if weights is not None else (1.0,) * count
    _check(given, count, written(given))
    relative = np.array(given) / max(given)  # first, so that the sum of large ones is finite
    return relative / relative.sum()


def written(weights: Sequence[float]) -> str:
    """Weights as people write them: ``"1:1.5"``."""
    return ":".join(f"{weight:g}" for weight in weights)


def fuse_predictions(
    tables: Sequence[Predictions],
    weights: Sequence[float] | None = None,
    of: Average = "logits",
) -> FusedPredictions:
    """The weighted mean of the tables' logits or, with ``of``, of their probabilities, whose
    logarithms are then the scores; clips in the order of the first table, its classes in its order.

    ``weights`` are one a table, without them 1 for each; they are divided by their sum. Of what is
    known of the clips the first table's is kept.

    Raises:
        DataError: if there are fewer than two tables, a weight is none, one has no scores, they
            show their clips in different orders, or they cannot be joined (`join_predictions`).
    """
    shares = weight_shares(weights, len(tables))
    first = tables[0].scored()
    for other in tables[1:]:
        if other.origin.order != first.origin.order:
            raise DataError(
                f"{first.source or first.model} has its frames {first.origin.order},"
                f" {other.source or other.model} {other.origin.order}; fuse tables of one order"
            )
        first = join_predictions(first, other).a
    matched = [first, *(join_predictions(first, other).b for other in tables[1:])]
    logits = [one.require_scores("fusion").astype(np.float64) for one in matched]
    values = logits if of == "logits" else [softmax(one) for one in logits]
    mean = np.tensordot(shares, np.stack(values), 1)
    if of == "probabilities":
        mean = np.log(np.maximum(mean, SMALLEST))
    given = weights if weights is not None else (1.0,) * len(tables)
    table = replace(
        first,
        origin=_origin(matched, given, of),
        scores=mean.astype(np.float32),
        likeliest=None,
        features=None,
        source="",
        sha256="",
        notes=(),
    )
    left_out = tuple(len(one.scored().ids) - len(first.ids) for one in tables)
    return FusedPredictions(table, tuple(matched), left_out)


def _origin(tables: Sequence[Predictions], weights: Sequence[float], of: Average) -> Provenance:
    """What the fused table is of: all that its parts are of, each thing said once."""
    origins = [one.origin for one in tables]

    def all_of(name: str, between: str) -> str:
        found = (getattr(origin, name) for origin in origins)
        return between.join(dict.fromkeys(one for one in found if one))

    names = " + ".join(origin.model for origin in origins)
    return replace(
        origins[0],
        model=f"{names} ({of} {written(weights)})",
        checkpoint=" + ".join(origin.checkpoint or "unknown" for origin in origins),
        data=all_of("data", " and "),
        data_sha256=all_of("data_sha256", " + "),
        views=all_of("views", ", "),
        precision=all_of("precision", ", "),
        average=of,
        caution=all_of("caution", " "),
    )


def _check(weights: Sequence[float], count: int, text: str) -> None:
    sound = all(np.isfinite(weight) and weight >= 0 for weight in weights)
    if len(weights) != count or not sound or not sum(weights):
        raise DataError(
            f"fusion weights {text!r}: give {count} numbers that are not negative, one a model,"
            f" such as {':'.join(['1'] * (count - 1) + ['1.5'])}"
        )
