"""Text that LaTeX shows as it is."""

from __future__ import annotations

_PLAIN = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_PLAIN |= {character: "\\" + character for character in "&%$#_"}


def latex_escape(text: str) -> str:
    """``text`` with every character that LaTeX would take for its own made plain."""
    return "".join(_PLAIN.get(character, character) for character in text)
