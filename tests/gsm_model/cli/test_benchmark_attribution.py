"""``benchmark attribution`` as a person runs it."""

import csv
import json

import pytest

from gsm_model import save_checkpoint


@pytest.fixture
def drawn_checkpoint(tmp_path, drawn_model):
    path = tmp_path / "drawn.safetensors"
    save_checkpoint(drawn_model, path, drawn_model.card)
    return path


def test_chosen_methods_are_text_json_and_files(run, drawn_checkpoint, tmp_path):
    out = tmp_path / "out" / "known.json"
    call = ("benchmark", "attribution", "-c", drawn_checkpoint, "--clips", 2)
    chosen = ("--method", "hirescam", "--method", "middle")
    done = run(*call, *chosen, "--out", out)
    assert "HiResCAM, layer3.1" in done.stdout and "Grad-CAM++" not in done.stdout
    assert "the action in 2 of 4 frames" in done.stdout and "one map" in done.stdout
    stored = json.loads(out.read_text())
    [model] = stored["models"]
    assert [row["method"] for row in model["rows"]] == [
        "HiResCAM, layer3.1",
        "the middle of the picture",
    ]
    assert model["clips"] == 2 and model["chance"]["when"] == 0.5
    with out.with_suffix(".csv").open() as file:
        assert [row["method"] for row in csv.DictReader(file)] == [
            row["method"] for row in model["rows"]
        ]
    recipe = json.loads((out.parent / "known.recipe.json").read_text())
    assert (
        "benchmark attribution" in recipe["command"]
        and str(tmp_path) not in recipe["command"].split("--out")[1]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "nothing"), "--method: none of Grad-CAM, layer4.1, "),
        (("--out", "known.csv"), "--out: name the .json file to write"),
    ],
)
def test_what_cannot_be_done_is_one_line(run, drawn_checkpoint, arguments, message):
    done = run("benchmark", "attribution", "-c", drawn_checkpoint, *arguments, code=2)
    assert message in done.stderr


def test_a_model_of_other_classes_is_refused(run, checkpoint):
    done = run("benchmark", "attribution", "-c", checkpoint, "--clips", 2, code=2)
    assert "was not trained on the drawn set" in done.stderr
