"""Recipes name files so that they mean the same elsewhere."""

import hashlib
import json
import shlex
from pathlib import Path

from gsm_model.bundled import bundled_checkpoints
from gsm_model.exports.provenance import (
    Beside,
    Input,
    command_line,
    confusions_recipe,
    explain_command,
    explain_recipe,
    portable,
    recipe,
)


def test_files_of_the_project_are_named_from_its_folder_and_others_as_they_were_given(tmp_path):
    assert portable(bundled_checkpoints()["gsm"]) == "assets/models/gsm_resnet18.safetensors"
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


def test_a_file_is_named_as_commands_name_it_and_hashed_once(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"abc")
    digest = hashlib.sha256(b"abc").hexdigest()
    assert Input.of(tmp_path / "a.mp4") == Input(str(tmp_path / "a.mp4"), digest)
    assert Input.of(tmp_path / "nowhere", "known", "my clip.mp4") == Input("my clip.mp4", "known")
    assert Input.of(tmp_path).sha256 == "a folder of frames"


def test_what_a_recipe_is_built_of_is_in_its_json_in_the_order_it_is_read():
    clip, model, table, pairs = (Input(name, name.upper()) for name in ("c", "m", "t", "p.csv"))
    gates = explain_recipe("gates", clip, [model], "forward", 0, None, {}, "out")
    content = json.loads(gates.after([pairs]).json({"layer": "x"}))
    assert list(content["inputs"].items()) == [("p.csv", "P.CSV"), ("c", "C"), ("m", "M")]
    assert content["command"] == gates.command == command_line(gates.parts)
    assert gates.parts[:5] == ("explain", "gates", "c", "--checkpoint", "m")
    found = confusions_recipe([table], {"pairs": "p.csv"}, "out", [pairs])
    assert found.parts == ("confusions", "t", "--pairs", "p.csv", "--out", "out")
    assert list(json.loads(found.json({}))["inputs"]) == ["t", "p.csv"]


def test_what_was_said_beside_a_model_is_in_the_command_and_the_inputs():
    clip, model, labels = (Input(name, name.upper()) for name in ("c", "m", "labels.txt"))
    beside = Beside(labels, 4)
    made = explain_recipe("gates", clip, [model], "forward", 0, 8, {"width": "page"}, "out", beside)
    assert made.parts[7:] == (
        *("--segments", "8", "--labels", "labels.txt", "--shift-share", "4"),
        *("--width", "page", "--out", "out"),
    )
    assert list(json.loads(made.json({}))["inputs"]) == ["c", "m", "labels.txt"]
    plain = explain_recipe("gates", clip, [model], "forward", 0, 8, {}, "out", Beside())
    assert plain == explain_recipe("gates", clip, [model], "forward", 0, 8, {}, "out")
