"""``order shapley`` as a person runs it, beside ``order`` as it was."""

import csv
import json

import pytest

from gsm_model import load_checkpoint
from gsm_model.explain.cam.evidence import Target
from gsm_model.explain.shapley.frames import frame_shapley
from gsm_model.video.isolate import read_video


def test_values_of_a_clip_are_json_and_files(run, clip, checkpoint, tmp_path):
    out = tmp_path / "out"
    done = run(
        *("order", "shapley", clip, "--checkpoint", checkpoint, "--target", "c", "--json"),
        *("--filling", "nearest", "--out", out),
    )
    said = json.loads(done.stdout)
    assert said["players"] == 4 == len(said["values"]) == len(said["interactions"][3])
    assert sum(said["values"]) == pytest.approx(said["full"] - said["empty"], abs=1e-4)
    found = frame_shapley(load_checkpoint(checkpoint), read_video(clip, (4,)), Target(2), "nearest")
    assert said["values"] == pytest.approx(found.game.values.tolist(), abs=1e-3)
    assert said["target"] == "c" and "about 61 forward passes" in done.stderr
    with (out / "frames.csv").open() as file:
        assert [float(row["value"]) for row in csv.DictReader(file)] == said["values"]
    assert (out / "shapley.pdf").read_bytes().startswith(b"%PDF")
    recipe = json.loads((out / "recipe.json").read_text())
    assert "order shapley" in recipe["command"] and len(recipe["inputs"]) == 2


def test_as_text_it_goes_from_no_frame_to_the_clip(run, clip, checkpoint):
    done = run("order", "shapley", clip, "-c", checkpoint, "--orders", 0)
    assert "no frame" in done.stdout and done.stdout.count("Grad-CAM") == 4 + 2


def test_a_class_that_is_none_is_one_line(run, clip, checkpoint):
    done = run("order", "shapley", clip, "-c", checkpoint, "--target", "zebra", code=2)
    assert done.stderr.strip() == "'zebra' is none of the 5 classes of A model"
    done = run("order", "shapley", clip, "-c", checkpoint, "--versus", "a", code=2)
    assert done.stderr.strip() == "--versus: name a --target too"


def test_the_order_of_a_clip_is_asked_as_before(run, clip, checkpoint):
    done = run("order", clip, "-c", checkpoint, "--shuffles", 1)
    assert "order sensitivity" in done.stdout
