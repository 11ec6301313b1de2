"""What experiments on gates do to one clip's answer, as rows for a table."""

from __future__ import annotations

from collections.abc import Sequence

from gsm_model.data.labels import reversed_class
from gsm_model.predict import Prediction


def intervention_rows(
    clip: str, before: Prediction, names: Sequence[str], answers: Sequence[Prediction]
) -> list[dict]:
    """One row for no intervention and one for each of ``names``: probabilities of the model's
    answer without any, and of that answer's time reversal (``None`` where it is not among the
    classes), the likeliest class, and how far all probabilities moved.

    ``moved`` is the total variation distance, ½ Σ |p − q|, 0 … 1.
    """
    answer = int(before.probabilities.argmax())
    labels = before.card.labels or ()
    reversal = reversed_class(before.card.label(answer))
    other = labels.index(reversal) if reversal in labels else None
    caution = before.caution
    rows = []
    for name, prediction in zip(("none", *names), (before, *answers), strict=True):
        p = prediction.probabilities
        rows.append(
            {
                "clip": clip,
                "model": before.card.name,
                "sha256": before.card.sha256,
                "order": before.order,
                "intervention": name,
                "answer": before.card.label(answer),
                "probability": float(p[answer]),
                "reversal": None if other is None else reversal,
                "reversal_probability": None if other is None else float(p[other]),
                "likeliest": before.card.label(int(p.argmax())),
                "moved": float(abs(p - before.probabilities).sum() / 2),
                "caution": "" if caution is None else caution.text,
            }
        )
    return rows
