"""The command line, in this process and as a process of its own, a clip and a checkpoint for it."""

import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from gsm_model import save_checkpoint
from gsm_model.cli import run as run_command
from gsm_model.models.card import Card
from tests.conftest import make_small
from tests.videos import constant_rate

# What Python does not show when it runs a program.
QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def _checked(done: subprocess.CompletedProcess, code: int) -> subprocess.CompletedProcess:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def run(capfd, monkeypatch):
    """``run(*arguments, code=0)``: a command in this process, with its exit code, which must be
    ``code``, and all that it and its children say.

    Warnings and what is logged count as said, as they do when the command has a process to itself.
    """

    def call(*arguments, code=0):
        parts = ["gsm_model", *map(str, arguments)]
        capfd.readouterr()
        logging.getLogger().addHandler(logging.lastResort)
        with warnings.catch_warnings(record=True) as warned, monkeypatch.context() as patch:
            for category in QUIET:
                warnings.simplefilter("ignore", category)
            patch.setattr(sys, "argv", parts)
            with pytest.raises(SystemExit) as ended:
                run_command(sys.argv[1:], "python -m gsm_model")
        logging.getLogger().removeHandler(logging.lastResort)
        out, err = capfd.readouterr()
        err += "".join(
            warnings.formatwarning(one.message, one.category, one.filename, one.lineno)
            for one in warned
        )
        return _checked(subprocess.CompletedProcess(parts, ended.value.code or 0, out, err), code)

    return call


@pytest.fixture
def run_process():
    """As ``run``, in a process of its own: the entry point, with nothing imported before."""

    def call(*arguments, code=0):
        return _checked(
            subprocess.run(
                [sys.executable, "-m", "gsm_model", *map(str, arguments)],
                capture_output=True,
                text=True,
                check=False,
            ),
            code,
        )

    return call


def same_files(one: Path, two: Path) -> set[str]:
    """Check that two folders hold the same files, byte for byte, and return their names. Of
    pictures only that they are there: a process of its own draws them as fine as in print.
    """
    names = {path.name for path in one.iterdir()}
    assert {path.name for path in two.iterdir()} == names
    for name in names:
        if not name.endswith(".png"):
            assert (one / name).read_bytes() == (two / name).read_bytes(), name
    return names


@pytest.fixture
def clip(tmp_path, moving_bar):
    return constant_rate(tmp_path / "a clip.mp4", moving_bar)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "gsm.safetensors"
    save_checkpoint(make_small("gsm"), path, Card("A model", "trained", ("a", "b", "c", "d", "e")))
    return path
