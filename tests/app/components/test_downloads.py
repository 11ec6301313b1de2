"""Exports: a table that no spreadsheet runs, a command that gives the same answers."""

import csv
import io
import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.components.downloads import (
    ConfusionExport,
    answers_csv,
    gates_command,
    interventions_command,
    order_command,
    predict_command,
    slices_command_line,
)
from app.components.panels import PanelView
from app.queries.comparison import Beside, PredictionsRef
from app.shell.session import ClipRef, ModelRef
from app.shell.uploads import Upload
from gsm_model.bundled import bundled_checkpoints, sample_clips
from gsm_model.explain.gates.report import GateReport
from gsm_model.models.card import Card
from gsm_model.predict import Prediction

ROOT = Path(__file__).resolve().parents[3]


def test_the_table_has_a_row_for_every_class_and_formulas_are_made_plain():
    card = Card("A", "trained", ("=cmd()", "b"), sha256="f" * 64)
    prediction = Prediction(
        card, "reversed", np.array([5, 1]), np.array([[1.0, 3.0], [1.0, 3.0]], np.float32), 0.1
    )
    rows = list(csv.DictReader(io.StringIO(answers_csv([prediction]))))
    assert [row["label"] for row in rows] == ["b", "'=cmd()"]
    assert (rows[0]["frames"], rows[0]["order"], rows[0]["sha256"]) == ("5 1", "reversed", "f" * 64)
    assert abs(sum(float(row["probability"]) for row in rows) - 1) < 1e-9


def test_the_command_that_is_shown_runs_in_the_projects_folder():
    clip, path = sample_clips()["unfolding"], bundled_checkpoints()["gsm"]
    command = predict_command(
        ClipRef("unfolding", clip.path, "", "Sample"),
        [ModelRef("gsm", path, "", path.name, "bundled")],
        16,
        "reversed",
        3,
    )
    program, *arguments = shlex.split(command)
    assert program == "python"
    done = subprocess.run(
        [sys.executable, *arguments, "--json"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    entry = json.loads(done.stdout)["clips"][0]
    assert (
        entry["order"] == "reversed"
        and len(entry["frame_indices"]) == 16
        and len(entry["models"][0]["top"]) == 3
    )


def test_a_name_with_spaces_or_worse_stays_one_word():
    clip = ClipRef("upload-1", Path("/elsewhere/abc"), "", "my clip; rm -rf.mp4")
    assert "'my clip; rm -rf.mp4'" in predict_command(clip, [], None, "forward", 5)


def test_the_commands_for_gates_name_shipped_files_from_the_projects_folder_and_others_as_their_owner_does():  # noqa: E501
    report = GateReport(
        Prediction(
            Card("A", "trained"), "shuffled", np.array([5, 1]), np.zeros((2, 2), np.float32), 0.1
        ),
        (),
    )
    path, clip = (
        bundled_checkpoints()["gsm"],
        ClipRef("upload-1", Path("/elsewhere/abc"), "", "my clip.mp4"),
    )
    ref = ModelRef("gsm", path, "", path.name, "bundled")
    command = gates_command(
        clip, ref, PanelView(report, np.zeros((2, 4, 4, 3), np.uint8), "#000000"), 16, "column"
    )
    assert shlex.split(command)[4:] == [
        *(
            "gates",
            "my clip.mp4",
            "--checkpoint",
            "assets/models/gsm_resnet18.safetensors",
            "--order",
            "shuffled",
            "--seed",
            "0",
        ),
        *("--segments", "16", "--width", "column", "--out", "gates"),
    ]
    assert "explain interventions 'my clip.mp4'" in interventions_command(
        clip, [ref], None, "forward"
    )


def test_commands_say_what_was_said_of_models_when_they_were_loaded():
    clip = ClipRef("upload-1", Path("/elsewhere/abc"), "", "c.mp4")
    ref = ModelRef(
        *("m", Path("/elsewhere/m"), "f" * 64, "m.pth", "uploaded", ("a", "b"), 16),
        shift_share=4,
        labels_file=("own labels.txt", "e" * 64),
    )
    expected = "--segments 16 --labels 'own labels.txt' --shift-share 4"
    for command in (
        predict_command(clip, [ref], None, "forward", 5),
        order_command(clip, [ref], None),
        interventions_command(clip, [ref], None, "forward"),
    ):
        assert expected in command
    assert "--segments 8 " in predict_command(clip, [ref], 8, "forward", 5)


def test_a_comparison_says_what_came_beside_its_files():
    table = PredictionsRef("a", Path("/elsewhere/a.csv"), "a" * 64, "a.csv", private=True)
    bundled = PredictionsRef("b", Path("/elsewhere/b.parquet"), "b" * 64, "b.parquet")
    names, truth = (Upload(name, Path("/x"), digit * 64)
                    for name, digit in (("n.txt", "c"), ("t.json", "d")))  # fmt: skip
    beside = Beside(("x", "y"), truth, "cp1252", names)
    shown = ((table,), "auto", "", "pairs", "", "cvpr-page", False, ())
    recipe = ConfusionExport(*shown, beside).recipe([])
    assert recipe.parts[2:6] == ("--names", "n.txt", "--encoding", "cp1252")
    assert [one.name for one in recipe.inputs] == ["a.csv", "n.txt"]
    own = ConfusionExport((bundled,), *shown[1:], beside).recipe([])
    assert own == ConfusionExport((bundled,), *shown[1:]).recipe([])
    slices, errors = (
        slices_command_line([bundled], replace(beside, properties=names), what)
        for what in ("slices", "label-errors")
    )
    assert "--slices --properties n.txt --out slices" in slices
    assert "--label-errors --out label-errors" in errors and "n.txt" not in errors
