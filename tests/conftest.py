"""What all tests share: the reference implementation's fixtures, small videos, small models."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # side by side: a core each, for what it starts too
    os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pytest
import torch

from gsm_model.figures import style
from gsm_model.video import pool
from tests.chromium import browser  # noqa: F401
from tests.forked_decoder import forked_or_started
from tests.predictions import make_predictions

PARITY = Path(__file__).parent / "data" / "parity"
# Of what is shown in a browser these files take as long as all others together.
SECOND_BROWSER = {"test_confusions", "test_gates", "test_gradcam", "test_order"}


def _load_fill():
    spec = importlib.util.spec_from_file_location("fill", PARITY / "fill.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fill = _load_fill()


@lru_cache(2)  # drawing eleven million numbers takes as long as loading them
def released_weights(name: str) -> dict[str, torch.Tensor]:
    """The reference weights of a published network under the release's own keys (``module.``
    included). They are shared: not to be changed.
    """
    listed = json.loads((PARITY / f"{name}.json").read_text())["state_dict"]
    return {
        key: torch.tensor(0)
        if entry["kind"] == "counter"
        else torch.from_numpy(
            fill.draw(key.removeprefix("module."), tuple(entry["shape"]), entry["kind"])
        )
        for key, entry in listed.items()
    }


def pytest_addoption(parser):
    parser.addoption(
        "--thorough",
        action="store_true",
        help="all tests: those marked thorough too, which repeat at scale what others state",
    )


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(config, items):
    if not config.getoption("--thorough"):
        left_out = [item for item in items if item.get_closest_marker("thorough")]
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=left_out)
    alone = set()
    for item in items:
        if group := _shares(item):
            item.add_marker(pytest.mark.xdist_group(group))
        elif item.get_closest_marker("slow"):
            alone.add(item)
    # Begun last, one of these would keep its process busy while the other has nothing left to do.
    items.sort(key=lambda item: item not in alone)


@pytest.hookimpl(hookwrapper=True)
def pytest_collection():
    """Garbage is not looked for while tests are imported, which would take a quarter longer, nor
    later in what was imported, for that stays.
    """
    gc.disable()
    yield
    gc.collect()
    gc.freeze()
    gc.enable()


def _shares(item: pytest.Item) -> str:
    """Where tests are run side by side: a name for what a test shares with others that is costly to
    make twice, one of two browsers or what is made once for a file; else nothing.
    """
    if "browser" in item.fixturenames:
        return "browser2" if item.path.stem in SECOND_BROWSER else "browser1"
    made = item._fixtureinfo.name2fixturedefs.values()
    return item.path.stem if any(one[-1].scope == "module" for one in made) else ""


def _seed() -> None:
    """Begin every generator of random numbers anew."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """No test depends on chance, nor on what ran before it."""
    _seed()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef):
    """What tests share does not depend on which of them came first."""
    if fixturedef.scope != "function":
        _seed()


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Streamlit's AppTest leaves its script as ``__main__``, which processes that are started later
    would run again.
    """
    kept = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = kept


@pytest.fixture(scope="session", autouse=True)
def coarse_pictures() -> Iterator[None]:
    """Pictures are drawn in few dots: a second less for each than in print."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "PRINT_DPI", 60)
        yield


@pytest.fixture(scope="session")
def _forked() -> Callable:
    """What starts a decoder, mostly by forking; the process that forks them is one for all."""
    return forked_or_started()


@pytest.fixture(autouse=True)
def quick_decoders(_forked, monkeypatch):
    """A decoder of this process is forked, nine times of ten: most of a short video's time is its
    start.
    """
    monkeypatch.setattr(pool, "start_worker", _forked)


@pytest.fixture
def small_networks(monkeypatch):
    """Benchmarks run networks of an eighth of the channels on 64 pixels, and commands among them do
    not measure memory, for which each network has a process of its own.
    """
    from gsm_model.benchmark import networks

    small = partial(networks.build_recognizer, width=0.125, input_size=64)
    monkeypatch.setattr(networks, "build_recognizer", small)
    monkeypatch.setattr(networks, "peak_megabytes", lambda *_: 50.0)


@pytest.fixture(scope="session")
def moving_bar() -> np.ndarray:
    """24 frames, (24, 48, 64, 3) uint8: a bright bar that moves to the right, so that every frame
    differs from all others. They cannot be written to.
    """
    frames = np.zeros((24, 48, 64, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:, :, 0] = 10 * index
        frame[10:40, 2 * index : 2 * index + 8] = 255
    frames.flags.writeable = False
    return frames


@pytest.fixture(scope="session")
def frames_folder(tmp_path_factory, moving_bar) -> Path:
    """The moving bar as a folder of numbered JPEGs."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("video") / "frames"
    folder.mkdir()
    for number, frame in enumerate(moving_bar, start=1):
        Image.fromarray(frame).save(folder / f"{number:05d}.jpg", quality=95)
    return folder


@pytest.fixture(scope="session")
def video(frames_folder):
    """The moving bar as a decoded video, read for clips of 4 and of 6 frames. Its frames cannot be
    written to.
    """
    from gsm_model.video.isolate import read_video

    return read_video(frames_folder, [4, 6])


@pytest.fixture
def two_models():
    """Two models' predictions on the same clips; the second is right more often."""
    from gsm_model.predictions.join import join_predictions

    return join_predictions(
        make_predictions("A", seed=1, skill=1.0), make_predictions("B", seed=2, skill=2.0)
    )


@pytest.fixture
def small_gsm():
    """A GSM ResNet-18 of an eighth of the width, its gates and classifier random so that order
    matters.
    """
    return make_small("gsm")


@pytest.fixture
def drawn_model():
    """A small untrained GSM with the classes of the drawn set."""
    from gsm_model.data.synthetic.actions import LABELS
    from gsm_model.models.card import Card

    model = make_small("gsm", num_classes=len(LABELS))
    model.card = Card("Small", "trained", LABELS)
    return model


def make_small(temporal: str, backbone: str = "resnet18", num_classes: int = 5, seed: int = 0):
    from gsm_model import build_recognizer

    torch.manual_seed(seed)
    model = build_recognizer(
        backbone, temporal, num_classes, num_segments=4, width=0.125, input_size=32
    ).eval()
    for name, parameter in model.named_parameters():
        if "gsm_" in name and "conv3D" in name:
            torch.nn.init.normal_(parameter, std=0.2)
        elif name.endswith(("bn2.weight", "bn3.weight")):
            torch.nn.init.ones_(parameter)
        elif name.startswith("new_fc"):
            torch.nn.init.normal_(parameter, std=0.3)
    for layer in model.temporal_layers():
        if layer.module is not None and not layer.is_gated:
            draw_zeros(layer.module)
    return model


def draw_zeros(module: torch.nn.Module) -> None:
    """Draw the weights of a temporal module that start at zero, as those of the 2D network do."""
    for name, parameter in module.named_parameters():
        if name.endswith("weight"):
            drawn = torch.randn_like(parameter) * parameter[0].numel() ** -0.5
            parameter.data = torch.where(parameter == 0, drawn, parameter.data)


@pytest.fixture
def no_fonts(monkeypatch):
    """A system with matplotlib's own fonts alone."""
    monkeypatch.setattr("gsm_model.figures.fonts._families", lambda: ["DejaVu Sans"])
    monkeypatch.setattr("gsm_model.figures.fonts._look_again", lambda: False)
