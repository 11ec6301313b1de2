"""``report-card`` as a person runs it."""

import csv
import json

from gsm_model import save_checkpoint
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.models.card import Card
from tests.conftest import make_small


def test_two_models_are_on_one_page_and_what_is_there_is_not_scored_again(run, tmp_path):
    models = []
    for system in ("gsm", "none"):
        path = tmp_path / f"{system}.safetensors"
        model = make_small(system, num_classes=len(LABELS))
        save_checkpoint(model, path, Card(system.upper(), "trained", LABELS))
        models += ["-c", path]
    out = tmp_path / "o" / "card.pdf"
    call = ("report-card", *models, "--clips", 2, "--shuffles", 2, "--out", out)
    done = run(*call)
    assert "GSM  2 clips of Reversible Actions, test split" in done.stdout
    assert out.read_bytes().startswith(b"%PDF")
    with (out.parent / "card.csv").open() as file:
        assert {row["model"] for row in csv.DictReader(file)} == {"GSM", "NONE"}
    recipe = json.loads((out.parent / "card.recipe.json").read_text())
    assert recipe["command"].endswith("--out card.pdf") and len(recipe["inputs"]) == 3
    table = out.parent / "card.gsm.parquet"
    written, numbers = table.stat().st_mtime_ns, (out.parent / "card.csv").read_bytes()
    again = run(*call, "--json")
    assert table.stat().st_mtime_ns == written
    assert (out.parent / "card.csv").read_bytes() == numbers
    assert json.loads(again.stdout)["models"][1]["need_time"] == []


def test_a_page_is_a_pdf(run, tmp_path):
    done = run("report-card", "--out", tmp_path / "card.txt", code=2)
    assert done.stderr.strip() == "--out: name the .pdf file to write"
