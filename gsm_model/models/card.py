"""A model's card: what it is called, what its classes are, where its weights came from, what was
measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from gsm_model.models.protocol import UNSTATED, EvalProtocol

Provenance = Literal["trained", "untrained", "unknown"]
# What a model has seen in training: clips made by a program, filmed ones, or it is not recorded.
Domain = Literal["drawn", "filmed", "unknown"]
DOMAINS: tuple[Domain, ...] = get_args(Domain)
_OWN_DATA = "Reversible Actions"  # how training on synthetic clips began before cards had a domain


# What files written before call a metric.
_RENAMED_METRICS = {"reversed to partner": "reversed to reversed class"}


@dataclass(frozen=True)
class Measure:
    """One measured figure: a share in 0 … 1 with its 95 % interval, of ``n`` clips of ``data``."""

    metric: str
    value: float
    low: float
    high: float
    n: int
    data: str


@dataclass(frozen=True)
class Card:
    """What is known of a model beside its weights.

    ``provenance`` is ``trained`` only where the file records training; ``unknown`` where it records
    nothing. ``labels`` is ``None`` where the class names are not known. ``file`` and ``sha256`` are
    those of the file the weights were read from, empty for a model that was only built. ``alias``
    tells models of one title apart where several are shown together. ``reading`` is one sentence
    about what was inferred when a published file was read, empty where nothing was. ``domain`` is
    what kind of clips it was trained on, ``protocol`` how its accuracy is measured.
    """

    title: str
    provenance: Provenance = "untrained"
    labels: tuple[str, ...] | None = None
    training_data: str = ""
    recipe: str = ""
    measures: tuple[Measure, ...] = ()
    layout: str = ""
    file: str = ""
    sha256: str = ""
    alias: str = ""
    reading: str = ""
    domain: Domain = "unknown"
    protocol: EvalProtocol = UNSTATED

    @property
    def name(self) -> str:
        """What people are shown: the alias, or the title, marked where the weights are not
        trained.
        """
        return self.alias or (
            f"{self.title} (untrained)" if self.provenance == "untrained" else self.title
        )

    def label(self, index: int) -> str:
        """The name of class ``index``, or ``class 17`` where names are not known."""
        return self.labels[index] if self.labels is not None else f"class {index}"

    def to_json(self) -> str:
        """The card as JSON, without the fields that describe the file it is read from."""
        values = asdict(self)
        for key in ("file", "sha256", "layout", "alias"):
            del values[key]
        nothing_said = UNSTATED.values()
        for key, nothing in (("reading", ""), ("domain", "unknown"), ("protocol", nothing_said)):
            if values[key] == nothing:
                del values[key]
        return json.dumps(values, ensure_ascii=False)

    @classmethod
    def from_values(cls, values: Mapping) -> Card:
        """The card of a parsed `to_json`.

        Raises:
            TypeError, KeyError, ValueError: if the values are not a card's.
        """
        labels = values.get("labels")
        provenance = values.get("provenance", "unknown")
        if provenance not in ("trained", "untrained", "unknown"):
            raise ValueError(f"provenance {provenance!r}")
        training_data = str(values.get("training_data", ""))
        own = provenance == "trained" and training_data.startswith(_OWN_DATA)
        domain = values.get("domain", "drawn" if own else "unknown")
        if domain not in DOMAINS:
            raise ValueError(f"domain {domain!r}")
        return cls(
            title=str(values["title"]),
            provenance=provenance,
            labels=None if labels is None else tuple(str(label) for label in labels),
            training_data=training_data,
            recipe=str(values.get("recipe", "")),
            measures=tuple(_measure(**measure) for measure in values.get("measures", ())),
            reading=str(values.get("reading", "")),
            domain=domain,
            protocol=EvalProtocol.of(values.get("protocol", {})),
        )


def _measure(metric: str, **values: Any) -> Measure:
    return Measure(_RENAMED_METRICS.get(metric, metric), **values)
