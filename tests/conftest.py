"""What all tests share: the reference implementation's fixtures, small videos, small models."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

PARITY = Path(__file__).parent / "data" / "parity"


def _load_fill():
    spec = importlib.util.spec_from_file_location("fill", PARITY / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fill = _load_fill()


def released_weights(name: str) -> dict[str, torch.Tensor]:
    """The reference weights of a published network under the release's own keys (``module.`` included)."""
    listed = json.loads((PARITY / f"{name}.json").read_text())["state_dict"]
    return {
        key: torch.tensor(0)
        if entry["kind"] == "counter"
        else torch.from_numpy(fill.draw(key.removeprefix("module."), tuple(entry["shape"]), entry["kind"]))
        for key, entry in listed.items()
    }


@pytest.fixture
def moving_bar() -> np.ndarray:
    """24 frames, (24, 48, 64, 3) uint8: a bright bar that moves to the right, so that every frame differs from all others."""
    frames = np.zeros((24, 48, 64, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:, :, 0] = 10 * index
        frame[10:40, 2 * index : 2 * index + 8] = 255
    return frames


@pytest.fixture
def small_gsm():
    """A GSM ResNet-18 of an eighth of the width, its gates and classifier random so that order matters."""
    return make_small("gsm")


def make_small(temporal: str, backbone: str = "resnet18", num_classes: int = 5, seed: int = 0):
    from gsm_model import build_recognizer

    torch.manual_seed(seed)
    model = build_recognizer(backbone, temporal, num_classes, num_segments=4, width=0.125, input_size=32).eval()
    for name, parameter in model.named_parameters():
        if "gsm_" in name and "conv3D" in name:
            torch.nn.init.normal_(parameter, std=0.2)
        elif name.endswith(("bn2.weight", "bn3.weight")):
            torch.nn.init.ones_(parameter)
        elif name.startswith("new_fc"):
            torch.nn.init.normal_(parameter, std=0.3)
    return model
