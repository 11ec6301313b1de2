"""Fonts that have the characters of a figure: class names come in every script."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterable
from functools import cache

import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from gsm_model.errors import FontError

# Fonts that draw the same box, or nothing, for every character.
_NO_FONTS = re.compile(r"last.?resort|adobe ?(not)?blank|tofu|unicode bmp fallback", re.IGNORECASE)
# Of fonts that have as many of the characters the first; beside these, by name.
_RATHER = ("Noto Sans", "Source Han Sans", "Sans", "Gothic", "Hei", "UI", "Emoji")
# Joiners and selectors, which change how their neighbours look and are nothing themselves.
_UNSEEN = re.compile(
    r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_CONTROL = re.compile(r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f]")
# What to install for the characters of a block: the first word of their names, and a font.
_TO_INSTALL = {
    "CJK": "Noto Sans CJK (fonts-noto-cjk)",
    "HIRAGANA": "Noto Sans CJK (fonts-noto-cjk)",
    "KATAKANA": "Noto Sans CJK (fonts-noto-cjk)",
    "HALFWIDTH": "Noto Sans CJK (fonts-noto-cjk)",
    "FULLWIDTH": "Noto Sans CJK (fonts-noto-cjk)",
    "IDEOGRAPHIC": "Noto Sans CJK (fonts-noto-cjk)",
    "HANGUL": "Noto Sans CJK (fonts-noto-cjk)",
}
_SYMBOLS = "Symbola or Noto Emoji, not in colour (fonts-symbola)"
_OTHERS = "Noto Sans (fonts-noto-core)"


# Which weights a family comes in is no news to whoever wants its characters.
logging.getLogger("matplotlib.font_manager").addFilter(
    lambda record: "font weight" not in record.getMessage()
)


def printable(text: str) -> str:
    """``text`` with a space for every character that no font has: tabs, other spaces, controls."""
    return _CONTROL.sub(" ", text)


@cache
def characters_of(path: str) -> np.ndarray:
    """The code points, sorted, that the font file at ``path`` has outlines for; none of a font of
    pictures in colour, which figures cannot be drawn with.
    """
    try:
        font = font_manager.get_font(path)
        codes = list(font.get_charmap()) if font.scalable else []
    except (RuntimeError, OSError, ValueError):
        codes = []
    return np.sort(np.array(codes, dtype=np.uint32))


def _has(characters: np.ndarray, letter: str) -> bool:
    place = int(np.searchsorted(characters, ord(letter)))
    return place < len(characters) and int(characters[place]) == ord(letter)


def has_all(text: str) -> bool:
    """Whether the font of figures has all characters of ``text``."""
    return not _missing(text, FontProperties())


def _missing(text: str, properties: FontProperties) -> set[str]:
    """The characters of ``text`` that none of the families of ``properties`` has."""
    known = [characters_of(_path(family, properties)) for family in properties.get_family()]
    return {
        letter
        for letter in set(text) - {"\n"}
        if not any(_has(characters, letter) for characters in known)
    }


def _path(family: str, properties: FontProperties) -> str:
    """The file that matplotlib takes for ``family`` in the style of ``properties``; empty if there
    is none.
    """
    wanted = properties.copy()
    wanted.set_family(family)
    try:
        return str(font_manager.findfont(wanted, fallback_to_default=False))
    except ValueError:
        return ""


def families_for(missing: Iterable[str], properties: FontProperties) -> tuple[list[str], set[str]]:
    """Families of installed fonts that together have the ``missing`` characters, as few as can be
    found one by one, in the style of ``properties``; and the characters that none has.
    """
    chosen, left = _chosen(set(missing), properties)
    if left and _look_again():
        chosen, left = _chosen(set(missing), properties)
    return chosen, left


def _chosen(left: set[str], properties: FontProperties) -> tuple[list[str], set[str]]:
    chosen: list[str] = []
    had: dict[str, set[str]] = {}
    for family in sorted(_families(), key=_preference):
        characters = characters_of(_path(family, properties))
        had[family] = {letter for letter in left if _has(characters, letter)}
        if had[family] == left:  # there may be hundreds more to look into
            return [family], set()
    while had:
        best = max(had, key=lambda family: len(had[family] & left))  # of several the first
        if not had[best] & left:
            break
        chosen.append(best)
        left = left - had[best]
    return chosen, left


def _look_again() -> bool:
    """Find fonts that were installed since matplotlib last made its list; whether there are any."""
    manager = font_manager.fontManager
    before = {str(entry.fname) for entry in manager.ttflist}
    new = [path for path in sorted(font_manager.findSystemFonts()) if path not in before]
    for path in new:
        try:
            manager.addfont(path)
        except (RuntimeError, OSError, ValueError):
            continue
    return bool(new)


def _families() -> list[str]:
    names = {entry.name for entry in font_manager.fontManager.ttflist}
    return sorted(name for name in names if not _NO_FONTS.search(name))


def _preference(family: str) -> tuple[int, str]:
    return next((n for n, part in enumerate(_RATHER) if part in family), len(_RATHER)), family


def give_fonts(figure: Figure) -> None:
    """Set the text of ``figure`` in fonts that have its characters, each in the first of its own
    fonts that has it.

    Raises:
        FontError: with all characters that no installed font has.
    """
    nowhere: set[str] = set()
    for text in figure.findobj(Text):
        content = text.get_text()
        if content.isascii() and content.isprintable():
            continue
        content = printable(content)
        properties = text.get_fontproperties()
        unseen = {letter for letter in _missing(content, properties) if _UNSEEN.match(letter)}
        content = "".join(letter for letter in content if letter not in unseen)
        if content != text.get_text():
            text.set_text(content)
        if missing := _missing(content, properties):
            families, left = families_for(missing, properties)
            nowhere |= left
            text.set_fontfamily([*text.get_fontfamily(), *families])
    if nowhere:
        raise FontError(_message(nowhere))


def _message(missing: set[str]) -> str:
    shown = sorted(missing)
    listed = " ".join(shown[:12]) + (" …" if len(shown) > 12 else "")
    fonts = sorted({_to_install(letter) for letter in shown})
    return (
        f"no installed font has {len(shown)} of the characters to be drawn ({listed}), so there is"
        f" no figure; install {' and '.join(fonts)}, or another font that has them"
    )


def _to_install(letter: str) -> str:
    if unicodedata.category(letter) in ("So", "Sk", "Sm"):
        return _SYMBOLS
    word = re.split(r"[ -]", unicodedata.name(letter, ""))[0]
    return _TO_INSTALL.get(word, _OTHERS)
