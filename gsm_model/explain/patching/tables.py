"""Patching as rows for a table, and as one object for a program."""

from __future__ import annotations

import math

import numpy as np

from gsm_model.explain.patching.clips import Patching
from gsm_model.explain.patching.features import Side

NOTHING_TO_MOVE = "the two clips give the same, so there is nothing to move and every effect is 0"


def patching_object(found: Patching, side: Side = "after") -> dict:
    """All numbers, as JSON can hold them; ``effect`` is that of ``side``: exact where it was
    patched, else the estimate.
    """
    exact = found.exact.get(side)
    whole = found.whole.get(side)
    correlation, cells = found.agreement(side)
    return {
        "model": found.card.name,
        "sha256": found.card.sha256,
        "target": found.target.name(found.card),
        "donor": found.donor_name,
        "align": found.align,
        "side": side,
        "layers": list(found.layers),
        "frames": len(found.frame_indices),
        "frame_indices": found.frame_indices.tolist(),
        "effect": found.effect(side).tolist(),
        "is_exact": None if exact is None else np.isfinite(exact).tolist(),
        "whole": None if whole is None else whole.tolist(),
        "input": found.whole_input,
        "inputs": None if found.inputs is None else found.inputs.tolist(),
        "logits": {"clip": found.before, "donor": found.donor},
        "moves": found.moves,
        "note": "" if found.moves else NOTHING_TO_MOVE,
        "agreement": {
            "spearman": correlation if math.isfinite(correlation) else None,
            "cells": cells,
        },
        "attribution": {side: grid.tolist() for side, grid in found.attribution.items()},
        "passes": found.passes,
        "caution": None if found.caution is None else found.caution.text,
    }


def patching_rows(clip: str, found: Patching) -> list[dict]:
    """One row a side, layer and frame, and one a side and layer with all frames (frame ``all``)."""
    about: dict[str, object] = {
        "clip": clip,
        "model": found.card.name,
        "sha256": found.card.sha256,
        "target": found.target.name(found.card),
        "donor": found.donor_name,
        "align": found.align,
    }
    rows = []
    for side, estimates in found.attribution.items():
        exact, whole = found.exact.get(side), found.whole.get(side)
        for at, layer in enumerate(found.layers):
            if whole is not None:
                all_frames = {"frame": "all", "estimate": None, "exact": float(whole[at])}
                rows.append({**about, "side": side, "layer": layer, **all_frames})
            for frame, index in enumerate(found.frame_indices):
                value = math.nan if exact is None else float(exact[at, frame])
                cell = {
                    "frame": int(index),
                    "estimate": float(estimates[at, frame]),
                    "exact": value if math.isfinite(value) else None,
                }
                rows.append({**about, "side": side, "layer": layer, **cell})
    return rows
