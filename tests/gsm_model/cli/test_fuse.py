"""``fuse`` as a person runs it."""

import numpy as np
import pytest

from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.write import write_parquet
from tests.predictions import make_predictions


@pytest.fixture
def files(tmp_path):
    tables = [make_predictions(name, n=8, k=3, seed=seed) for seed, name in enumerate("AB")]
    paths = [tmp_path / f"{name}.parquet" for name in "ab"]
    write_parquet(tables[0], paths[0])
    write_parquet(tables[1].take(np.arange(7)), paths[1])
    return paths


def test_two_tables_become_one_that_every_command_reads(run, files, tmp_path):
    done = run("fuse", *files, "--weights", "1:1.5", "--out", tmp_path / "fused.parquet")
    a, b, fused = (read_parquet(path) for path in (*files, tmp_path / "fused.parquet"))
    np.testing.assert_allclose(fused.scores, 0.4 * a.scores[:7] + 0.6 * b.scores, atol=1e-6)
    assert "1 clips of" in done.stderr and "b.parquet" not in done.stderr
    right = int((fused.scores.argmax(1) == a.truth[:7]).sum())
    assert f"A + B (logits 1:1.5): top-1 {right / 7:.1%}" in done.stdout
    assert "alone: B: top-1" in done.stdout and "of 7 clips of my clips" in done.stdout


def test_what_is_wrong_is_one_line(run, files, tmp_path):
    out = tmp_path / "fused.parquet"
    said = run("fuse", *files, "--weights", "1", "--out", out, code=2).stderr
    assert said.startswith("fusion weights '1': give 2 numbers") and said.count("\n") == 1
    assert "name a .parquet" in run("fuse", *files, "--out", tmp_path / "f.csv", code=2).stderr
    assert "at least two" in run("fuse", files[0], "--out", out, code=2).stderr
    assert not out.exists()
    before = files[0].read_bytes()
    said = run("fuse", *files, "--out", files[0], code=2).stderr
    assert "is one of the tables to fuse" in said and files[0].read_bytes() == before
