"""``explain channels`` as a person runs it."""

import csv
import json

import pytest

from gsm_model import save_checkpoint
from gsm_model.explain.channels import report


@pytest.fixture
def few(monkeypatch):
    """Six clips are a set."""
    monkeypatch.setattr(report, "ALL_LEVELS", 6)


@pytest.fixture
def drawn_checkpoint(tmp_path, drawn_model):
    path = tmp_path / "drawn.safetensors"
    save_checkpoint(drawn_model, path, drawn_model.card)
    return path


def test_a_model_of_any_classes_is_text_json_and_files(run, few, checkpoint, tmp_path):
    out = tmp_path / "out"
    done = run("explain", "channels", "-c", checkpoint, "--clips", 2, "--out", out)
    assert "mean over time" in done.stdout and "reversed" in done.stdout
    assert "6 drawn clips, about 25 forward passes" in done.stderr
    said = json.loads((out / "channels.json").read_text())
    assert said["clips"] == 6 and said["factors"]["direction"] == ["left to right", "right to left"]
    with (out / "channels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["side"] for row in rows} == {"before", "after", "output", "gate"}
    assert (out / "channels.pdf").read_bytes().startswith(b"%PDF")
    assert "explain channels" in json.loads((out / "recipe.json").read_text())["command"]


def test_clips_of_unknown_factors_have_the_contrast_alone(run, drawn_checkpoint):
    call = ("explain", "channels", "-c", drawn_checkpoint, "--split", "test", "--clips", 3)
    said = json.loads(run(*call, "--json").stdout)
    assert "channels" not in said and len(said["contrast"]) == 8
    assert said["contrast"][0]["n"] == 3
    done = run(*call[:-2], "--data", "anything", code=2)
    assert "--split: draws clips, and --data names others" in done.stderr
