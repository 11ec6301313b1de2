"""Several processes over one list give the table of one."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gsm_model import cli
from gsm_model.data.lists import read_video_list
from gsm_model.errors import DataError
from gsm_model.evaluation.distributed import score_list_together
from gsm_model.models.checkpoints.files import save_checkpoint
from gsm_model.predictions.read import read_parquet
from tests.agents import run_on_two_nodes
from tests.conftest import make_small
from tests.videos import constant_rate


@pytest.fixture
def listed(tmp_path, moving_bar):
    """Seven videos, one of which is none, and a model's file."""
    lines = []
    for index in range(6):
        constant_rate(tmp_path / f"{index}.mp4", moving_bar[: 24 - 2 * index])
        lines.append(f"{index}.mp4 {24 - 2 * index} {index % 5}")
    (tmp_path / "broken.mp4").write_text("no video")
    (tmp_path / "list.txt").write_text(
        "\n".join([*lines[:3], "broken.mp4 24 1", *lines[3:]]) + "\n"
    )
    save_checkpoint(make_small("gsm"), tmp_path / "small.safetensors")
    return tmp_path


def arguments(folder, out: str) -> list[str]:
    parts = ["evaluate", "--data", folder / "list.txt"]
    parts += ["--checkpoint", folder / "small.safetensors", "--out", folder / out]
    return [str(part) for part in (*parts, "--device", "cpu", "--json")]


def evaluate_together(folder, out: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "gsm_model", *arguments(folder, out), "--devices", "2"],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.slow
def test_two_processes_give_the_table_of_one_in_the_lists_order(listed, capfd):
    two = evaluate_together(listed, "two.parquet")
    assert two.returncode == 0, two.stderr
    capfd.readouterr()
    cli.app(arguments(listed, "one.parquet"), standalone_mode=False)
    said = (capfd.readouterr().out, two.stdout)
    expected, found = read_parquet(listed / "one.parquet"), read_parquet(listed / "two.parquet")
    assert (
        found.ids == expected.ids
        and found.origin == expected.origin
        and found.errors == expected.errors
    )
    np.testing.assert_array_equal(found.truth, expected.truth)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    results = [json.loads(text[text.index("{") :])["models"] for text in said]
    assert len(results[1]) == 1 and results[1][0]["measures"] == results[0][0]["measures"]
    assert sorted(path.name for path in listed.glob("two*")) == ["two.parquet"], (
        "nothing is left of the parts"
    )


@pytest.mark.slow
@pytest.mark.thorough
def test_two_nodes_give_the_table_of_one_process(listed):
    cli.app(arguments(listed, "one.parquet"), standalone_mode=False)
    options = ["--data", listed / "list.txt", "--checkpoint", listed / "small.safetensors"]
    run_on_two_nodes(["evaluate", *options, "--out", listed / "two.parquet", "--device=cpu"])
    expected, found = read_parquet(listed / "one.parquet"), read_parquet(listed / "two.parquet")
    assert found.ids == expected.ids and found.errors == expected.errors
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


def test_more_processes_than_videos_are_refused(listed):
    videos = read_video_list(listed / "list.txt")
    model, fabric = make_small("gsm"), SimpleNamespace(world_size=8, global_rank=0)
    with pytest.raises(DataError, match="has 7 videos, too few for 8 processes"):
        score_list_together(fabric, model, videos, listed / "out.parquet")


@pytest.mark.slow
@pytest.mark.thorough
def test_each_of_more_processes_than_videos_says_so_and_ends(listed):
    (listed / "list.txt").write_text("0.mp4 24 0\n")
    run = evaluate_together(listed, "out.parquet")
    assert run.returncode == 2 and "too few for 2 processes" in run.stderr
