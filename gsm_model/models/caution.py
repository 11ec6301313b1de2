"""What a model cannot be expected to judge: one sentence beside its answer to a clip.

Inferred from what its card records, from whether the clip is one of this project's drawn ones, and
from the names of its classes; never from how sure it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from gsm_model.models.card import Card

FILMED_FIGURES = Path(__file__).parent / "filmed.json"
# untrained: random weights; drawn: has seen drawn clips only, and the clip is filmed; measured: the
# same, and it was measured on filmed clips of the class that it answers; film: the reverse of
# drawn; classes: none of its classes can fit, only a narrow kind of clip fits, they are tags or
# have no names; unknown: its file does not record what it was trained on.
Kind = Literal["untrained", "drawn", "measured", "film", "classes", "unknown"]
KINDS: tuple[Kind, ...] = ("untrained", "drawn", "measured", "film", "classes", "unknown")
# Data sets all of whose classes are of one narrow kind, by their titles in the catalogue.
NARROW = {
    "Diving48": "dives in competitions",
    "FineGym99": "elements of gymnastics",
    "Jester": "gestures of a hand before a camera",
    "ImageNet-1K": "things in single pictures",
    "EPIC-Kitchens-100": "actions in kitchens, filmed from the head of whoever does them",
}
# Data sets whose clips have several of the classes at once, by their titles in the catalogue.
_HVU = ("actions", "scenes", "objects", "events", "concepts", "attributes")
TAGS = ("Multi-Moments in Time", *(f"HVU {what}" for what in _HVU))
_TAGS_ARE = (
    "the classes are tags of which several can be right at once, so percentages rank them and say"
    " no more"
)
# What a training data of drawn clips says of itself where the classes are motions alone.
_MOTIONS = "pairs, motions"
_OF_MOTIONS = "motions of a thing or of the camera"
_CHANCE = {
    "within pair": "a guess gives 50 %",
    "within pair, both": "a model that averages frames gives 0 %",
}
_SHOWN = {
    "within pair": "scores the class above its time reversal",
    "within pair, both": "scores the class above its time reversal, played forward and reversed,",
}


@dataclass(frozen=True)
class Caution:
    """Why the answer of the model called ``name`` to a clip may mean little. ``because`` is what is
    known. ``more`` is what was measured on filmed clips, or the class that a drawn clip shows and
    the model lacks; empty where there is neither.
    """

    kind: Kind
    name: str
    because: str
    more: str = ""

    @property
    def text(self) -> str:
        """One sentence, or two with a measured figure."""
        return in_words([self])

    @property
    def wants_film(self) -> bool:
        """Whether a model that was trained on filmed clips would be the better one to ask."""
        return self.kind in ("drawn", "measured")


def caution_of(card: Card, drawn: str | None, answer: str | None = None) -> Caution | None:
    """What is to be said of the answer of ``card``'s model to a clip; ``drawn`` is what the clip
    shows if it is one of this project's own, ``None`` if it counts as filmed. ``answer`` is the
    class it answers, of whose pair it may have been measured on filmed clips.
    """
    if card.provenance == "untrained":
        return Caution("untrained", card.name, "")
    if card.domain == "unknown":
        known = "what it was trained on"
        missing = known if card.provenance == "trained" else f"whether it was trained, or {known}"
        return Caution("unknown", card.name, missing)
    if card.domain == "drawn" and drawn is None:
        return _of_film(card, answer)
    missing = "" if drawn is None or drawn in (card.labels or (drawn,)) else drawn
    if card.domain == "filmed" and drawn is not None:
        return Caution("film", card.name, card.training_data, missing)
    if missing:
        return Caution("classes", card.name, f"“{missing}” is none of its classes")
    said = "; ".join(_of_classes(card)) if card.domain == "filmed" else ""
    return Caution("classes", card.name, said) if said else None


def narrow_kind(card: Card) -> str:
    """The one kind of things that all classes of ``card``'s model are of, as a page says it; empty
    if they are of many.
    """
    return NARROW.get(card.training_data, _OF_MOTIONS if _MOTIONS in card.training_data else "")


def _of_classes(card: Card) -> Iterator[str]:
    """What is to be known of the classes of ``card``'s model whatever a clip shows."""
    if card.training_data in NARROW:
        yield (
            f"it knows {NARROW[card.training_data]} only ({card.training_data}) and answers with"
            " one of them whatever a clip shows"
        )
    if card.training_data in TAGS:
        yield _TAGS_ARE
    if card.labels is None:
        yield "the order of the classes is not known, so they show as numbers"


