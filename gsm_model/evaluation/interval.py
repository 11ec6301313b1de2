"""A share of clips with its 95 % interval."""

from __future__ import annotations

from scipy.stats import binomtest

from gsm_model.models.card import Measure


def measure_share(metric: str, hits: int, n: int, data: str) -> Measure:
    """``hits`` of ``n`` clips as a `Measure`, with Wilson's 95 % interval (scipy's).

    Raises:
        ValueError: if ``n`` is not positive or ``hits`` is outside 0 … n.
    """
    interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return Measure(metric, hits / n, float(interval.low), float(interval.high), n, data)
