"""Optical flow whose two components lie in folders of their own, called alike: ``clip/u`` and
``clip/v`` (EPIC-Kitchens), or ``u/clip`` and ``v/clip`` (two-stream networks' and TSM's data).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

# The component to the right and the one down.
COMPONENTS = (("u", "v"), ("x", "y"), ("flow_x", "flow_y"), ("flow_u", "flow_v"))
_GREY = 3  # by how much the colours of a grey picture differ after compression


def flow_folder(path: Path) -> Path | None:
    """Where there is nothing at ``path`` = ROOT/CLIP: the folder ROOT/u/CLIP, if there is a
    ROOT/v/CLIP too.
    """
    root, clip = path.parent, path.name
    try:
        if not clip or path.exists():
            return None
        found = [
            root / right / clip
            for right, down in COMPONENTS
            if (root / right / clip).is_dir() and (root / down / clip).is_dir()
        ]
    except (OSError, ValueError):  # a name too long, or with a zero byte
        return None
    return found[0] if len(found) == 1 else None


def components_inside(folder: Path) -> tuple[str, str] | None:
    """The folders in ``folder`` that hold the two components of flow, relative to it; ``None`` if
    there are none, or several could be meant.
    """
    found = [
        pair
        for pair in COMPONENTS
        if all((folder / one).is_dir() for one in pair) and _are_grey(folder / one for one in pair)
    ]
    return found[0] if len(found) == 1 else None


def half_of_flow(folder: Path) -> tuple[str, str] | None:
    """Where ``folder`` has a folder for one component of flow and none for the other: the one that
    is there, and the one that is missing.
    """
    for right, down in COMPONENTS:
        there = [one for one in (right, down) if (folder / one).is_dir()]
        if len(there) == 1:
            return there[0], down if there[0] == right else right
    return None


def components_beside(folder: Path) -> tuple[str, str] | None:
    """Where ``folder`` is one of ROOT/u/CLIP and ROOT/v/CLIP: the two, relative to it. Views of a
    scene may be called so too: what is not grey is no flow.
    """
    root, clip = folder.parent.parent, folder.name
    for right, down in COMPONENTS:
        if folder.parent.name not in (right, down):
            continue
        pair = root / right / clip, root / down / clip
        if all(map(Path.is_dir, pair)) and _are_grey(pair):
            first, second = (os.path.relpath(one, folder) for one in pair)
            return first, second
    return None


def _are_grey(folders: Iterable[Path]) -> bool:
    return all(map(_is_grey, folders))


def _is_grey(folder: Path) -> bool:
    """Whether the first picture in ``folder`` has no colours."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_file())
    for name in names:
        try:
            with Image.open(folder / name) as picture:
                if len(picture.getbands()) == 1 and picture.mode != "P":
                    return True
                colours = np.asarray(picture.convert("RGB").resize((32, 32)), dtype=np.int16)
                return int(np.ptp(colours, axis=2).max()) <= _GREY
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
            continue
    return False
