"""Whether a system tells more, or less, than GSM when both are trained alike: exact paired tests on
the same clips, from the counts in the table of systems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gsm_model.confusion.significance import corrected, difference_interval, mcnemar

Figure = Literal["top1", "within_pair"]
TESTED = 0.05


@dataclass(frozen=True)
class SystemDifference:
    """A system beside GSM on n clips: on how many just one of the two networks is right, the
    ``difference`` of accuracies (this − GSM) with its 95 % bootstrap interval, McNemar's exact
    two-sided ``p``, and the same corrected after Holm for all systems that were tested.

    It is of two trained networks; other seeds of the same systems may differ otherwise.
    """

    name: str
    n: int
    only_this: int
    only_gsm: int
    difference: float
    low: float
    high: float
    p: float
    p_holm: float

    @property
    def is_real(self) -> bool:
        """Whether the corrected p is below 5 %."""
        return self.p_holm < TESTED


def differences_to_gsm(
    rows: Sequence[Mapping[str, Any]], split: str, figure: Figure
) -> dict[str, SystemDifference]:
    """Name → difference of each of ``rows`` (of `systems_table`) that was measured beside GSM."""
    counts = {
        row["name"]: found
        for row in rows
        if (found := ((row.get("against_gsm") or {}).get(split) or {}).get(figure))
    }
    p = {name: mcnemar(of["only_gsm"], of["only_this"]) for name, of in counts.items()}
    holm = dict(zip(p, corrected(list(p.values()), "holm"), strict=True))
    return {
        name: SystemDifference(
            name,
            of["n"],
            of["only_this"],
            of["only_gsm"],
            (of["only_this"] - of["only_gsm"]) / of["n"],
            *difference_interval(
                of["only_gsm"], of["only_this"], of["n"], np.random.default_rng(0)
            ),
            p[name],
            holm[name],
        )
        for name, of in counts.items()
    }
