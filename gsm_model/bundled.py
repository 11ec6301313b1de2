"""The models and clips that come with the project, in its ``assets`` folder."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsm_model._moved import renamed
from gsm_model.errors import DataError
from gsm_model.io.names import short_names


@dataclass(frozen=True)
class SampleClip:
    """A short drawn video: ``name`` for links, the ``label`` of what it shows, and its file."""

    name: str
    label: str
    path: Path


READERS = (
    "predict",
    "evaluate",
    "order",
    "explain",
    "confusions",
    "benchmark",
    "train",
    "report-card",
)
# Options that name a result.
WRITTEN = ("--out", "--scores", "--csv", "--pdf", "--matrix", "--figure", "--latex", "--store")


def product() -> Path:
    """The folder of the app and its ``assets``: inside this package where it was installed, the top
    of the checkout otherwise.
    """
    installed = Path(__file__).resolve().parent / "_product"
    return installed if installed.is_dir() else installed.parents[1]


def assets() -> Path:
    """The assets folder: ``GATE_SHIFT_LENS_ASSETS`` if set, else the one of the `product`."""
    return Path(os.environ.get("GATE_SHIFT_LENS_ASSETS", product() / "assets"))


def find_asset(given: str) -> str:
    """``given``, or the file that came with the project which it names and which is not there from
    the working folder: ``assets/clips/folding.mp4`` is found wherever a command is run.
    """
    path = Path(given)
    if path.parts[:1] != ("assets",) or ".." in path.parts or path.exists():
        return given
    found = assets().joinpath(*path.parts[1:])
    return str(found) if found.is_file() else given


def find_given(arguments: Sequence[str]) -> list[str]:
    """``arguments`` of a command with `find_asset` for those that name a file to read."""
    found = list(arguments)
    if not found or found[0] not in READERS:
        return found
    return [
        part if before in WRITTEN else find_asset(part)
        for before, part in zip(["", *found], found, strict=False)
    ]


def bundled_checkpoints() -> dict[str, Path]:
    """Short name (``gsm``, ``tsm``, ``tsn``; `short_names`) → checkpoint file, GSM first.

    Raises:
        DataError: if the assets folder holds no model.
    """
    found = short_names(sorted((assets() / "models").glob("*.safetensors")))
    if not found:
        raise DataError(
            "No models came with this installation; name one with --checkpoint, or set"
            " GATE_SHIFT_LENS_ASSETS."
        )
    return found


def randomised_checkpoints() -> dict[str, Path]:
    """Key of the bundled model that a model started from (*gsm*) → the checkpoint that came of it
    by training on randomised clips (*gsm-randomised*), which look more like filmed ones; empty if
    there are none.
    """
    found = sorted((assets() / "models" / "randomised").glob("*.safetensors"))
    return {path.stem.split("-")[0]: path for path in found}


def system_checkpoints() -> dict[str, Path]:
    """Name (*gsf-seed0*) → checkpoint of the systems that were trained alike and came with the
    project; empty if there are none.
    """
    return {path.stem: path for path in sorted((assets() / "systems").glob("*.safetensors"))}


def prediction_files() -> list[Path]:
    """The bundled models' tables of predictions, on drawn clips, forward and reversed; empty if
    there are none.
    """
    return sorted((assets() / "predictions").glob("*.parquet"))


def gate_tables() -> list[Path]:
    """What ``explain gates`` found of the bundled models on drawn test clips; empty if there are
    none.
    """
    return sorted((assets() / "gates").glob("*_gates.parquet"))


def intervention_tables() -> list[Path]:
    """What ``explain interventions`` found of the bundled models on drawn test clips; empty if
    there are none.
    """
    return sorted((assets() / "gates").glob("*_interventions.parquet"))


def cam_tables() -> list[Path]:
    """What ``explain gradcam --drawn`` found of the bundled models' maps on drawn test clips; empty
    if there are none.
    """
    return sorted((assets() / "gradcam").glob("*_cams.csv"))


def attribution_tables() -> list[Path]:
    """What ``benchmark attribution`` found of the bundled models' attributions; empty if there is
    none.
    """
    return sorted((assets() / "attribution").glob("*_known.json"))


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


__getattr__ = renamed(__name__, {"shipped_checkpoints": "bundled_checkpoints"})
