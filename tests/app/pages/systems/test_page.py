"""The Systems page with a made-up table, with one in which nothing is trained, and without one."""

import json
import math
import zipfile
from io import BytesIO

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from app.pages.systems import charts, detail
from app.pages.systems import page as systems_page
from gsm_model.confusion.system_differences import differences_to_gsm
from gsm_model.evaluation.system_probes import probed, probes_recipe
from gsm_model.evaluation.systems import inputs_table, measured, systems_table
from gsm_model.exports.systems import systems_caption, systems_latex
from gsm_model.figures.systems import systems_figure
from gsm_model.models.inputs import motion_inputs
from gsm_model.models.registry import systems
from tests.systems_table import PAIRS, of_probes, share, write_table

MEASURED = {"none": (0.5, (10, 430)), "tsm": (0.96, (60, 20)), "gsm": (0.92, None)}


def page() -> None:
    from app.pages import systems

    systems.show(None)


def shown(monkeypatch, tmp_path, measured: dict) -> AppTest:
    write_table(tmp_path, measured, ("none", "tsm", "gsm", "r3d"))
    return AppTest.from_function(page, default_timeout=60).run()


@pytest.fixture(autouse=True)
def links(monkeypatch, tmp_path) -> list[tuple[str, str]]:
    """The pages and models that are linked to, of a table in a folder of the test's own."""
    found: list[tuple[str, str]] = []
    monkeypatch.setenv("GATE_SHIFT_LENS_ASSETS", str(tmp_path))
    monkeypatch.setattr(
        detail, "link_to", lambda module, text, query: found.append((module, query["models"]))
    )
    # Looking through every installed package takes most of the time of a first run.
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", list)
    return found


def text_of(test: AppTest) -> str:
    return "\n".join(str(one.value) for one in [*test.markdown, *test.caption])


def test_systems_that_were_not_trained_are_shown_with_their_idea_and_cost(monkeypatch, tmp_path):
    test = shown(monkeypatch, tmp_path, {})
    assert not test.exception and not test.error
    said, table = text_of(test), test.dataframe[0].value
    assert "**25 systems**" in said and "nothing is known of what they tell" in said
    assert list(table["system"]) == [one.title for one in systems().values()]
    assert list(table.columns) == ["system", "training", "parameters, M", "GMAC", "reach"]
    assert set(table["training"]) == {"not trained"}
    assert systems()["gsm"].idea in said and "<svg" in said
    assert "**Not trained** by the common recipe" in said


def test_trained_systems_stand_in_the_table_beside_gsm_and_link_to_their_networks(
    monkeypatch, tmp_path, links
):
    write_table(tmp_path, MEASURED, ("none", "tsm", "gsm", "r3d"))
    path = tmp_path / "systems" / "systems.json"
    content = json.loads(path.read_text())
    for name in ("none", "tsm", "gsm"):
        content["systems"][name]["checkpoint"] = f"{name}-seed0.safetensors"
    path.write_text(json.dumps(content))
    for name in ("none", "tsm"):  # the third's weights did not come with it
        (tmp_path / "systems" / f"{name}-seed0.safetensors").touch()
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception and not test.error
    rows = test.dataframe[0].value.set_index("system")
    assert list(rows.index[:3]) == ["TSM", "GSM", "TSN"]  # best first
    assert rows.loc["TSM", "within pair"] == 96 and rows.loc["TSM", "− GSM"] == 4
    assert rows.loc["TSM", "p"] == "< 0.001" and rows.loc["R3D", "training"] == "not trained"
    said = text_of(test)
    assert "**TSM** is right most often" in said
    assert "1 of 2 are better than GSM and 1 worse" in said
    assert "Its trained weights did not come" in said and not links
    test.selectbox(key="system").select("tsm").run()
    assert links == [
        *((module, "tsm-seed0,none-seed0") for module in ("compare", "order")),
        ("gates", "tsm-seed0"),
        ("gradcam", "tsm-seed0,none-seed0"),
    ]
    assert "Its trained network, on all but Gates beside the TSN trained alike:" in text_of(test)
    links.clear()
    test.selectbox(key="system").select("none").run()
    assert links == [(module, "none-seed0") for module in ("compare", "order", "gradcam")]
    assert "Its trained network:" in text_of(test), "it cannot stand beside itself"
    test.segmented_control(key="systems_split").set_value("shifted").run()
    assert not test.exception and "92.0 %" not in test.markdown[1].value
    assert "shifted drawn clips" in test.markdown[1].value


def test_a_row_that_is_clicked_is_opened(monkeypatch):
    clicked = {"rows": [1]}
    state = {
        "systems_in_table": ("table", ["tsm", "gsm"]),
        "table": type("State", (), {"selection": type("Rows", (), clicked)}),
        "system": "tsm",
    }
    monkeypatch.setattr(systems_page.st, "session_state", state)
    systems_page._choose_row()
    assert state["system"] == "gsm"
    clicked["rows"] = []
    state["table"].selection.rows = []
    systems_page._choose_row()
    assert state["system"] == "gsm"