def caution_of_list(card: Card, are_drawn: Callable[[], bool]) -> str:
    """What is to be said of the answers of ``card``'s model to the clips of a list, of which
    ``are_drawn`` finds out whether they are this project's own; empty if nothing is.
    """
    if card.provenance == "untrained":
        return Caution("untrained", card.name, "").text
    if card.domain == "drawn" and not are_drawn():
        return f"{card.name} has only seen drawn clips, and these count as filmed."
    if card.domain == "filmed" and are_drawn():
        return f"{card.name} was trained on filmed clips, and these are drawn."
    return ""


def in_words(cautions: Sequence[Caution]) -> str:
    """All of ``cautions``, those of one kind and reason together, in the order of `KINDS`."""
    groups: dict[tuple[str, str], list[Caution]] = {}
    for kind in KINDS:
        for one in cautions:
            if one.kind == kind:
                groups.setdefault((kind, one.because), []).append(one)
    return " ".join(_sentence(group) for group in groups.values())


def in_short(cautions: Iterable[Caution | None]) -> str:
    """`in_words` without what was measured, for figures and films."""
    return in_words([replace(one, more="") if one.wants_film else one for one in cautions if one])


def _sentence(group: Sequence[Caution]) -> str:
    first, several = group[0], len(group) > 1
    names = _listed(one.name for one in group)
    have, whose = ("have", "their answers") if several else ("has", "its answer")
    if first.kind == "untrained":
        mean = "mean" if several else "means"
        return f"{names} {have} random weights: {whose} {mean} nothing."
    if first.kind == "unknown":
        do = "their files do" if several else "its file does"
        return f"{names}: {do} not record {first.because}."
    if first.kind == "drawn":
        figures = "".join(f" {one.name} {one.more}." for one in group if one.more)
        return (
            f"{names} {have} only seen drawn clips, and this clip counts as filmed: {whose} may"
            f" mean nothing.{figures}"
        )
    if first.kind == "measured":
        figures = "".join(f" {one.name} {one.more}." for one in group if one.more)
        return f"{names} {have} only seen drawn clips, and this clip counts as filmed.{figures}"
    if first.kind == "film":
        on = f" ({first.because})" if first.because else ""
        without = [one for one in group if one.more]
        none = (
            f"; “{without[0].more}” is none of the classes of"
            f" {_listed(one.name for one in without)}"
            if without
            else ""
        )
        were = "were" if several else "was"
        tags = f"; {_TAGS_ARE}" if first.because in TAGS else ""
        return f"{names} {were} trained on filmed clips{on}, and this clip is drawn{none}{tags}."
    return f"{names}: {first.because}."


def _listed(names: Iterable[str]) -> str:
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} and {last}" if others else last


@cache
def _figures() -> dict[str, list[dict]]:
    content: dict[str, dict[str, list[dict]]] = json.loads(
        FILMED_FIGURES.read_text(encoding="utf-8")
    )
    return content["measured"]


def _of_film(card: Card, answer: str | None) -> Caution:
    """What is to be said where a model that has seen drawn clips meets a filmed one."""
    rows = _figures().get(card.sha256, [])
    of_pairs = [row for row in rows if "pair" in row]
    here = [row for row in of_pairs if answer in row["pair"]]
    kind = narrow_kind(card)
    narrow = (
        f"knows {kind} only, and answers with one of them whatever a clip shows" if kind else ""
    )
    if here:
        return Caution("measured", card.name, "", _joined(narrow, _in_figures(here)))
    measured = _in_figures([row for row in rows if "pair" not in row])
    none = ""
    if of_pairs and answer is not None:
        none = f"was not measured on filmed clips of “{answer}”"
    return Caution("drawn", card.name, "", _joined(narrow, measured, none))


def _joined(*told: str) -> str:
    """What is known of a model, each with its verb, after its name."""
    return "; it ".join(one for one in told if one)


def _in_figures(rows: Sequence[Mapping[str, Any]]) -> str:
    """What was measured on filmed clips, with Wilson's 95 % intervals; empty without ``rows``."""
    if not rows:
        return ""
    from scipy.stats import binomtest  # takes its time, and is seldom needed

    parts = []
    for row in rows:
        hits, n, metric = row["hits"], row["n"], row["metric"]
        interval = binomtest(hits, n).proportion_ci(0.95, method="wilson")
        shown = _SHOWN.get(metric, f"is right by {metric}")
        chance = f"; {_CHANCE[metric]}" if metric in _CHANCE else ""
        parts.append(
            f"{shown} in {hits} of {n} {row['data']} ({100 * hits / n:.0f} %, 95 % interval"
            f" {100 * interval.low:.0f} to {100 * interval.high:.0f} %{chance})"
        )
    return " and ".join(parts)
