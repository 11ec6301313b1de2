"""``confusions`` and ``figures`` as a person runs them."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from gsm_model.bundled import assets
from gsm_model.predictions.read import read_parquet
from gsm_model.predictions.write import write_predictions
from tests.gsm_model.cli.conftest import same_files
from tests.predictions import make_predictions

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
    assert same_files(tmp_path / "one", tmp_path / "two") == names


def test_one_model_has_a_figure_of_what_it_mixes_up_most(run, tmp_path):
    run("confusions", TSN, "--most", 3, "--out", tmp_path)
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


def test_where_b_is_nowhere_better_the_models_are_still_tested(run, tmp_path):
    rows = "".join(f"v{i},p,{'p' if i < 55 else 'f'}\n" for i in range(80))
    worse = "".join(f"v{i},p,{'p' if i < 40 or 55 <= i < 60 else 'f'}\n" for i in range(80))
    for name, lines in (("good", rows), ("worse", worse)):
        (tmp_path / f"{name}.csv").write_text("id,label,predicted\n" + lines)
    (tmp_path / "names.txt").write_text("p\nf\n")
    files = tmp_path / "good.csv", tmp_path / "worse.csv", "--names", tmp_path / "names.txt"
    for arguments in (files, (TSN, TSN)):
        done = run("confusions", *arguments, "--out", tmp_path / "o")
        assert "no two classes are mixed up more by A than by B" in done.stderr
        with (tmp_path / "o" / "significance.csv").open() as file:
            [row] = csv.DictReader(file)
        assert row["name"] == "all" and "confusion.pdf" not in done.stdout
        if arguments is files:  # 15 clips only A gets right, 5 only B: 2 · P(X ≤ 5), X ~ B(20, ½)
            assert (row["only_a_right"], row["only_b_right"]) == ("15", "5")
            assert float(row["p"]) == pytest.approx(0.04139, abs=1e-5)


def test_what_was_inferred_and_left_out_of_a_table_is_said(run, tmp_path):
    text = "id;label;predicted\na;Fermé;Ouvert\nb;Ouvert;\nc;Ouvert;Fermé\n"
    (tmp_path / "x.csv").write_bytes(text.encode("cp1252"))
    (tmp_path / "names.txt").write_text("Fermé\nOuvert\n", encoding="utf-8")
    arguments = tmp_path / "x.csv", "--names", tmp_path / "names.txt", "--out", tmp_path / "o"
    said = run("confusions", *arguments).stderr.splitlines()
    assert said[0].startswith("x.csv: read as Windows-1252 (Western), for example 'Fermé'")
    assert said[1:] == ["x.csv: 1 of 3 rows have no prediction and are left out"]
    said = run("confusions", *arguments, "--encoding", "utf-8", code=2).stderr
    assert said.startswith("x.csv: is not written in utf-8")


def test_slices_label_errors_and_an_embedding_of_the_features_come_with_the_comparison(
    run, tmp_path
):
    features = np.random.default_rng(0).normal(size=(60, 9)).astype(np.float16)
    for number, name in enumerate("ab"):
        made = make_predictions(name.upper(), n=60, seed=number, skill=1 + number)
        write_predictions(replace(made, features=features), tmp_path / f"{name}.parquet")
    lines = "".join(f"clip {index},{'day' if index < 20 else 'night'}\n" for index in range(60))
    (tmp_path / "light.csv").write_text("id,light\n" + lines)
    files = tmp_path / "a.parquet", tmp_path / "b.parquet"
    asked = "--slices", "--properties", tmp_path / "light.csv", "--label-errors"
    asked += "--cell", "class 1,class 1", "--videos", tmp_path
    more = "--also", "features", "--method", "pca"
    run("confusions", *files, *asked, *more, "--out", tmp_path / "o")
    made = {path.name for path in (tmp_path / "o").iterdir()}
    assert {"slices.csv", "slices.tex", "slices.md", "slices.pdf", "label-errors.csv"} <= made
    assert "there is no video of it" in (tmp_path / "o" / "cell.csv").read_text()
    assert "features.pdf" in made and "embedding.pdf" not in made
    with (tmp_path / "o" / "slices.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["slice"], row["n"]) for row in rows if row["by"] == "light"] == [
        ("night", "40"),
        ("day", "20"),
    ]
    recipe = json.loads((tmp_path / "o" / "recipe.json").read_text())
    assert "--slices" in recipe["command"] and str(tmp_path / "light.csv") in recipe["inputs"]
    for options, message in (
        (("--properties", tmp_path / "light.csv"), "goes with --slices"),
        (
            ("--slices", "--properties", tmp_path / "a.parquet"),
            "a.parquet: is no text",
        ),
        (("--videos", tmp_path), "and a --cell whose clips lie in it"),
    ):
        assert message in run("confusions", *files, *options, "--out", tmp_path, code=2).stderr


def test_class_names_that_no_font_has_leave_the_tables_and_one_line(run, tmp_path, no_fonts):
    (tmp_path / "x.csv").write_text("id,label,打开,关闭\na,打开,1,2\n", encoding="utf-8")
    (tmp_path / "y.csv").write_text("id,label,打开,关闭\na,打开,2,1\n", encoding="utf-8")
    files = tmp_path / "x.csv", tmp_path / "y.csv"
    done = run("confusions", *files, "--matrix", "counts", "--out", tmp_path / "o", code=2)
    assert (
        done.stderr.count("\n") == 1 and "no installed font has 4 of the characters" in done.stderr
    )
    assert "关 开 打 闭" in done.stderr and "fonts-noto-cjk" in done.stderr
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert {"significance.csv", "matrix-a.csv", "recipe.json"} <= names
    assert not any(name.endswith(".pdf") for name in names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.csv",), "nowhere.csv: there is no such file"),
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
