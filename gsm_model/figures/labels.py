"""Class names on small figures: wrapped, or shortened so that they stay distinct; never taken for
mathematics.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from gsm_model.figures.fonts import has_all, printable

# [something] where a label file has brackets, else the words that Something-Something leaves open.
_OPEN = re.compile(r"\[([^\[\]\n]+)\]|\b(something|somewhere)\b")


def in_print(label: str, italics: bool = False) -> str:
    """``label`` as matplotlib shows it letter by letter, with its open words in italics and without
    their brackets if ``italics`` and the font of figures has all its letters.
    """
    label = printable(label)
    plain = label.replace("$", r"\$")
    # Italics are set as mathematics, which has one font and no other to fall back to.
    if not italics or not has_all(label):
        return plain
    return _OPEN.sub(
        lambda found: rf"$\mathit{{{(found[1] or found[2]).replace(' ', chr(92) + ' ')}}}$", plain
    )


def wrapped(label: str, width: int) -> str:
    """``label`` in lines of at most ``width`` characters, broken between words where it can be."""
    return "\n".join(textwrap.wrap(label, width)) or label


def shortened(labels: Sequence[str], length: int) -> list[str]:
    """Each label in at most ``length`` characters, its middle replaced by …, between words where it
    can be; those that would come out the same keep as much of themselves as tells them apart."""
    shown = [_cut(label, length) for label in labels]
    while len(set(shown)) < len(set(labels)) and length < max(map(len, labels)):
        length += 4
        again = {text for text in shown if shown.count(text) > 1}
        shown = [
            _cut(label, length) if text in again else text
            for label, text in zip(labels, shown, strict=True)
        ]
    return shown


def _cut(label: str, length: int) -> str:
    if len(label) <= length:
        return label
    words = label.split()
    ends = [
        (first, last) for first in range(1, len(words)) for last in range(1, len(words) - first + 1)
    ]
    fitting = [
        f"{' '.join(words[:first])} … {' '.join(words[-last:])}"
        for first, last in ends
        if first + last < len(words)
    ]
    fitting = [text for text in fitting if len(text) <= length]
    if fitting:
        return max(fitting, key=len)
    tail = (length - 1) // 2
    return label[: length - 1 - tail].rstrip() + "…" + label[len(label) - tail :].lstrip()
