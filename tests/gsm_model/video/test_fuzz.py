"""Mutated files: each is frames or a message, in time, and nothing is left behind."""

import re
import subprocess
import sys

import numpy as np
import pytest

from tests.fuzz import mutated


@pytest.mark.slow
@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.thorough)])
def test_mutated_files_cost_a_message_and_nothing_else(count):
    # In a process of its own: what it leaves running is then nobody else's.
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--count", str(count)],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    counts = {
        outcome: int(number)
        for outcome, number in re.findall(r"^\| (.+) \| (\d+) \|$", done.stdout, re.MULTILINE)
    }
    longest = float(re.search(r"the longest took ([\d.]+) s", done.stdout)[1])
    assert sum(counts.values()) == count and counts["frames"] > count / 50 and longest < 75
    assert len(counts) > 3, "the faults are of several kinds"


def test_a_mutation_is_the_same_each_time_and_another_for_another_number():
    content = bytes(range(256)) * 8
    one, again, other = (mutated(content, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == again != other and one != content
