"""The accuracy that a checkpoint's authors publish beside the one that was measured."""

from __future__ import annotations

from dataclasses import dataclass

from gsm_model.models.card import Card, Measure
from gsm_model.models.protocol import EvalProtocol, parse_protocol
from gsm_model.models.published.catalogue import Accuracy, Published, listed_as


@dataclass(frozen=True)
class Beside:
    """The authors' ``top1``, 0 … 1, on ``data`` by ``protocol`` (``None`` where they state none),
    from ``source``; ``within``: it lies in the 95 % interval of what was measured; ``differs`` says
    what else was done here, empty where the protocols are the same.
    """

    top1: float
    protocol: str | None
    data: str
    source: str
    within: bool
    differs: str

    def in_words(self) -> str:
        """One line."""
        where = "inside" if self.within else "outside"
        note = f"; {self.differs}" if self.differs else "; the same protocol"
        return (
            f"{self.top1:.1%} by its authors on {self.data}"
            f" ({self.protocol or 'protocol not stated'}; {self.source}), {where} the interval"
            f" measured{note}"
        )


def published_beside(card: Card, used: EvalProtocol, measured: Measure) -> Beside | None:
    """What the authors of ``card``'s file state of it, for the protocol that was ``used`` if they
    give one accuracy by it, else the first; ``None`` where the file is none of the catalogue's or
    they state nothing.
    """
    one = listed_as(card.file, card.sha256)
    if one is None or not one.accuracy:
        return None
    same = [accuracy for accuracy in one.accuracy if _same(accuracy, one, used)]
    chosen = (same or one.accuracy)[0]
    share = chosen.top1 / 100
    return Beside(
        share,
        chosen.protocol,
        one.data,
        one.source,
        measured.low <= share <= measured.high,
        "" if same else _difference(chosen, used),
    )


def _same(accuracy: Accuracy, one: Published, used: EvalProtocol) -> bool:
    if accuracy.protocol is None:
        return False
    theirs = parse_protocol(accuracy.protocol, one.protocol.average, "")
    seen = {theirs.segments or one.frames, used.segments or one.frames}
    average = theirs.average == used.average or theirs.views == 1
    return (theirs.clips, theirs.crops) == (used.clips, used.crops) and len(seen) == 1 and average


def _difference(accuracy: Accuracy, used: EvalProtocol) -> str:
    frames = f" of {used.segments} frames" if used.segments else ""
    here = f"{used.clips} × {used.crops} views{frames}, {used.average} averaged"
    if accuracy.protocol is None:
        return f"whether that is the protocol used here ({here}) is not known"
    return f"another protocol than here ({here}), so the two are not to be compared"
