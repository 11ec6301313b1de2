"""Recipes name files so that they mean the same elsewhere."""

import json
import shlex
from pathlib import Path

from gsm_model.bundled import shipped_checkpoints
from gsm_model.exports.provenance import command_line, explain_command, portable, recipe


def test_files_of_the_project_are_named_from_its_folder_and_others_as_they_were_given(tmp_path):
    assert portable(shipped_checkpoints()["gsm"]) == "assets/models/gsm_resnet18.safetensors"
    assert (
        portable(Path("my clip.mp4").absolute().parents[0] / "assets" / "clips" / "folding.mp4")
        == "assets/clips/folding.mp4"
    )
    assert portable(tmp_path / "a.mp4") == str(tmp_path / "a.mp4")
    assert portable(tmp_path / "3f8a", "my clip.mp4") == "my clip.mp4"


def test_a_recipe_has_the_command_the_inputs_and_the_versions():
    parts = explain_command(
        "gates",
        "my clip.mp4",
        ["a.pth", "b.pth"],
        "shuffled",
        3,
        None,
        {"width": "page", "layer": None},
        "out",
    )
    content = json.loads(recipe(parts, {"my clip.mp4": "abc"}, {"layer": "x"}))
    assert content["command"] == command_line(parts)
    assert shlex.split(content["command"])[3:] == [
        *(
            "explain",
            "gates",
            "my clip.mp4",
            "--checkpoint",
            "a.pth",
            "--checkpoint",
            "b.pth",
            "--order",
            "shuffled",
            "--seed",
            "3",
        ),
        *("--width", "page", "--out", "out"),
    ]
    repeated = explain_command(
        "interventions", "c.mp4", [], "forward", 0, 8, {"layer": ("a", "b"), "clamp": None}, "out"
    )
    assert repeated[5:] == ["--segments", "8", "--layer", "a", "--layer", "b", "--out", "out"]
    assert content["inputs"] == {"my clip.mp4": "abc"} and content["layer"] == "x"
    assert {"gate-shift-lens", "python", "torch", "matplotlib"} <= set(content["versions"])
