"""Long class names on small figures: wrapped, or shortened so that they stay distinct."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence


def wrapped(label: str, width: int) -> str:
    """``label`` in lines of at most ``width`` characters, broken between words where it can be."""
    return "\n".join(textwrap.wrap(label, width)) or label


def shortened(labels: Sequence[str], length: int) -> list[str]:
    """Each label in at most ``length`` characters, its middle replaced by …; those that would come out the same keep as much of
    themselves as tells them apart."""
    shown = [_cut(label, length) for label in labels]
    while len(set(shown)) < len(set(labels)) and length < max(map(len, labels)):
        length += 4
        again = {text for text in shown if shown.count(text) > 1}
        shown = [_cut(label, length) if text in again else text for label, text in zip(labels, shown, strict=True)]
    return shown


def _cut(label: str, length: int) -> str:
    if len(label) <= length:
        return label
    tail = (length - 1) // 2
    return label[: length - 1 - tail].rstrip() + "…" + label[len(label) - tail :].lstrip()
