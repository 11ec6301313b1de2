"""Class names that a person lists, with a star for anything, and named groups of them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

from gsm_model.errors import DataError
from gsm_model.io.text import decode_text

MAX_LIST_BYTES = 4_000_000


def read_list_text(path: Path, labels: tuple[str, ...] = ()) -> str:
    """The text of a list that a person wrote of the classes ``labels``, in any encoding.

    Raises:
        DataError: if the file cannot be read, its encoding is not to be told, or it has more than
            4 MB.
    """
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise DataError(
                f"{path.name}: {path.stat().st_size / 1e6:.0f} MB is more than a list of"
                " classes has"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path.name}: not a list that can be read ({type(error).__name__})"
        ) from None
    try:
        return decode_text(content, "it", expected=labels).text
    except DataError as error:
        raise DataError(f"{path.name}: not a list that can be read; {error}") from None


def read_groups(path: Path, labels: tuple[str, ...]) -> dict[str, list[int]]:
    """The groups of a file, as `parse_groups` reads its text.

    Raises:
        DataError: if the file cannot be read, or its text is no list of groups.
    """
    return parse_groups(read_list_text(path, labels), labels, path.name)


def parse_groups(text: str, labels: tuple[str, ...], name: str) -> dict[str, list[int]]:
    """A person's own groups of classes: a line a group, its name, a colon, and class names
    separated by semicolons; ``*`` stands for anything. Group → class indices, in the order of the
    text; a class may be in several. ``name`` is what messages call the text.

    Raises:
        DataError: if a line has no name or no classes, a group comes twice, or a name fits no
            class.
    """
    groups: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        group, colon, rest = (part.strip() for part in line.partition(":"))
        patterns = [part.strip() for part in rest.split(";") if part.strip()]
        if not group or not colon or not patterns:
            raise DataError(
                f"{name}: line {number} is not a name, a colon and class names separated by"
                " semicolons"
            )
        if group in groups:
            raise DataError(f"{name}: line {number} names the group {group!r} again")
        groups[group] = sorted(
            {
                index
                for pattern in patterns
                for index in matching_classes(pattern, labels, name, number)
            }
        )
    if not groups:
        raise DataError(f"{name}: no group in it")
    return groups


def matching_classes(pattern: str, labels: tuple[str, ...], name: str, line: int) -> list[int]:
    """The indices of the ``labels`` that ``pattern`` fits; only the star is special. ``name`` and
    ``line`` are for the message.

    Raises:
        DataError: if there are none.
    """
    # Names of classes have brackets in them, which fnmatch would take for its own.
    plain = pattern.replace("[", "[[]").replace("?", "[?]")
    found = [index for index, label in enumerate(labels) if fnmatchcase(label, plain)]
    if not found:
        raise DataError(f"{name}: line {line}: {pattern!r} is none of the {len(labels)} classes")
    return found
