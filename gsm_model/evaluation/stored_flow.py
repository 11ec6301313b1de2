"""Lists whose folders hold optical flow: what models of flow, and others, make of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from gsm_model.data.lists import Fault, VideoList
from gsm_model.errors import DataError
from gsm_model.motion.stored import Zero, zero_of
from gsm_model.video.modality import Modality
from gsm_model.video.source import DATA_SET
from gsm_model.video.stored_flow import ASK_ZERO
from gsm_model.video.views import flow_sample

FOLDERS = 16  # whose bytes tell which is no motion


def for_modality(videos: VideoList, modality: Modality, zero: Zero | None = None) -> VideoList:
    """``videos`` for a model of ``modality``.

    For one of flow: with the byte of no motion in the folders that hold flow, ``zero`` or what
    their bytes say, one for the whole list, and a sentence on it. For others the folders that hold
    flow alone are faults.

    Raises:
        DataError: if the byte of no motion cannot be told.
        VideoError: if a folder's pictures cannot be read.
    """
    if modality.kind != "flow":
        return _without_flow_alone(videos, modality)
    holding = [entry for entry in videos.entries if entry.flow]
    if not holding:
        return videos
    read_off = zero is None
    if zero is None:
        some = holding[:: -(-len(holding) // FOLDERS)]
        found = [flow_sample(entry.path, entry.id, DATA_SET) for entry in some]
        zero = zero_of(np.concatenate([one.ravel() for one in found if one is not None]))
        if zero is None:
            raise DataError(f"{videos.name}: {len(holding)} folders hold optical flow; {ASK_ZERO}")
    kinds = Counter(entry.flow for entry in holding)
    others = len(videos.entries) - len(holding)
    note = (
        f"optical flow is read from {len(holding)} folders ({kinds['alone']} without pictures), no"
        f" motion is {zero}{', as their bytes say' if read_off else ''}"
        + (f"; that of {others} other clips is computed" if others else "")
    )
    entries = tuple(
        replace(entry, flow_zero=zero) if entry.flow else entry for entry in videos.entries
    )
    return replace(videos, entries=entries, notes=(*videos.notes, note))


def _without_flow_alone(videos: VideoList, modality: Modality) -> VideoList:
    alone = [entry for entry in videos.entries if entry.flow == "alone"]
    if not alone:
        return videos
    faults = tuple(
        Fault(
            entry.id,
            f"its folder holds optical flow and no pictures; a model that sees {modality.title}"
            " needs the frames themselves",
        )
        for entry in alone
    )
    entries = tuple(entry for entry in videos.entries if entry.flow != "alone")
    return replace(videos, entries=entries, faults=(*videos.faults, *faults))
