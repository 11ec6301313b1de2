"""A colour for every model, the same on every page and in every figure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from gsm_model.predictions.table import Predictions

# Okabe and Ito's colours, distinct for the colour-blind, legible on light and on dark; then six
# that are, to the colour-blind as to others, as far from all before them as those are from another.
MODEL_COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9"),
    *("#6600FF", "#5577FF", "#88CC77", "#BB1133", "#665566", "#FF99AA"),
)
_NO_MODELS = MODEL_COLORS[4]  # of what belongs to no model, such as the clips that neither solves


def model_color(number: int) -> str:
    """The colour of the model ``number`` of a session, from 0 on; a thirteenth has the first's."""
    return MODEL_COLORS[number % len(MODEL_COLORS)]


@dataclass(frozen=True)
class KnownModel:
    """A model that has its colour by its place among others: its file's SHA-256, and what it is
    called.
    """

    sha256: str
    names: tuple[str, ...]


def bundled_models() -> tuple[KnownModel, ...]:
    """The models that came with the project, in the order in which the app has them."""
    from gsm_model.bundled import bundled_checkpoints
    from gsm_model.errors import DataError
    from gsm_model.io.hashing import sha256

    try:
        found = bundled_checkpoints()
    except DataError:
        return ()
    return tuple(KnownModel(sha256(path), (key, path.stem)) for key, path in found.items())


def table_colors(
    tables: Sequence[Predictions], known: Sequence[KnownModel] = ()
) -> tuple[str, ...]:
    """A colour for each of ``tables``, of which no two share one.

    A table of one of the ``known`` models, by its checkpoint or else by its name, has that model's.
    Any other has one that follows from what it is of alone, wherever it stands, and that no known
    model has as long as there are such.
    """
    keys = [_identity(table) for table in tables]
    colors: dict[int, str] = {}
    for place, table in enumerate(tables):
        number = _number(table, known)
        if number is not None and model_color(number) not in colors.values():
            colors[place] = model_color(number)
    kept = {model_color(number) for number in range(len(known))}
    for place in sorted(set(range(len(tables))) - set(colors), key=lambda place: keys[place]):
        free = [color for color in MODEL_COLORS if color not in colors.values()]
        free = [color for color in free if color not in kept] or free or list(MODEL_COLORS)
        # Another model that is loaded changes this choice only if it takes the very colour.
        colors[place] = min(free, key=lambda color: _hash(keys[place], color))
    return tuple(colors[place] for place in range(len(tables)))


def color_beside(colors: Sequence[str]) -> str:
    """A colour for what belongs to none of the models of ``colors``."""
    return next(color for color in (_NO_MODELS, *MODEL_COLORS) if color not in colors)


def _number(table: Predictions, known: Sequence[KnownModel]) -> int | None:
    """Which of the known models a table is of."""
    for number, model in enumerate(known):
        if model.sha256 == table.origin.checkpoint:
            return number
    if _is_hash(table.origin.checkpoint):  # of another file, whatever it is called
        return None
    name = _plain(table.model)
    for number, model in enumerate(known):
        if name in map(_plain, model.names):
            return number
    return None


def _is_hash(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _plain(name: str) -> str:
    """A name's letters and digits: *GSM ResNet-18* is called as ``gsm_resnet18`` is."""
    return "".join(filter(str.isalnum, name.casefold()))


def _identity(table: Predictions) -> str:
    """What a table is of, as a hash: its model, and where tables of one model meet, its file."""
    origin = table.origin
    return _hash(origin.checkpoint, origin.model, origin.order, table.sha256, table.source)


def _hash(*texts: str) -> str:
    return hashlib.sha256(repr(texts).encode()).hexdigest()
