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
    run(*given[:-3], "one")  # a further variant is added to the table
    rows = json.loads((tmp_path / "out" / "ablations.json").read_text())
    assert [row["variant"] for row in rows] == ["gsm", "sigmoid", "one"]
    assert "measured on other clips" in run(*given, "--clips", "32", code=2).stderr
    assert len(json.loads((tmp_path / "out" / "ablations.json").read_text())) == 3
    other = json.loads((tmp_path / "r.json").read_text()) | {"learning_rate": 0.1}
    (tmp_path / "r.json").write_text(json.dumps(other))
    assert "another configuration" in run(*given[:-3], "two", code=2).stderr
    (tmp_path / "r.json").write_text(json.dumps({"temporal": "none", "style": "drawn"}))
    assert "measured on the probes" in run(*given[:4], code=2).stderr


def test_a_variant_that_diverged_is_said_to_have(run, tmp_path):
    wild = {"optimizer": "sgd", "learning_rate": 1000.0, "weight_decay": 1e30}
    config = {"temporal": "none", "width": 0.125, "input_size": 32, "style": "probes", "steps": 2}
    config |= {"batch_size": 2, "precision": "32-true", "camera": 1.0, **wild}
    (tmp_path / "r.json").write_text(json.dumps(config))
    given = ["train-ablations", tmp_path / "r.json", "--out", tmp_path / "out", "--workers", "0"]
    assert "diverged" in run(*given, "--clips", "16", "--variant", "gsm").stdout
    [row] = json.loads((tmp_path / "out" / "ablations.json").read_text())
    assert row["diverged"] and row["results"] == []
    (tmp_path / "r.json").write_text(json.dumps({**config, "initial": "gsm.pth"}))
    assert "start from random weights" in run(*given, code=2).stderr
