"""``explain patching`` as a person runs it, on a clip and on drawn clips."""

import csv
import json

import numpy as np
import pytest

from gsm_model import save_checkpoint
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.explain.patching.dataset import mean_effects, read_patching
from gsm_model.models.card import Card
from tests.conftest import make_small


def test_a_clip_and_its_reversal_are_json_and_files(run, clip, checkpoint, tmp_path):
    out = tmp_path / "out"
    done = run(
        *("explain", "patching", clip, "--reversed", "--checkpoint", checkpoint, "--json"),
        *("--target", "b", "--versus", "d", "--side", "output", "--cells", 6, "--out", out),
    )
    said = json.loads(done.stdout)
    assert len(said["layers"]) == 8 and said["frames"] == 4
    assert np.array(said["effect"]).shape == (8, 4) and np.sum(said["is_exact"]) == 6
    assert said["input"] == pytest.approx(1, abs=1e-3)
    assert said["whole"] == pytest.approx([1] * 8, abs=1e-3)
    with (out / "patching.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 6 * 8 * 4 + 8
    assert (out / "patching.pdf").read_bytes().startswith(b"%PDF")
    assert "explain patching" in json.loads((out / "recipe.json").read_text())["command"]


def test_a_tsn_is_said_to_have_nothing_to_move(run, clip, tmp_path):
    path = tmp_path / "tsn.safetensors"
    save_checkpoint(make_small("none"), path, Card("A TSN", "trained", ("a", "b", "c", "d", "e")))
    done = run("explain", "patching", clip, "--reversed", "-c", path)
    assert "there is nothing to move" in done.stdout
    said = json.loads(run("explain", "patching", clip, "--reversed", "-c", path, "--json").stdout)
    assert said["input"] == 0 and not said["moves"] and not np.any(said["effect"])
    done = run("explain", "patching", clip, "--reversed", "-c", path, "--side", "gate", code=2)
    assert "has no gates; --side can be before, after, output" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("--reversed",)])
def test_how_many_clips_it_takes_is_one_line(run, clip, checkpoint, arguments):
    clips = [clip] * (1 + bool(arguments))
    done = run("explain", "patching", *clips, "-c", checkpoint, *arguments, code=2)
    assert done.stderr.strip() == "give one clip with --reversed, or two clips without it"


def test_drawn_clips_have_intervals_and_a_stopped_run_goes_on(run, tmp_path):
    model = tmp_path / "tsm.safetensors"
    save_checkpoint(
        make_small("tsm", num_classes=len(LABELS)), model, Card("Drawn", "trained", LABELS)
    )
    out = tmp_path / "p.parquet"
    call = ("explain", "patching", "-c", model, "--clips", 3, "--side", "output", "--out", out)
    done = run(*call)
    table = read_patching(out)
    found = mean_effects(table)
    assert found.n == 3 and found.moves and found.whole == pytest.approx(np.ones(8), abs=1e-3)
    assert (found.low <= found.values + 1e-9).all() and (found.values <= found.high + 1e-9).all()
    # All clips' changes over all their gaps.
    expected = table.exact.astype(np.float64).sum(0) / table.gaps.sum()
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    assert "3 clips" in done.stdout and (tmp_path / "p.pdf").exists()
    # Whole layers alone cost a third, and come to the same.
    few = run(*call[:-1], tmp_path / "few.parquet", "--cells", 0)
    assert few.stdout == done.stdout and "about 27 forward passes" in few.stderr
    with (tmp_path / "few.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert all((row["frame"] == "0") == (row["exact"] == "True") for row in rows)
    refused = run(*call, "--cells", 3, code=2)
    assert refused.stderr.startswith("--cells: over a data set give 0")
