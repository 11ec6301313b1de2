"""Processes that run one command together: each ends by itself, in peace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENDING = """
import atexit, os, torch
from gsm_model.cli.processes import together

atexit.register(os.abort)  # stands for a thread that aborts when the interpreter is taken apart
with together("cpu", {devices}, 1) as fabric:
    total = fabric.all_reduce(torch.ones(1), reduce_op="sum")
    print(f"process {{fabric.global_rank}} of {{int(total)}}\\n", end="")  # one write: neither process breaks the other's line
atexit.unregister(os.abort)
print("and after")
"""  # noqa: E501


def _run(tmp_path, devices: int) -> subprocess.CompletedProcess:
    script = tmp_path / "ending.py"
    script.write_text(ENDING.format(devices=devices))
    launcher = (
        ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}"]
        if devices > 1
        else []
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())}
    return subprocess.run(
        [sys.executable, *launcher, str(script)], capture_output=True, text=True, env=environment
    )


@pytest.mark.slow
def test_each_of_two_processes_ends_with_what_it_said_and_without_taking_its_interpreter_apart(
    tmp_path,
):
    done = _run(tmp_path, 2)
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == ["process 0 of 2", "process 1 of 2"]


def test_a_process_that_is_alone_goes_on_after_the_block(tmp_path):
    done = _run(tmp_path, 1)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        ["process 0 of 1", "and after"],
    ), done.stderr
