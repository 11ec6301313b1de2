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


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_model_of_any_classes_is_text_and_json(run, few, checkpoint, more):
    done = run("explain", "channels", "-c", checkpoint, "--clips", 2, *more)
    assert "6 drawn clips, about 25 forward passes" in done.stderr
    if not more:
        assert "mean over time" in done.stdout and "slope over time" in done.stdout
        assert "reversed" in done.stdout
        return
    said = json.loads(done.stdout)
    assert said["clips"] == 6 and said["factors"]["direction"] == ["left to right", "right to left"]
    assert {row["side"] for row in said["channels"]} == {"before", "after", "output", "gate"}


def test_clips_of_unknown_factors_have_the_contrast_alone(run, drawn_checkpoint, tmp_path):
    out = tmp_path / "out"
    call = ("explain", "channels", "-c", drawn_checkpoint, "--split", "test", "--clips", 3)
    said = json.loads(run(*call, "--json", "--out", out).stdout)
    assert "channels" not in said and len(said["contrast"]) == 8
    assert said["contrast"][0]["n"] == 3
    with (out / "contrast.csv").open() as file:
        assert [row["layer"] for row in csv.DictReader(file)] == [
            row["layer"] for row in said["contrast"]
        ]
    assert (out / "channels.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((out / "channels.json").read_text()) == said
    assert "explain channels" in json.loads((out / "recipe.json").read_text())["command"]
    done = run(*call[:-2], "--data", "anything", code=2)
    assert "--split: draws clips, and --data names others" in done.stderr
