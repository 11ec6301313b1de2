"""The models and clips that come with the project, in its ``assets`` folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from gsm_model.errors import DataError


@dataclass(frozen=True)
class SampleClip:
    """A short drawn video: ``name`` for links, the ``label`` of what it shows, and its file."""

    name: str
    label: str
    path: Path


def assets() -> Path:
    """The assets folder: ``GATE_SHIFT_LENS_ASSETS`` if set, else the one beside this package."""
    return Path(
        os.environ.get("GATE_SHIFT_LENS_ASSETS", Path(__file__).resolve().parents[1] / "assets")
    )


def shipped_checkpoints() -> dict[str, Path]:
    """Short name (``gsm``, ``tsm``, ``tsn``) → checkpoint file, GSM first.

    Raises:
        DataError: if the assets folder holds no model.
    """
    found = {
        path.stem.split("_")[0]: path
        for path in sorted((assets() / "models").glob("*.safetensors"))
    }
    if not found:
        raise DataError(
            "No models came with this installation; name one with --checkpoint, or set"
            " GATE_SHIFT_LENS_ASSETS."
        )
    return found


def prediction_files() -> list[Path]:
    """The shipped models' tables of predictions, on drawn clips, forward and reversed; empty if
    there are none.
    """
    return sorted((assets() / "predictions").glob("*.parquet"))


def gate_tables() -> list[Path]:
    """What ``explain gates`` found of the shipped models on drawn test clips; empty if there are
    none.
    """
    return sorted((assets() / "gates").glob("*_gates.parquet"))


def intervention_tables() -> list[Path]:
    """What ``explain interventions`` found of the shipped models on drawn test clips; empty if
    there are none.
    """
    return sorted((assets() / "gates").glob("*_interventions.parquet"))


def cam_tables() -> list[Path]:
    """What ``explain gradcam --drawn`` found of the shipped models' maps on drawn test clips; empty
    if there are none.
    """
    return sorted((assets() / "gradcam").glob("*_cams.csv"))


def sample_clips() -> dict[str, SampleClip]:
    """The sample clips by name, in the order in which they are offered; empty if there are none."""
    index = assets() / "clips" / "clips.json"
    if not index.is_file():
        return {}
    entries = json.loads(index.read_text(encoding="utf-8"))
    return {
        entry["name"]: SampleClip(entry["name"], entry["label"], index.parent / entry["file"])
        for entry in entries
    }
