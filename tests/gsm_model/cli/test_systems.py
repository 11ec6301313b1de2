"""``systems`` and ``measure-systems``: the table as text, JSON, figure and for LaTeX, and what
measuring runs writes into it.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsm_model import build_recognizer, save_checkpoint
from gsm_model.data.probes.plans import LABELS as PROBE_LABELS
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.evaluation import systems as evaluation
from gsm_model.evaluation.evaluate import BothWays
from gsm_model.evaluation.systems import SystemCost
from gsm_model.models.card import Card
from gsm_model.models.inputs import motion_inputs
from tests.conftest import make_small
from tests.predictions import make_predictions, of_classes
from tests.systems_table import PAIRS, of_probes, write_table

COST = SystemCost(1000, 10**9, 1, 1, (1, 1))
MEASURED = {"none": (0.5, (10, 430)), "tsm": (0.9, (30, 50)), "gsm": (0.92, None)}


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path / "assets"))
    return write_table(tmp_path / "assets", MEASURED, ("none", "tsm", "gsm", "r3d"))


def test_the_table_says_what_was_measured_and_what_was_not_trained(run, table):
    said = run("systems", "--split", "shifted").stdout.splitlines()
    of = {line.split()[0]: line for line in said[1:]}
    assert "84.0% (81.6% to 86.1%)" in of["gsm"] and "not trained" in of["r3d"]
    rows = {row["name"]: row for row in json.loads(run("systems", "--json").stdout)}
    assert rows["gsm"]["file"] == "gsm_model/models/systems/gsm.py" and rows["gsm"]["idea"]
    assert rows["tsm"]["against_gsm"]["test"]["top1"] == {
        "only_this": 30,
        "only_gsm": 50,
        "n": 1000,
    }


def test_figure_and_table_for_print_come_with_caption_and_recipe(run, table, tmp_path):
    out = tmp_path / "out"
    run("systems", "--figure", out / "a.svg", "--latex", out / "b.tex")
    assert sorted(path.name for path in out.iterdir()) == [
        *("a.caption.txt", "a.recipe.json", "a.svg"),
        *("b.caption.tex", "b.recipe.json", "b.tex"),
    ]
    drawn = (out / "a.svg").read_text()
    assert ">TSM<" in drawn and ">R3D<" not in drawn
    assert len(PAIRS) == 10 and drawn.count("something") >= 8
    lines = (out / "b.tex").read_text().splitlines()
    assert [line.split(" & ")[0] for line in lines[4:7]] == ["GSM", "TSM", "TSN"]  # best first
    assert r"90.0 (88.0 to 91.7)" in lines[5] and r"$-$2.0 & 0.033" in lines[5]
    assert "R3D" in "\n".join(lines[8:]) and lines[-1] == r"\end{tabular}"
    caption = (out / "a.caption.txt").read_text()
    assert "resnet18 of 0.25 of its width" in caption and "the same 1,000 drawn test" in caption
    recipe = json.loads((out / "b.recipe.json").read_text())
    assert recipe["command"].endswith("systems --figure a.svg --latex b.tex")
    assert recipe["inputs"]["assets/systems/systems.json"]


def test_what_is_told_of_time_is_printed_with_what_is_given_motion(run, table, tmp_path):
    content = json.loads(table.read_text())
    content["systems"]["tsm"]["probes"] = of_probes(0.75)
    taken = {"ratio": 3.4, "motion": 2.6, "name": "a CPU"}
    flow = {"parameters": 11_262_638, "gmacs": 14.2, "latency_ratio": taken}
    content["inputs"] = {"flow": {**flow, "probes": of_probes(0.5)}}
    table.write_text(json.dumps(content))
    out = tmp_path / "out"
    options = ("--figure", out / "a.svg", "--latex", out / "b.tex", "--split", "probes")
    run("systems", *options)
    drawn = (out / "a.svg").read_text()
    assert ">TSM<" in drawn and ">Optical flow (TV-L1)<" in drawn and ">GSM<" not in drawn
    lines = (out / "b.tex").read_text().splitlines()
    assert lines[2].endswith(r"time & motion & which first & direction & color \\")
    assert lines[4].startswith("TSM & ") and lines[4].endswith(r"& – & – & 75 & 75 & 75 \\")
    assert lines[5] == (
        r"Optical flow (TV-L1) & 11.26 & 14.2 & $\times$3.40 & $\times$2.60 & 50 & 50 & 50 \\"
    )
    caption = (out / "b.caption.tex").read_text()
    assert r"$\pm$ 6 points" in caption and "on a CPU" in caption  # 224 scenes
    said = run("systems", "--split", "probes", "--inputs").stdout
    assert "which first" in said and "75.0% (" in said and "50.0% (" in said


def test_a_figure_of_nothing_trained_says_so(run, tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    write_table(tmp_path, {}, ("none",))
    ended = run("systems", "--figure", tmp_path / "a.pdf", code=2)
    assert "no system was trained and measured on test clips" in ended.stderr
    run("systems", "--figure", tmp_path / "a.jpg", code=2)
    ended = run("systems", "--figure", tmp_path / "a.pdf", "--split", "probes", code=2)
    assert "no system was trained and measured on the temporal probes" in ended.stderr
    run("systems", "--latex", tmp_path / "b.tex")
    assert "not trained" in (tmp_path / "b.tex").read_text()


def scored(number: int) -> BothWays:
    """Answers of a made-up model to 40 clips, and to the same clips reversed."""
    truth = np.arange(40) % len(LABELS)
    made = [
        make_predictions("A", 40, len(LABELS), seed=2 * number + way, truth=truth) for way in (0, 1)
    ]
    forward, backward = (of_classes(one, LABELS) for one in made)
    origin = replace(backward.origin, order="reversed")
    return BothWays(forward, replace(backward, origin=origin))


def write_run(runs: Path, system: str, labels: tuple[str, ...], style: str) -> None:
    """A run of two steps that has ended, as train-alike leaves it."""
    folder = runs / f"{system}-seed0"
    folder.mkdir(parents=True)
    if given := motion_inputs().get(system):
        model = build_recognizer(
            *("resnet18", "none", len(labels)),
            width=0.125,
            input_size=32,
            modality=given.modality(),
        )
    else:
        model = make_small(system, num_classes=len(labels))
    model.architecture = replace(model.architecture, num_segments=8)
    model.card = Card(system, "trained", labels)
    save_checkpoint(model, folder / "model.safetensors")
    of = model.architecture
    config = {"temporal": of.temporal, "modality": of.modality.kind, "width": of.width}
    config |= {"style": style, "input_size": model.input.size}
    (folder / "config.json").write_text(json.dumps(config))
    log = "step,loss,accuracy,learning_rate\n1,3.0,0.1,0.1\n2,1.0,0.5,0.1\n"
    (folder / "log.csv").write_text(log)


def test_runs_on_the_temporal_probes_are_measured_on_them(run, tmp_path, monkeypatch):
    runs, table = tmp_path / "runs", tmp_path / "table.json"
    for name in ("none", "tsm"):
        write_run(runs, name, PROBE_LABELS, "probes")
    monkeypatch.setattr(evaluation, "cost_of_system", lambda name: COST)
    options = ("--system", "tsm", "--system", "none", "--clips", 112)
    run("measure-systems", table, "--runs", runs, *options)
    rows = json.loads(table.read_text())["systems"]
    assert "test" not in rows["tsm"] and "seeds" not in rows["tsm"]
    of = rows["none"]["probes"]
    told = {(one["probe"], one["distance"]): one for one in of["results"] if not one["control"]}
    assert {one["value"] for one in told.values()} == {0.5}, "who averages frames only guesses"
    assert told["which first", None]["n"] == sum(told["which first", k]["n"] for k in range(1, 8))
    assert of["steps"] == 2 and of["clutter"] == 1 and of["network"]["width"] == 0.125
    assert rows["tsm"]["probes"]["ended"] == {"diverged": False, "loss": 2.0}


def test_two_streams_are_measured_of_the_two_runs_that_they_are_made_of(run, tmp_path, monkeypatch):
    runs, table = tmp_path / "runs", tmp_path / "table.json"
    for name in ("none", "flow"):
        write_run(runs, name, PROBE_LABELS, "probes")
    monkeypatch.setattr(evaluation, "cost_of_system", lambda name: COST)
    run("measure-systems", table, "--runs", runs, "--system", "two_stream", "--clips", 32)
    found = json.loads(table.read_text())
    assert list(found["inputs"]) == ["two_stream", "flow"] and list(found["systems"]) == ["none"]
    both = {one["probe"]: one for one in found["inputs"]["two_stream"]["probes"]["results"]}
    parts = [found["systems"]["none"], found["inputs"]["flow"], found["inputs"]["two_stream"]]
    one, other, fused = (row["probes"]["network"]["parameters"] for row in parts)
    assert fused == one + other
    assert both["direction"]["n"] == 2 and found["inputs"]["two_stream"]["parameters"] > 10**7
    monkeypatch.setattr("gsm_model.evaluation.systems.systems_file", lambda: table)
    said = run("systems", "--inputs").stdout
    assert "two_stream" in said and "tvnet" in said
    names = [row["name"] for row in json.loads(run("systems", "--json").stdout)]
    assert "flow" not in names and "gsm" in names


def test_a_run_that_is_under_way_is_not_called_diverged(run, tmp_path, monkeypatch):
    runs, table = tmp_path / "runs", tmp_path / "table.json"
    write_run(runs, "tsm", PROBE_LABELS, "probes")
    (runs / "tsm-seed0" / "model.safetensors").unlink()
    monkeypatch.setattr(evaluation, "cost_of_system", lambda name: COST)
    done = run("measure-systems", table, "--runs", runs, "--system", "tsm", "--clips", 112)
    assert "tsm-seed0: has not ended and is not measured" in done.stderr
    assert "probes" not in json.loads(table.read_text())["systems"]["tsm"]


def test_measuring_a_run_compares_it_with_the_gsm_beside_it(run, tmp_path, monkeypatch):
    runs, table = tmp_path / "runs", tmp_path / "table.json"
    for name in ("gsm", "tsm"):
        write_run(runs, name, LABELS, "drawn")
    monkeypatch.setattr(evaluation, "cost_of_system", lambda name: COST)
    monkeypatch.setattr(
        evaluation, "score_drawn_clips", lambda models, *_, **__: [scored(0), scored(1)]
    )
    run("measure-systems", table, "--runs", runs, "--system", "tsm", "--clips", 40)
    [(name, row)] = json.loads(table.read_text())["systems"].items()
    assert name == "tsm" and row["checkpoint"] == "tsm-seed0.safetensors"
    assert row["against_gsm"]["shifted"]["within_pair"]["n"] == 40
    assert list(row["pairs"]["test"]) == list(PAIRS)
    assert list(row["seeds"]["0"]) == ["test", "shifted", "steps", "diverged"]
    assert row["network"]["width"] == 0.125 and row["curve"][-1]["accuracy"] == 0.5


@pytest.mark.parametrize(
    "typed", [("systems",), ("measure-systems", "assets/systems/systems.json")]
)
def test_a_damaged_table_is_a_line(run, table, typed, monkeypatch):
    table.write_text(json.dumps({"systems": {"gsm": None}}))
    monkeypatch.chdir(table.parents[2])
    done = run(*typed, code=2)
    assert done.stderr.startswith("systems.json: systems, row 'gsm': must be an object, not null")
    assert len(done.stderr.splitlines()) == 1


def ended_without(folder: Path, loss: str = "1.0", weight: float | None = None) -> None:
    """Make a run of two steps one that ended with ``loss`` and without a checkpoint, and with
    ``weight`` in its last state if that is still there.
    """
    (folder / "model.safetensors").unlink()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"steps": 2}))
    log = f"step,loss,accuracy,learning_rate\n1,{loss},0.1,0.1\n2,{loss},0.5,0.1\n"
    (folder / "log.csv").write_text(log)
    if weight is not None:
        state = {"model": {"weight": torch.full((2, 2), weight)}, "step": 2}
        torch.save({**state, "optimizer": {}, "schedule": {}}, folder / "state.pt")


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({}, "its model.safetensors is missing"),
        ({"weight": 1.0}, "its model.safetensors is missing"),
        ({"loss": "nan"}, "diverged"),
        ({"loss": "nan", "weight": 1.0}, "diverged"),
        ({"weight": float("inf")}, "diverged"),
        ({"weight": 1e6}, "diverged"),  # which float16 does not hold
    ],
)
def test_a_run_that_lost_its_checkpoint_is_not_called_diverged(
    run, tmp_path, monkeypatch, how, told
):
    runs, table = tmp_path / "runs", tmp_path / "new" / "table.json"
    write_run(runs, "tsm", LABELS, "drawn")
    ended_without(runs / "tsm-seed0", **how)
    monkeypatch.setattr(evaluation, "cost_of_system", lambda name: COST)
    done = run("measure-systems", table, "--runs", runs, "--system", "tsm")
    assert f"tsm-seed0: {told}" in done.stderr
    row = json.loads(table.read_text())["systems"]["tsm"]
    assert row["parameters"] == 1000 and "test" not in row
    assert row.get("ended", {}).get("diverged") == (True if told == "diverged" else None)


def test_a_place_under_a_file_is_said_before_anything_is_measured(run, tmp_path):
    (tmp_path / "a").write_text("")
    done = run("measure-systems", tmp_path / "a" / "table.json", code=2)
    assert done.stderr.startswith("TABLE: ") and "is a file" in done.stderr


@pytest.mark.parametrize("style", ["drawn", "probes"])
def test_runs_of_two_recipes_do_not_stand_beside_each_other(run, tmp_path, monkeypatch, style):
    runs, table = tmp_path / "runs", tmp_path / "table.json"
    for name in ("gsm", "tsm"):
        write_run(runs, name, LABELS, style)
    config = json.loads((runs / "gsm-seed0" / "config.json").read_text())
    (runs / "gsm-seed0" / "config.json").write_text(json.dumps({**config, "steps": 9}))
    monkeypatch.setattr(evaluation, "cost_of_system", lambda name: COST)
    given = ("--runs", runs, "--system", "gsm", "--system", "tsm")
    done = run("measure-systems", table, *given, code=2)
    assert "tsm-seed0: was trained by another recipe than gsm-seed0" in done.stderr
    assert not table.exists()


@pytest.mark.parametrize(
    ("taken", "message"),
    [
        (
            ("model.safetensors",),
            "gsm-seed0: its model.safetensors holds none in a resnet18 of width 0.125 with 8 frames"
            " of 32 pixels, RGB, but its config.json says gsm in a resnet18",
        ),
        (
            ("model.safetensors", "config.json"),
            "gsm-seed0: its config.json is of a run of none that is given RGB, not of gsm",
        ),
    ],
)
@pytest.mark.parametrize("system", ["gsm", "tsm"])
def test_what_another_run_left_is_not_measured(run, tmp_path, monkeypatch, taken, message, system):
    runs, table = tmp_path / "runs", tmp_path / "table.json"
    for name in ("gsm", "none", "tsm"):
        write_run(runs, name, LABELS, "drawn")
    for file in taken:
        (runs / "gsm-seed0" / file).write_bytes((runs / "none-seed0" / file).read_bytes())
    monkeypatch.setattr(evaluation, "cost_of_system", lambda name: COST)
    done = run("measure-systems", table, "--runs", runs, "--system", system, code=2)
    assert message in done.stderr.splitlines()[-1] and not table.exists()
