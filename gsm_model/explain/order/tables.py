"""The order analysis as rows for a table."""

from __future__ import annotations

from collections.abc import Sequence

from gsm_model.evaluation.reversal import Flips
from gsm_model.explain.order.report import OrderReport


def clip_table(clip: str, report: OrderReport) -> list[dict]:
    """One row an order: the clip, the model and its hash, the order, the probability of the forward
    answer and of its reversal, and why the answer may mean little.
    """
    answer, reverse, caution = report.answer, report.reversed_class, report.caution
    return [
        {
            "clip": clip,
            "model": report.card.name,
            "sha256": report.card.sha256,
            "order": name,
            "answer": report.card.label(answer),
            "probability": float(p[answer]),
            "reversal": "" if reverse is None else report.card.label(reverse),
            "reversal_probability": "" if reverse is None else float(p[reverse]),
            "likeliest": report.card.label(int(p.argmax())),
            "order_sensitivity": report.sensitivity,
            "caution": "" if caution is None else caution.text,
        }
        for name, p in report.rows()
    ]


def flips_table(models: Sequence[tuple[str, Sequence[Flips]]]) -> list[dict]:
    """One row a model and group of clips: each share with the ends of its 95 % interval, and the
    number of clips.
    """
    rows = []
    for name, groups in models:
        for flips in groups:
            row = {
                "model": name,
                "group": flips.group,
                "data": flips.to_reversed_class.data,
                "n": flips.to_reversed_class.n,
            }
            for key in ("to_reversed_class", "stays", "elsewhere"):
                measure = getattr(flips, key)
                row |= {key: measure.value, f"{key}_low": measure.low, f"{key}_high": measure.high}
            rows.append(row)
    return rows
