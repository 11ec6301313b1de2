"""``explain`` as a person runs it."""

import csv
import json
import shlex
import shutil
import sys

import numpy as np
import pytest

from gsm_model import load_checkpoint, save_checkpoint
from gsm_model.cli import app
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.explain.gates.dataset import read_data_gates
from gsm_model.explain.gates.intervention_dataset import read_interventions
from gsm_model.explain.gates.report import report_gates
from gsm_model.io.hashing import sha256
from gsm_model.models.card import Card
from gsm_model.video.isolate import read_video
from tests.conftest import make_small
from tests.gsm_model.cli.conftest import same_files


@pytest.fixture
def drawn_checkpoint(tmp_path):
    path = tmp_path / "drawn.safetensors"
    save_checkpoint(
        make_small("gsm", num_classes=len(LABELS)), path, Card("Drawn", "trained", LABELS)
    )
    return path


def test_gates_of_a_clip_are_arrays_tables_figures_and_a_film_and_the_recipe_makes_them_again(
    run, run_process, clip, checkpoint, tmp_path
):
    out, again = tmp_path / "out", tmp_path / "again"
    options = ("--order", "reversed", "--width", "column", "--layer", "layer2.0", "--opacity", 0.4)
    done = run("explain", "gates", clip, "--checkpoint", checkpoint, "--out", out, *options)
    assert {"gates.npz", "gates.csv", "gates.pdf", "gates.mp4", "recipe.json"} <= {
        path.name for path in out.iterdir()
    }
    assert "A model, frames reversed" in done.stdout and "layer4.1" in done.stdout
    model = load_checkpoint(checkpoint)
    report = report_gates(model, read_video(clip, (4,)), "reversed")
    arrays = np.load(out / "gates.npz")
    assert list(arrays) == [layer.name for layer in report.layers]
    for layer in report.layers:
        assert arrays[layer.name].dtype == np.float32
        # The command computes with the folded copy, which keeps the network's values to 1e-4.
        np.testing.assert_allclose(arrays[layer.name], layer.gate, atol=1e-4)
    command = json.loads((out / "recipe.json").read_text())["command"]
    parts = shlex.split(command)[3:]
    parts[parts.index("--out") + 1] = str(again)
    run_process(*parts)
    same_files(out, again)


def test_several_models_and_a_bad_clip_have_a_folder_each_and_one_line(
    run, clip, checkpoint, tmp_path
):
    (tmp_path / "notes.mp4").write_text("no video")
    other = tmp_path / "tsm.safetensors"
    save_checkpoint(make_small("tsm"), other, Card("Other", "trained", ("a", "b", "c", "d", "e")))
    done = run(
        "explain",
        "gates",
        tmp_path / "notes.mp4",
        clip,
        "-c",
        checkpoint,
        "-c",
        other,
        "--out",
        tmp_path / "o",
        code=2,
    )
    assert (
        done.stderr.strip().startswith("notes.mp4: not a video")
        and len(done.stderr.strip().splitlines()) == 1
    )
    assert (tmp_path / "o" / "a clip" / "gsm" / "gates.npz").exists() and (
        tmp_path / "o" / "a clip" / "tsm" / "gates.pdf"
    ).exists()


def test_gates_of_a_data_set_are_a_table_a_figure_and_a_recipe(run, drawn_checkpoint, tmp_path):
    out = tmp_path / "t" / "gates.parquet"
    run("explain", "gates", "-c", drawn_checkpoint, "--clips", 3, "--out", out)
    rows = read_data_gates(out)
    assert (
        len(rows) == 17
        and rows[0]["n"] == 3
        and rows[0]["data"] == "Reversible Actions, test split"
    )
    with (tmp_path / "t" / "gates.csv").open() as file:
        assert float(list(csv.DictReader(file))[1]["gate_mean"]) == pytest.approx(
            rows[1]["gate_mean"]
        )
    assert (tmp_path / "t" / "gates.pdf").read_bytes().startswith(b"%PDF")
    assert (
        "--clips 3 --out gates.parquet"
        in json.loads((tmp_path / "t" / "gates.recipe.json").read_text())["command"]
    )
    run("figures", tmp_path / "t" / "gates.recipe.json", "--out", tmp_path / "again")
    for path in (tmp_path / "t").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_experiments_on_a_clip_are_listed_and_one_can_be_asked_for(run, clip, checkpoint, tmp_path):
    run("explain", "interventions", clip, "-c", checkpoint, "--out", tmp_path / "all")
    with (tmp_path / "all" / "interventions.csv").open() as file:
        rows = {row["intervention"]: row for row in csv.DictReader(file)}
    assert (
        len(rows) == 1 + 8 + 4 * 8
        and rows["none"]["moved"] == "0.0"
        and float(rows["closed"]["moved"]) > 0
    )
    one = ["--clamp", "closed", "--layer", "layer1.0", "--direction", "next"]
    done = run("explain", "interventions", clip, "-c", checkpoint, "--out", tmp_path / "one", *one)
    assert "closed, layer1.0, from next" in done.stdout
    command = json.loads((tmp_path / "one" / "recipe.json").read_text())["command"]
    assert "--clamp closed --direction next --layer layer1.0" in command


