"""Faults from outside, one by one, against the commands and a real server: nothing is lost, and
what happened is said.
"""

import json
import os
import re
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
from gsm_model import cli
from gsm_model.models.card import Card
from gsm_model.models.checkpoints.files import save_checkpoint
from gsm_model.predictions.read import read_parquet
from tests.conftest import make_small
from tests.load import Session, Wrong, questions
from tests.server import ROOT, start_server
from tests.videos import constant_rate

pytestmark = pytest.mark.slow
FRAMES = 24


@pytest.fixture
def folder(tmp_path, moving_bar):
    """A checkpoint and a few short videos."""
    save_checkpoint(
        make_small("gsm"), tmp_path / "small.safetensors", Card("Small", "trained", tuple("abcde"))
    )
    for index in range(8):
        constant_rate(tmp_path / f"{index}.mp4", np.roll(moving_bar, index, axis=0))
    return tmp_path


def write_list(folder: Path, count: int) -> Path:
    """A list of so many videos."""
    lines = []
    for index in range(count):
        if index >= 8:
            shutil.copy(folder / f"{index % 8}.mp4", folder / f"{index}.mp4")
        lines.append(f"{index}.mp4 {FRAMES} {index % 5}")
    (folder / "list.txt").write_text("\n".join(lines) + "\n")
    return folder / "list.txt"


def arguments(folder: Path, *parts: object) -> list[str]:
    checkpoint = ("--checkpoint", folder / "small.safetensors")
    return [str(part) for part in (*parts, *checkpoint, "--device", "cpu")]


# To this process the disk is full: no file may grow over two kilobytes. Each command is told apart
# by the line behind what it says.
ON_A_FULL_DISK = """
import json, resource, sys
from gsm_model.cli import run
from gsm_model.figures import style
style.PRINT_DPI = 60  # as in the tests' own process
sys.dont_write_bytecode = True  # of a module, half would be kept, which all others would read
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
for arguments in json.load(sys.stdin):
    try:
        run(arguments, "python -m gsm_model")
    except SystemExit as ended:
        print("status", ended.code, file=sys.stderr, flush=True)
"""


def test_on_a_full_disk_a_command_says_which_file_and_leaves_no_half_of_it(folder):
    out = folder / "results"
    out.mkdir()
    listed, clips = write_list(folder, 10), [folder / f"{index}.mp4" for index in range(4)]
    commands = [
        ("explain", "gates", clips[0], "--out", out / "gates"),
        ("order", *clips, "--csv", out / "order.csv"),
        ("evaluate", "--data", listed, "--out", out / "table.parquet"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", ON_A_FULL_DISK],
        input=json.dumps([arguments(folder, *parts) for parts in commands]),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    *said, rest = done.stderr.split("status 2\n")
    assert len(said) == len(commands) and rest == "", done.stderr
    for text in said:
        assert "File too large" in text.strip().splitlines()[-1], done.stderr
    assert not [path for path in out.rglob("*") if path.is_file()]


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_an_evaluation_that_is_killed_goes_on_where_it_was(folder, processes):
    listed = write_list(folder, 160)  # every process takes them in more than one part

    def evaluation(out: str, *more: object) -> list[str]:
        return arguments(folder, "evaluate", "--data", listed, "--out", folder / out, *more)

    parts = evaluation("killed.parquet", "--devices", processes)
    command = [sys.executable, "-m", "gsm_model"]
    with subprocess.Popen(
        [*command, *parts],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as killed:
        end = time.monotonic() + 300
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
    if processes == 1:
        cli.app(parts, standalone_mode=False)
    else:
        subprocess.run([*command, *parts], check=True, capture_output=True)
    cli.app(evaluation("whole.parquet"), standalone_mode=False)
    found, expected = (
        read_parquet(folder / "killed.parquet"),
        read_parquet(folder / "whole.parquet"),
    )
    assert found.ids == expected.ids and found.origin == expected.origin
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    assert sorted(path.name for path in folder.glob("killed*")) == ["killed.parquet"], (
        "nothing is left of the parts"
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server's process, its port and its temporary folder."""
    temporary = tmp_path_factory.mktemp("server")
    process, port = start_server(temporary / "log.txt", TMPDIR=str(temporary))
    yield process, port, temporary
    process.terminate()
    process.wait(30)
    assert "Traceback" not in (temporary / "log.txt").read_text()


def test_a_temporary_folder_that_is_cleared_costs_the_upload_and_nothing_else(server, tmp_path):
    process, port, temporary = server
    samples, [own] = questions(1, tmp_path, clips=1)
    with closing(Session(port)) as session:
        session.run("")
        session.drop("my clip.mp4", own.content)
        assert own.sentence in session.run("models=gsm,tsn")
        [left] = temporary.glob(f"gate-shift-lens-{process.pid}-*")
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
    _, port, _ = server
    samples, _ = questions(0, tmp_path, clips=2)
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
