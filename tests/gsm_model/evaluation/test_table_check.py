"""A damaged table of systems is a sentence that names its row and key, wherever it is read."""

import json
import re

import pytest

from gsm_model.bundled import assets
from gsm_model.errors import DataError
from gsm_model.evaluation.systems import inputs_table, systems_table
from gsm_model.evaluation.table_check import read_table
from tests.systems_table import of_probes, write_table

RATIO = {"ratio": 1.2, "low": 1.1, "high": 1.3, "name": "a CPU"}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table whose GSM was measured in all that is measured."""
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    path = write_table(tmp_path, {"gsm": (0.9, (10, 20))}, ("none", "gsm"))
    content = json.loads(path.read_text())
    gsm = content["systems"]["gsm"]
    gsm |= {"probes": of_probes(0.8), "latency_ratio": RATIO, "training_ratio": RATIO}
    gsm |= {"measured_reach": [7, 7], "checkpoint": "gsm-seed0.safetensors"}
    gsm["seeds"] = {seed: {"test": gsm["test"], "diverged": False} for seed in "01"}
    path.write_text(json.dumps(content))
    return path


def damage(path, keys, value):
    """Put ``value`` at ``keys`` of the file, or take away what is there where it is ``...``."""
    content = json.loads(path.read_text())
    *above, last = keys
    inner = content
    for key in above:
        inner = inner[int(key) if isinstance(inner, list) else key]
    last = int(last) if isinstance(inner, list) else last
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    path.write_text(json.dumps(content))


def test_the_table_that_comes_with_the_project_is_whole():
    assert set(read_table(assets() / "systems" / "systems.json")) == {"systems", "inputs"}


@pytest.mark.parametrize("part", ["systems", "inputs"])
@pytest.mark.parametrize("value", [None, [], 3])
def test_a_part_that_is_no_object_is_named(table, part, value):
    damage(table, [part], value)
    with pytest.raises(DataError, match=rf"systems\.json: '{part}' must be an object"):
        systems_table()
    with pytest.raises(DataError, match=f"'{part}'"):
        inputs_table()


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("", None, "must be an object, not null"),
        ("", [], "must be an object, not []"),
        ("parameters", "many", "'parameters' must be a whole number, not 'many'"),
        ("gmacs", ..., "'gmacs' is missing beside 'parameters'"),
        ("gmacs", float("nan"), "'gmacs' must be a number, not nan"),
        ("reach", [1, 2, 3], "'reach' must be a list of 2, not [1, 2, 3]"),
        ("reach", 4, "'reach' must be a list of 2, not 4"),
        ("measured_reach", ["a", 1], "'measured_reach[0]' must be a whole number"),
        ("test.within_pair", ..., "'test.within_pair' is missing"),
        ("test.within_pair.low", ..., "'test.within_pair.low' is missing"),
        ("shifted.top1.value", float("nan"), "'shifted.top1.value' must be a share in 0 to 1"),
        ("test.top1.low", 1.0, "'test.top1' has a value outside its interval"),
        ("test.top1.n", True, "'test.top1.n' must be a whole number"),
        ("test.top1.n", 2.5, "'test.top1.n' must be a whole number, not 2.5"),
        ("test.pair", 3, "'test.pair' must be an object"),
        ("latency_ratio", {}, "'latency_ratio.ratio' is missing"),
        ("training_ratio.low", None, "'training_ratio.low' must be a number, not null"),
        ("network.width", "half", "'network.width' must be a number"),
        ("pairs.test", [], "'pairs.test' must be an object"),
        ("against_gsm.test.top1.n", ..., "'against_gsm.test.top1.n' is missing"),
        ("seeds", [], "'seeds' must be an object"),
        ("seeds.1", None, "'seeds.1' must be an object, not null"),
        ("seeds.1.test.within_pair", ..., "'seeds.1.test.within_pair' is missing"),
        ("ended", True, "'ended' must be an object"),
        ("curve", {}, "'curve' must be a list"),
        ("checkpoint", 7, "'checkpoint' must be a text"),
        ("probes", [], "'probes' must be an object"),
        ("probes.results", ..., "'probes.results' is missing"),
        ("probes.network", ..., "'probes.network' is missing"),
        ("probes.network", None, "'probes.network' must be an object, not null"),
        ("probes.steps", "500", "'probes.steps' must be a whole number"),
        ("probes.results.0", ..., "'probes.results' lacks 'which first' over all distances"),
        ("probes.results.1.high", ..., "'probes.results[1].high' is missing"),
    ],
)
def test_what_is_of_another_kind_is_named_by_row_and_key(table, place, value, message):
    damage(table, ["systems", "gsm", *filter(None, place.split("."))], value)
    expected = re.escape(f"systems.json: systems, row 'gsm': {message}")
    with pytest.raises(DataError, match=expected):
        systems_table()


@pytest.mark.parametrize(
    "place",
    [
        *("reach", "measured_reach", "latency_ratio", "training_ratio", "test", "shifted"),
        *("network", "pairs", "against_gsm", "checkpoint", "seeds", "ended", "curve", "probes"),
        *("parameters", "test.pair", "pairs.test", "against_gsm.test", "seeds.1.test"),
    ],
)
@pytest.mark.parametrize("value", [None, ...])
def test_what_was_not_measured_may_be_missing(table, place, value):
    damage(table, ["systems", "gsm", *place.split(".")], value)
    assert "gsm" in {row["name"] for row in systems_table()}


def test_a_run_that_diverged_told_nothing_of_time(table):
    diverged = {"results": [], "network": None, "steps": 5, "batch": 4}
    damage(table, ["systems", "gsm", "probes"], diverged)
    assert systems_table()[1]["probes"] == diverged


@pytest.mark.parametrize("content", ["[1]", "null", "[" * 200_000, "{", "\x00"])
def test_what_is_no_table_is_said(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match=r"^a\.json: (cannot be read|is no table of systems)"):
        read_table(tmp_path / "a.json")
