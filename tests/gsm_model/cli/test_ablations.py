"""``train-ablations``: variants of the gate, trained alike and measured."""

import json


def test_the_command_trains_measures_and_goes_on(run, tmp_path):
    (tmp_path / "r.json").write_text(
        json.dumps(
            {"temporal": "none", "width": 0.125, "input_size": 32, "style": "probes", "steps": 2}
            | {"batch_size": 2, "precision": "32-true"}
        )
    )
    given = ["train-ablations", tmp_path / "r.json", "--out", tmp_path / "out", "--workers", "0"]
    given += ["--clips", "16", "--variant", "gsm", "--variant", "sigmoid"]
    first = run(*given)
    rows = json.loads((tmp_path / "out" / "ablations.json").read_text())
    assert [row["variant"] for row in rows] == ["gsm", "sigmoid"]
    assert rows[0]["parameters"] == rows[1]["parameters"] and rows[0]["steps"] == 2
    assert run(*given).stdout == first.stdout  # what has ended is read
    (tmp_path / "r.json").write_text(json.dumps({"temporal": "none", "style": "drawn"}))
    assert "measured on the probes" in run(*given[:4], code=2).stderr
