"""Faults from outside, one by one, against the commands and a real server: nothing is lost, and
what happened is said.
"""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.pages import gates
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import save_checkpoint
from gsm_model.predictions.read import read_parquet
from tests.conftest import make_small
from tests.load import Session, Wrong, questions
from tests.server import start_server
from tests.videos import constant_rate

pytestmark = pytest.mark.slow
FRAMES = 24


@pytest.fixture
def folder(tmp_path, moving_bar):
    """A checkpoint, and a list of 160 short videos, which every process takes in more than one
    part.
    """
    save_checkpoint(
        make_small("gsm"), tmp_path / "small.safetensors", Card("Small", "trained", tuple("abcde"))
    )
    lines = []
    for index in range(160):
        if index < 8:
            constant_rate(tmp_path / f"{index}.mp4", np.roll(moving_bar, index, axis=0))
        else:
            shutil.copy(tmp_path / f"{index % 8}.mp4", tmp_path / f"{index}.mp4")
        lines.append(f"{index}.mp4 {FRAMES} {index % 5}")
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def command(folder: Path, *parts: object) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gsm_model",
        *map(str, parts),
        "--checkpoint",
        str(folder / "small.safetensors"),
        "--device",
        "cpu",
    ]


def fill_disk() -> None:
    """To this process the disk is full: no file may grow over two kilobytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))


@pytest.mark.parametrize("name", ["explain", "order", "evaluate"])
def test_on_a_full_disk_a_command_says_which_file_and_leaves_no_half_of_it(folder, name):
    out = folder / "results"
    out.mkdir()
    parts = {
        "explain": ("explain", "gates", folder / "0.mp4", "--out", out / "gates"),
        "order": (
            "order",
            *(folder / f"{index}.mp4" for index in range(4)),
            "--csv",
            out / "order.csv",
        ),
        "evaluate": ("evaluate", "--data", folder / "list.txt", "--out", out / "table.parquet"),
    }[name]
    done = subprocess.run(
        command(folder, *parts), capture_output=True, text=True, preexec_fn=fill_disk
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert "File too large" in done.stderr.strip().splitlines()[-1]
    assert not [path for path in out.rglob("*") if path.is_file()]


def evaluation(folder: Path, out: str, *more: object) -> list[str]:
    return command(folder, "evaluate", "--data", folder / "list.txt", "--out", folder / out, *more)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_evaluation_that_is_killed_goes_on_where_it_was(folder, processes):
    parts = evaluation(folder, "killed.parquet", "--devices", processes)
    with subprocess.Popen(
        parts, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as killed:
        end = time.monotonic() + 120
        while (
            not list(folder.glob("killed.parquet*/*.parquet"))
            and killed.poll() is None
            and time.monotonic() < end
        ):
            time.sleep(0.005)
        os.killpg(killed.pid, signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL and not (folder / "killed.parquet").exists(), (
        "it was killed midway"
    )
    assert list(folder.glob("killed.parquet*/*.parquet")), "what was done is kept"
    for again in (parts, evaluation(folder, "whole.parquet")):
        subprocess.run(again, check=True, capture_output=True)
    found, expected = (
        read_parquet(folder / "killed.parquet"),
        read_parquet(folder / "whole.parquet"),
    )
    assert found.ids == expected.ids and found.origin == expected.origin
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    assert sorted(path.name for path in folder.glob("killed*")) == ["killed.parquet"], (
        "nothing is left of the parts"
    )


@pytest.fixture
def server(tmp_path):
    process, port = start_server(tmp_path / "log.txt", TMPDIR=str(tmp_path))
    yield process, port
    process.terminate()
    process.wait(30)
    assert "Traceback" not in (tmp_path / "log.txt").read_text()


def test_a_temporary_folder_that_is_cleared_costs_the_upload_and_nothing_else(server, tmp_path):
    process, port = server
    samples, [own] = questions(1, tmp_path)
    with closing(Session(port)) as session:
        session.run("")
        session.drop("my clip.mp4", own.content)
        assert own.sentence in session.run("models=gsm,tsn")
        [left] = tmp_path.glob(f"gate-shift-lens-{process.pid}-*")
        shutil.rmtree(left)
        assert own.sentence in session.run("models=gsm,tsn"), "what is known of it stays"
        with pytest.raises(Wrong, match=r"my clip.+mp4.+ there is no such file"):
            session.run("models=tsm&frames=16")
        session.finish()
        session.drop("my clip.mp4", own.content)
        texts = session.run("models=tsm&frames=16")
        assert any(text.startswith("The 16 frames") for text in texts), (
            "dropped again, it is there again"
        )
        session.states = {}
        assert samples[0].sentence in session.run(
            f"clip={samples[0].clip}&models={','.join(samples[0].models)}&frames=auto"
        )


def test_a_browser_that_is_reloaded_midway_gets_its_answer_and_holds_nobody_up(server, tmp_path):
    _, port = server
    samples, _ = questions(0, tmp_path)
    for question in samples[:6]:
        with closing(Session(port)) as left:
            left.ask(f"clip={question.clip}&models={','.join(question.models)}")
    with closing(Session(port)) as session:
        started = time.monotonic()
        texts = session.run(f"clip={samples[0].clip}&models={','.join(samples[0].models)}")
        assert samples[0].sentence in texts and time.monotonic() - started < 60
        assert f"## {gates.QUESTION}" in session.run("", "gates")


def test_a_clock_that_is_set_changes_nothing_for_nobody_asks_it():
    root = Path(__file__).resolve().parents[1]
    sources = [path for name in ("app", "gsm_model") for path in (root / name).rglob("*.py")]
    asking = re.compile(r"\btime\.time\(|\.(utc)?now\(|\.today\(|\bcreate_time\(")
    assert (
        len(sources) > 100
        and [path.name for path in sources if asking.search(path.read_text())] == []
    )
