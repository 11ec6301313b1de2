"""Figures of a set of clips, each with its 95 % interval: shares, means, changes of a share."""

from __future__ import annotations

import numpy as np
import scipy  # whose parts are loaded when they are first used; statistics take a second

from gsm_model.models.card import Measure


def measure_share(metric: str, hits: int, n: int, data: str) -> Measure:
    """``hits`` of ``n`` clips as a `Measure`, with Wilson's 95 % interval (scipy's).

    Raises:
        ValueError: if ``n`` is not positive or ``hits`` is outside 0 … n.
    """
    interval = scipy.stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    return Measure(metric, hits / n, float(interval.low), float(interval.high), n, data)


def measure_mean(metric: str, values: np.ndarray, data: str) -> Measure:
    """The mean of one value a clip, ``values`` (n,), with Student's 95 % interval (scipy's); of one
    clip the interval is not known (NaN).

    Raises:
        ValueError: if there is no value.
    """
    n = len(values)
    if n == 0:
        raise ValueError(f"{metric}: there is no clip to average over")
    mean = float(np.mean(values))
    error = float(scipy.stats.sem(values)) if n > 1 else float("nan")
    # With no spread at all the interval is the mean itself; scipy would divide by zero.
    low = high = mean + 0 * error
    if error > 0:
        low, high = scipy.stats.t.interval(0.95, n - 1, mean, error)
    return Measure(metric, mean, float(low), float(high), n, data)


def measure_change(metric: str, before: np.ndarray, after: np.ndarray, data: str) -> Measure:
    """How a share changes on the same clips: ``before`` and ``after`` (n,) bool say for which it
    holds. In −1 … 1, with its 95 % interval.

    The interval is Agresti and Min's for matched pairs (*Statistics in Medicine* 24, 2005): half a
    clip is added to each of the four cells, so that it has a width also where no clip changes.

    Raises:
        ValueError: if there is no clip or the two are of different length.
    """
    n = len(before)
    if n == 0 or len(after) != n:
        raise ValueError(
            f"{metric}: the same clips are needed before and after, got {n} and {len(after)}"
        )
    gained, lost = int(np.sum(after & ~before)), int(np.sum(before & ~after))
    centre = (gained - lost) / (n + 2)
    variance = ((gained + lost + 1) / (n + 2) - centre**2) / (n + 2)
    spread = scipy.stats.norm.ppf(0.975) * np.sqrt(variance)
    low, high = max(centre - spread, -1.0), min(centre + spread, 1.0)
    return Measure(metric, (gained - lost) / n, float(low), float(high), n, data)
