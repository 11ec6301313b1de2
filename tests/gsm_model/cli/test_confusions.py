"""``confusions`` and ``figures`` as a person runs them."""

import csv
import json

import numpy as np
import pytest

from gsm_model.bundled import assets
from gsm_model.predictions.read import read_parquet

TSN, GSM = (
    assets() / "predictions" / f"{name}_resnet18_test_forward.parquet" for name in ("tsn", "gsm")
)


MORE = ("--preset", "cvpr-column", "--italics", "--also", "embedding", "--method", "pca")


def test_two_models_leave_a_figure_a_table_a_caption_and_a_recipe_that_makes_the_same_bytes(
    run, run_process, tmp_path
):
    done = run(
        "confusions",
        TSN,
        GSM,
        "--pairs",
        "reversed",
        "--matrix",
        "true",
        "--out",
        tmp_path / "one",
        *MORE,
    )
    names = {path.name for path in (tmp_path / "one").iterdir()}
    figures = {
        f"{name}.{kind}"
        for name in ("confusion", "embedding")
        for kind in ("pdf", "svg", "png", "pgf")
    }
    tables = {f"significance.{kind}" for kind in ("csv", "tex", "md")} | {
        "matrix-a.csv",
        "matrix-b.csv",
    }
    assert names == figures | tables | {"caption.txt", "caption.tex", "recipe.json"}
    with (tmp_path / "one" / "significance.csv").open() as file:
        rows = list(csv.DictReader(file))
    tables = [read_parquet(path) for path in (TSN, GSM)]
    right = [table.scores.argmax(1) == table.truth for table in tables]
    assert rows[0]["name"] == "all" and len(rows) == 11 and int(rows[0]["n"]) == 2000
    assert float(rows[0]["difference"]) == pytest.approx(np.mean(right[1]) - np.mean(right[0]))
    assert (
        rows[1]["name"] == "Folding something / Unfolding something"
        and float(rows[1]["p_holm"]) < 0.001
    )
    assert "TSN ResNet-18 (A) and GSM ResNet-18 (B) on the same 2,000 clips" in done.stdout
    run_process("figures", tmp_path / "one" / "recipe.json", "--out", tmp_path / "two")
    for name in names:
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes(), (
            name
        )


def test_one_model_has_a_figure_of_what_it_mixes_up_most(run_process, tmp_path):
    run_process("confusions", TSN, "--most", 3, "--out", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"confusion.{kind}" for kind in ("pdf", "svg", "png", "pgf")),
        "recipe.json",
    }


def test_clips_of_one_block_stay_together_and_every_class_can_be_tested(run, tmp_path):
    ids = read_parquet(GSM).ids
    (tmp_path / "people.csv").write_text(
        "".join(f"{id},person {index % 40}\n" for index, id in enumerate(ids))
    )
    run(
        "confusions",
        TSN,
        GSM,
        "--test",
        "classes",
        "--blocks",
        tmp_path / "people.csv",
        "--out",
        tmp_path / "o",
    )
    with (tmp_path / "o" / "significance.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 21
    assert "resamples of whole blocks (people)" in (tmp_path / "o" / "caption.txt").read_text()


def test_groups_of_ones_own_are_tested_and_the_recipe_knows_their_file(run, tmp_path):
    (tmp_path / "groups.txt").write_text(
        "left and right: Pushing * left*; Pushing * right*\n\nhands: *olding something; *ing"
        " something\n"
    )
    run("confusions", TSN, GSM, "--groups", tmp_path / "groups.txt", "--out", tmp_path / "o")
    with (tmp_path / "o" / "significance.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["n"]) for row in rows][:2] == [
        ("all", "2000"),
        ("left and right", "200"),
    ] and rows[2]["name"] == "hands"
    assert (
        str(tmp_path / "groups.txt")
        in json.loads((tmp_path / "o" / "recipe.json").read_text())["inputs"]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.csv",), "nowhere.csv: there is no such file"),
        ((TSN, TSN), "no two classes are mixed up more by A than by B"),
        ((TSN, "--pairs", "nowhere.csv"), "nowhere.csv: not a list that can be read"),
        ((TSN, GSM, "--groups", "pyproject.toml"), "line 1 is not a name, a colon and class names"),
        ((TSN, GSM, "--blocks", "pyproject.toml"), "clips have no block"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(run, tmp_path, arguments, message):
    done = run("confusions", *arguments, "--out", tmp_path / "o", code=2)
    assert message in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_a_recipe_runs_no_other_command_and_not_on_changed_inputs(run, tmp_path):
    path = tmp_path / "recipe.json"
    for content in (
        "words",
        "[]",
        '{"command": "rm -rf /", "inputs": {}}',
        '{"command": "python -m gsm_model train x --out y", "inputs": {}}',
    ):
        path.write_text(content)
        assert (
            "not a recipe of confusions or explain"
            in run("figures", path, "--out", tmp_path / "o", code=2).stderr
        )
    for command in (
        f"confusions {TSN} --out o --out /elsewhere",
        f"confusions {TSN} --out o --out=/elsewhere",
        f"confusions {TSN}",
    ):
        path.write_text(json.dumps({"command": f"python -m gsm_model {command}", "inputs": {}}))
        assert "not a recipe" in run("figures", path, "--out", tmp_path / "o", code=2).stderr
    path.write_text(
        json.dumps(
            {"command": f"python -m gsm_model confusions {TSN} --sideways --out o", "inputs": {}}
        )
    )
    assert "No such option" in run("figures", path, "--out", tmp_path / "o", code=2).stderr
    path.write_text(
        json.dumps(
            {
                "command": f"python -m gsm_model confusions {TSN} --out o",
                "inputs": {str(TSN): "0" * 64},
            }
        )
    )
    assert (
        "has changed since the recipe was written"
        in run("figures", path, "--out", tmp_path / "o", code=2).stderr
    )