def test_the_row_that_is_ticked_is_the_system_that_is_shown(monkeypatch, tmp_path):
    test = shown(monkeypatch, tmp_path, MEASURED)

    def ticked() -> str:
        table = f"systems_table_{test.segmented_control(key='systems_split').value}"
        [row] = test.session_state[table]["selection"]["rows"]
        return test.dataframe[0].value["system"].iloc[row]

    assert ticked() == "GSM", "nobody chose yet"
    test.session_state["systems_table_test"] = {"selection": {"rows": [0]}}
    test.selectbox(key="system").select("none").run()
    assert ticked() == "TSN", "whatever was clicked before"
    test.selectbox(key="system").select("tsm").run()
    assert ticked() == "TSM"
    test.segmented_control(key="systems_split").set_value("shifted").run()
    assert ticked() == "TSM", "a table of its own"
    assert not test.exception


def test_a_table_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems" / "systems.json").write_text("{")
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception
    assert "cannot be read" in test.error[0].value


def test_charts_hold_every_measured_system_and_name_those_that_count(tmp_path):
    write_table(tmp_path, MEASURED, ("none", "tsm", "gsm", "r3d"))
    found = measured(systems_table(), "test")
    cost = charts.against_cost(found, "test", "gmacs", "gsm")
    assert [trace.y[0] for trace in cost.data[1:]] == [0.96, 0.92, 0.5]
    # TSN is cheapest and TSM better for more, GSM costs more still and is no better.
    assert list(cost.data[0].x) == [14.5, 15.5]
    assert [row["name"] for row in charts.frontier(found, "test", "gmacs")] == ["none", "tsm"]
    assert {trace.text[0].strip() for trace in cost.data if trace.text} == {"TSM", "GSM", "TSN"}
    assert all(trace.mode == "markers+text" for trace in cost.data[1:])
    low, high = cost.layout.xaxis.range  # in powers of ten
    assert low < math.log10(14.5) < math.log10(16.5) < high
    learnt = charts.curves(found, "tsm")
    assert [trace.name for trace in learnt.data if trace.line.width == 3] == ["TSM"]
    matrix = charts.pairs(found, "test").data[0]
    assert matrix.z.shape == (3, len(PAIRS)) and list(matrix.y) == ["TSM", "GSM", "TSN"]
    assert "Unfolding something: " in matrix.customdata[0][0]


def test_a_name_for_which_there_is_no_room_is_left_to_hovering(tmp_path):
    path = write_table(tmp_path, MEASURED, ("none", "tsm", "gsm"))
    content = json.loads(path.read_text())
    content["systems"]["gsm"]["gmacs"] = content["systems"]["tsm"]["gmacs"]
    content["systems"]["gsm"]["test"] = content["systems"]["tsm"]["test"]
    path.write_text(json.dumps(content))
    cost = charts.against_cost(measured(systems_table(), "test"), "test", "gmacs", "gsm")
    shown = {trace.text[0].strip(): trace.mode for trace in cost.data if trace.text}
    assert shown == {"GSM": "markers+text", "TSM": "markers", "TSN": "markers+text"}
    assert all("%{y" in trace.hovertemplate for trace in cost.data[1:])


def test_further_trainings_of_a_system_stand_beside_its_first(tmp_path):
    path = write_table(tmp_path, MEASURED, ("none", "tsm", "gsm"))
    content = json.loads(path.read_text())
    content["systems"]["gsm"]["seeds"] = {
        seed: {"test": {"within_pair": share(value)}}
        for seed, value in (("0", 0.92), ("1", 0.61), ("2", 0.7))
    }
    content["systems"]["tsm"]["seeds"] = {"0": {"test": {"within_pair": share(0.96)}}}
    path.write_text(json.dumps(content))
    rows = systems_table()
    shown = systems_page.table_of(rows, "test", {})
    assert dict(zip(shown["system"], shown["trainings"], strict=True))["GSM"] == "61.0 to 92.0 (3)"
    assert sum(one is not None for one in shown["trainings"]) == 1
    assert "trainings" not in systems_page.table_of(rows, "shifted", {})
    cost = charts.against_cost(measured(rows, "test"), "test", "gmacs", "gsm")
    assert [list(trace.y) for trace in cost.data[1:]] == [[0.96], [0.92], [0.61, 0.7], [0.5]]
    [axes] = systems_figure([{**row, "pairs": {}} for row in measured(rows, "test")], "test").axes
    assert [0.61, 0.7] in [list(line.get_ydata()) for line in axes.lines]
    test = AppTest.from_function(page, default_timeout=60).run()
    said = [one.value.replace("\u00a0", " ") for one in test.caption]
    assert "Within pair on test clips of its 3 trainings: 92.0 %, 61.0 %, 70.0 %." in said
    [line] = [one for one in systems_latex(rows, "test").splitlines() if one.startswith("GSM")]
    assert line.count(" & ") == 10 and " & 61.0 to 92.0 (3) & " in line


def test_how_long_all_were_trained_is_said_where_it_is_the_same(tmp_path):
    path = write_table(tmp_path, MEASURED, ("none", "tsm", "gsm"))
    content = json.loads(path.read_text())
    for row in content["systems"].values():
        row["seeds"] = {"0": {"steps": 800}}
    path.write_text(json.dumps(content))
    assert "pixels, 800 steps)" in systems_caption(systems_table(), "test")
    content["systems"]["gsm"]["seeds"]["0"]["steps"] = 900
    path.write_text(json.dumps(content))
    assert "frames of 64 × 64 pixels)" in systems_caption(systems_table(), "test")


def test_what_is_taken_away_is_what_the_command_writes(monkeypatch, tmp_path):
    monkeypatch.setattr("gsm_model.exports.systems.figure_bytes", lambda figure, kind: b"drawn")
    write_table(tmp_path, MEASURED, ("none", "tsm", "gsm", "r3d"))
    rows = systems_table()
    assert differences_to_gsm(rows, "test", "top1")["tsm"].n == 1000
    files = systems_page._files(rows, [], "test")
    assert sorted(files) == [
        *("systems.caption.tex", "systems.caption.txt", "systems.pdf"),
        *("systems.recipe.json", "systems.tex"),
    ]
    command = json.loads(files["systems.recipe.json"])["command"]
    assert command.endswith("systems --figure systems.pdf --latex systems.tex --split test")
    assert zipfile.ZipFile(BytesIO(systems_page.packed(files))).testzip() is None


def test_what_systems_tell_of_time_is_shown_where_it_was_measured(tmp_path):
    path = write_table(tmp_path, {}, ("none", "tsm", "gsm", "r3d"))
    content = json.loads(path.read_text())
    for name, value in (("none", 0.5), ("tsm", 0.75)):
        content["systems"][name]["probes"] = of_probes(value)
    content["systems"]["r3d"]["probes"] = {"results": []}  # it diverged
    path.write_text(json.dumps(content))
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception and not test.error
    said = text_of(test)
    assert "2 of them were trained alike on the temporal probes" in said
    assert "**TSM** in 75.0" in said and "**TSN** in 50.0" in said
    assert "ResNet-18 of 0.25 of its channels, 8 frames of 48 × 48 pixels, 500 steps of 16" in said
    content["systems"]["gsm"]["probes"] = of_probes(0.9) | {"steps": 800}
    path.write_text(json.dumps(content))
    said = probes_recipe(probed(systems_table()))
    assert "800 steps" in said and "500 steps" in said, "of another recipe, which is said"
    del content["systems"]["gsm"]["probes"]
    path.write_text(json.dumps(content))
    matrix = charts.probes(probed(systems_table())).data[0]
    assert list(matrix.y) == ["TSM", "TSN"] and matrix.z[0][0] == 0.75
    assert "1 apart: 75.0%" in matrix.customdata[0][1]
    axis = charts.probes(probed(systems_table())).layout.xaxis
    assert axis.tickangle == -90 and matrix.colorbar.orientation == "h", "room on a phone"


def test_what_a_network_can_be_given_stands_below_with_its_idea_and_cost(tmp_path):
    path = write_table(tmp_path, {}, ("none", "gsm"))
    content = json.loads(path.read_text())
    taken = {"ratio": 4.2, "motion": 3.1, "name": "a CPU"}
    flow = {"parameters": 2_000_000, "gmacs": 3.0, "latency_ratio": taken}
    content["inputs"] = {"flow": flow | {"probes": of_probes(0.8)}}
    path.write_text(json.dumps(content))
    test = AppTest.from_function(page, default_timeout=60).run()
    assert not test.exception and not test.error
    table = test.dataframe[1].value
    assert list(table["input"]) == [one.title for one in motion_inputs().values()]
    [row] = [row for _, row in table.iterrows() if row["input"] == "Optical flow (TV-L1)"]
    assert row["direction"] == pytest.approx(80, abs=0.3) and row["time"] == 4.2
    assert row["of it motion"] == 3.1
    assert row["direction, 95 %"] == "74 to 85" and row["parameters, M"] == 2
    assert "speed" not in table and motion_inputs()["dmcnet"].idea in text_of(test)
    [shown] = probed(inputs_table())
    files = systems_page._files(systems_table(), [shown], "test")
    assert {"probes.pdf", "probes.tex", "systems.tex"} <= set(files)
    command = json.loads(files["probes.recipe.json"])["command"]
    assert command.endswith("--latex probes.tex --split probes")