def test_experiments_on_a_data_set_know_its_mean(run, drawn_checkpoint, tmp_path):
    run(
        "explain",
        "gates",
        "-c",
        drawn_checkpoint,
        "--clips",
        2,
        "--out",
        tmp_path / "gates.parquet",
    )
    done = run(
        *(
            "explain",
            "interventions",
            "-c",
            drawn_checkpoint,
            "--clips",
            2,
            "--gates",
            tmp_path / "gates.parquet",
        ),
        *("--out", tmp_path / "held.parquet"),
    )
    table = read_interventions(tmp_path / "held.parquet")
    assert {"none", "data mean", "other clip", "layer3.0 alone working"} <= set(
        table.origin.interventions
    )
    assert (
        "data mean" in done.stdout
        and (tmp_path / "held.pdf").exists()
        and (tmp_path / "held.csv").exists()
    )
    inputs = json.loads((tmp_path / "held.recipe.json").read_text())["inputs"]
    assert inputs[str(tmp_path / "gates.parquet")] == sha256(tmp_path / "gates.parquet")


def test_another_clips_gates_are_its_own(run, clip, checkpoint, tmp_path):
    args = ("-c", checkpoint, "--clamp", "other clip", "--out", tmp_path / "o")
    other = shutil.copy(clip, tmp_path / "other.mp4")
    run("explain", "interventions", clip, "--other", other, *args)
    with (tmp_path / "o" / "interventions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1]["intervention"] == "other clip" and float(rows[1]["moved"]) == pytest.approx(
        0, abs=1e-5
    )
    assert json.loads((tmp_path / "o" / "recipe.json").read_text())["inputs"][str(other)] == sha256(
        other
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gates", "CLIP", "--layer", "layer9"), "has no layer 'layer9'"),
        (("gates", "--out", "folder"), "name the .parquet file to write"),
        (("gates", "--out", "x.parquet"), "its classes are others"),
        (("interventions", "CLIP", "--clamp", "shut"), "no clamp 'shut'"),
        (("interventions", "CLIP", "--clamp", "data mean"), "'data mean' needs values"),
        (
            ("interventions", "CLIP", "--clamp", "closed", "--layer", "layer9"),
            "has no layer 'layer9'",
        ),
        (("interventions", "CLIP", "--gates", "nowhere.parquet"), "not a table of gates"),
        (("interventions", "--out", "x.parquet", "--other", "CLIP"), "--other goes with clips"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(run, clip, checkpoint, tmp_path, arguments, message):
    arguments = [str(clip) if part == "CLIP" else part for part in arguments]
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "o")]
    done = run("explain", *arguments, "-c", checkpoint, *out, code=2)
    lines = [line for line in done.stderr.strip().splitlines() if not line.startswith("experiment")]
    assert message in lines[-1] and len(lines) == 1


@pytest.mark.thorough
def test_two_models_whose_files_have_one_name_do_not_overwrite_each_other(
    run, clip, checkpoint, drawn_checkpoint, tmp_path
):
    twin = tmp_path / "elsewhere" / checkpoint.name
    twin.parent.mkdir()
    shutil.copy(drawn_checkpoint, twin)
    run("explain", "gates", clip, "-c", checkpoint, "-c", twin, "--out", tmp_path / "o")
    names = [
        json.loads((tmp_path / "o" / folder / "recipe.json").read_text())["model"]
        for folder in ("gsm", "gsm-2")
    ]
    assert names == ["A model", "Drawn"]
    shutil.copy(drawn_checkpoint, checkpoint)
    run("evaluate", "-c", checkpoint, "-c", twin, "--clips", 2, "--out", tmp_path / "p")
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        f"gsm{number}_test_{order}.parquet"
        for number in ("-2", "")
        for order in ("forward", "reversed")
    ]


def test_a_recipe_has_the_arguments_that_the_command_was_called_with(
    drawn_checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "argv", ["another program", "--out", "elsewhere"])
    out = tmp_path / "gates.parquet"
    arguments = ["explain", "gates", "-c", str(drawn_checkpoint), "--clips", "2", f"--out={out}"]
    app(arguments, standalone_mode=False)
    command = json.loads((tmp_path / "gates.recipe.json").read_text())["command"]
    assert shlex.split(command)[3:] == [*arguments[:-1], "--out", "gates.parquet"]
