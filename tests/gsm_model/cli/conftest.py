"""The command line as a process of its own, a clip and a checkpoint for it."""

import subprocess
import sys

import pytest

from gsm_model import save_checkpoint
from gsm_model.models.card import Card
from tests.conftest import make_small
from tests.videos import constant_rate


@pytest.fixture
def run(tmp_path):
    def call(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "gsm_model", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


@pytest.fixture
def clip(tmp_path, moving_bar):
    return constant_rate(tmp_path / "a clip.mp4", moving_bar)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "gsm.safetensors"
    save_checkpoint(make_small("gsm"), path, Card("A model", "trained", ("a", "b", "c", "d", "e")))
    return path
