"""The table of systems: every registered one, with what it costs and how far it sees."""

import json

import pytest

from gsm_model import build_recognizer
from gsm_model.bundled import assets, system_checkpoints
from gsm_model.data.synthetic.actions import LABELS
from gsm_model.errors import DataError
from gsm_model.evaluation.systems import (
    cost_of_input,
    cost_of_system,
    costs_row,
    inputs_table,
    measure_systems,
    measured_reach,
    network_of,
    reach_of,
    systems_table,
    without_zeros,
)
from gsm_model.models.checkpoints.files import load_checkpoint
from gsm_model.models.inputs import motion_inputs
from gsm_model.models.registry import systems
from gsm_model.models.systems.tsm import Shift
from tests.conftest import draw_zeros, make_small

# Systems beside those of the list whose weights would be too many.
LEFT_OUT = {"gst_large", "repflow", "flow_of_flow"}


@pytest.mark.parametrize("name", ["none", "gsm", "motion_feature"])
def test_the_table_that_comes_with_the_project_is_what_the_systems_cost(name):
    [row] = [row for row in systems_table() if row["name"] == name]
    expected = costs_row(cost_of_system(name))
    assert {key: row[key] for key in expected} == expected


def test_the_table_has_every_system_and_nothing_where_nothing_was_measured(monkeypatch, tmp_path):
    assert [row["name"] for row in systems_table()] == list(systems())
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    assert {row["parameters"] for row in systems_table()} == {None}
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "systems.json").write_text("[")
    with pytest.raises(DataError, match=r"systems\.json: cannot be read"):
        systems_table()


def test_a_network_that_is_given_motion_costs_what_a_tsn_does_but_for_its_first_convolution():
    tsn, flow = cost_of_system("none"), cost_of_input("flow")
    first = 64 * 7 * 7  # weights of a plane
    assert tsn.parameters - flow["parameters"] == first  # two planes in place of three
    both = cost_of_input("two_stream")
    assert both["parameters"] == tsn.parameters + flow["parameters"]
    assert both["gmacs"] == pytest.approx(tsn.macs / 1e9 + flow["gmacs"], abs=2e-4)
    assert [row["name"] for row in inputs_table()] == list(motion_inputs())


def test_reach_is_that_of_the_layers_one_after_the_other():
    shifted = build_recognizer(
        "resnet18", "tsm", 2, width=0.125, shift=Shift(blocks=("layer1.1", "layer4.0"))
    )
    assert reach_of(shifted) == (2, 2) and reach_of(shifted, frames=2) == (1, 1)
    assert cost_of_system("none").back == cost_of_system("motion_feature").back == 0
    assert cost_of_system("motion_feature").ahead == 4


@pytest.mark.parametrize("name", list(systems()))
def test_the_reach_of_a_network_is_what_changing_frames_one_by_one_finds(name):
    model = without_zeros(make_small(name))
    assert measured_reach(model, frames=6, size=32) == reach_of(model, 6)
    row = next(row for row in systems_table() if row["name"] == name)
    assert row["measured_reach"] == row["reach"]


def test_the_measured_reach_is_that_of_the_weights_it_has():
    shifted = build_recognizer("resnet18", "tsm", 2, width=0.125, shift=Shift(blocks=("layer1.1",)))
    assert measured_reach(shifted, frames=5, size=32) == (1, 1)


def test_trained_systems_are_measured_on_the_same_clips(drawn_model):
    for layer in drawn_model.temporal_layers():
        if layer.module is not None:
            draw_zeros(layer.module)
    still = make_small("none", num_classes=20)
    still.card = drawn_model.card
    models = {"gsm-seed0": drawn_model, "tsn": still}
    found = measure_systems(models, 20, splits=("test",), reference="gsm-seed0")
    gsm, tsn = found["gsm-seed0"]["test"], found["tsn"]["test"]
    assert gsm["top1"]["n"] == 20 and tsn["changes_when_reversed"]["value"] == 0
    assert 0 <= gsm["changes_when_reversed"]["low"] <= gsm["changes_when_reversed"]["high"]
    for of in found.values():
        pairs, whole = of["pairs"]["test"].values(), of["test"]["within_pair"]
        right = sum(round(pair["value"] * pair["n"]) for pair in pairs)
        assert sum(pair["n"] for pair in pairs) == whole["n"] == 20
        assert right == round(whole["value"] * 20)
    assert found["gsm-seed0"]["against_gsm"] is None
    for metric, counts in found["tsn"]["against_gsm"]["test"].items():
        gain = (counts["only_this"] - counts["only_gsm"]) / counts["n"]
        assert gain == pytest.approx(tsn[metric]["value"] - gsm[metric]["value"])


def test_what_the_table_says_of_training_has_its_interval_and_clips():
    path = assets() / "systems" / "systems.json"
    for row in json.loads(path.read_text())["systems"].values():
        for split in ("test", "shifted"):
            for figure in row.get(split, {}).values():
                assert figure["low"] <= figure["value"] <= figure["high"] and figure["n"] > 0


def test_the_weights_that_come_with_the_project_are_the_networks_of_the_table():
    rows = {row["name"]: row for row in systems_table()}
    files = system_checkpoints()
    assert {row["checkpoint"] for row in rows.values()} >= {path.name for path in files.values()}
    assert set(rows) - {name.removesuffix("-seed0") for name in files} == LEFT_OUT
    assert sum(path.stat().st_size for path in files.values()) < 40e6
    for name, path in files.items():
        model, row = load_checkpoint(path), rows[name.removesuffix("-seed0")]
        assert network_of(model) == row["network"] and model.card.provenance == "trained"
        said = {
            (one.metric, one.data.split(", ")[1]): (one.value, one.n) for one in model.card.measures
        }
        for split in ("test", "shifted"):
            told = row[split]["within_pair"]
            assert said["within pair", f"{split} split"] == (told["value"], told["n"])
        assert model.card.labels == LABELS and f"{row['seeds']['0']['steps']:,} steps" in (
            model.card.recipe
        )


def test_a_network_that_comes_with_the_project_answers_as_the_table_says():
    """Of the first forty of its clips as many right within their pair as four hundred allow."""
    names = ("difference", "none")
    models = {name: load_checkpoint(system_checkpoints()[f"{name}-seed0"]) for name in names}
    found = measure_systems(models, 40, splits=("test",))
    rows = {row["name"]: row for row in systems_table()}
    for name in names:
        few, all_of_them = (of["test"]["within_pair"] for of in (found[name], rows[name]))
        assert few["low"] <= all_of_them["value"] <= few["high"]
    assert (
        found["none"]["test"]["within_pair"]["high"]
        < rows["difference"]["test"]["within_pair"]["value"]
    )
    assert found["none"]["test"]["changes_when_reversed"]["value"] == 0
