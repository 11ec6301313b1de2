"""Gates as rows and arrays: every number is the report's own."""

import io

import numpy as np
import pytest

from gsm_model import record_gates
from gsm_model.explain.gates.intervention_tables import intervention_rows
from gsm_model.explain.gates.layers import motion_focus
from gsm_model.explain.gates.report import report_gates
from gsm_model.explain.gates.tables import gate_arrays, gate_rows, layer_figures
from gsm_model.models.card import Card
from gsm_model.predict import Prediction
from tests.conftest import make_small
from tests.gsm_model.explain.gates.test_report import one_place


def test_a_row_for_each_layer_direction_and_frame(video, small_gsm):
    report = report_gates(small_gsm, video, "reversed")
    rows = gate_rows("my clip", report)
    assert len(rows) == 8 * 2 * 4
    row = rows[2 * 4 * 3 + 4 + 1]  # the fourth layer, from the previous frame, second frame
    layer = report.layers[3]
    assert (row["layer"], row["direction"], row["place"]) == (
        layer.name,
        "from the previous frame",
        2,
    )
    assert (
        row["frame"] == report.prediction.frame_indices[1]
        and row["order"] == "reversed"
        and row["clip"] == "my clip"
    )
    assert row["gate_mean"] == pytest.approx(layer.gate[1, 1].mean()) and row[
        "own_weight"
    ] == pytest.approx(1 - layer.gate[1, 1].mean(), abs=1e-6)
    assert row["neighbour_weight"] == pytest.approx(layer.gate[0, 1].mean())
    assert [row["output_own"], row["output_neighbour"]] == layer.shares_by_frame()[
        1, [0, 2]
    ].tolist()
    of_layer = [other for other in rows if other["layer"] == layer.name]
    whole = sum(other["arrives"] + other["lost"] for other in of_layer) + row["layer_stays"]
    assert whole == pytest.approx(1)


def test_the_figures_of_a_layer_add_up():
    figures = layer_figures(one_place([[0.5, -1], [1, 0]], [[4, 1], [9, 2]], untouched=3))
    assert figures["stays"] + figures["from_next"] + figures["from_previous"] + figures[
        "lost"
    ] == pytest.approx(1)
    assert [figures[name] for name in ("difference", "leave", "average", "swap")] == [
        0.25,
        0.25,
        0.25,
        0.25,
    ]
    # Gates ½, 1 and −1, 0: each direction varies by ±¼ or ±½ between its two frames.
    assert (
        figures["variance_frame"] == pytest.approx((0.25**2 + 0.5**2) / 2)
        and figures["variance_place"] == 0
    )
    assert figures["adaptivity"] == pytest.approx(np.sqrt(figures["variance_frame"]))


def test_the_arrays_are_the_recorded_gates_by_layer(video, small_gsm):
    arrays = np.load(io.BytesIO(gate_arrays(report_gates(small_gsm, video))), allow_pickle=False)
    with record_gates(small_gsm) as gates:
        report_gates(small_gsm, video)
    assert list(arrays) == list(gates)
    for name, gate in gates.items():
        assert arrays[name].dtype == np.float32 and arrays[name].shape == (4, 2, *gate.shape[3:])
        np.testing.assert_allclose(arrays[name], gate[0], atol=1e-6)
    tsn = np.load(io.BytesIO(gate_arrays(report_gates(make_small("none"), video))))
    assert all(not tsn[name].any() for name in tsn)


def test_movement_where_the_picture_changes_counts_four_and_elsewhere_nothing():
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    frames[1, :4, :4] = 200  # the top left quarter changes from every frame to the next
    gate = np.zeros((3, 2, 2, 2), np.float32)
    layer = one_place(np.zeros((3, 2)), np.ones((3, 2)))
    energy = np.ones_like(gate)
    for places, expected in (((0, 0), 4.0), ((1, 1), 0.0)):
        moved = gate.copy()
        moved[:, :, places[0], places[1]] = 1
        focused = type(layer)("m", "m", (1, 1), None, moved, energy, np.zeros(3), 0.5)
        assert motion_focus(focused, frames) == pytest.approx(expected)
    everywhere = type(layer)("m", "m", (1, 1), None, np.ones_like(gate), energy, np.zeros(3), 0.5)
    assert motion_focus(everywhere, frames) == pytest.approx(1)
    assert (
        motion_focus(type(layer)("m", "m", (1, 1), None, gate, energy, np.zeros(3), 0.5), frames)
        == 1
    )


def test_experiments_on_a_clip_follow_the_answer_it_has_without_them():
    def prediction(*p):
        logits = np.log(np.array([p], np.float32))
        return Prediction(
            Card("GSM", "trained", ("Folding something", "Unfolding something", "x")),
            "forward",
            np.array([3]),
            logits,
            0.1,
        )

    rows = intervention_rows(
        "c", prediction(0.2, 0.7, 0.1), ["closed"], [prediction(0.5, 0.4, 0.1)]
    )
    assert [row["intervention"] for row in rows] == ["none", "closed"]
    assert (rows[1]["answer"], rows[1]["reversal"], rows[1]["likeliest"]) == (
        "Unfolding something",
        "Folding something",
        "Folding something",
    )
    assert (
        rows[1]["probability"],
        rows[1]["reversal_probability"],
        rows[1]["moved"],
    ) == pytest.approx((0.4, 0.5, 0.3), rel=1e-6)
    assert rows[0]["moved"] == 0
    unpaired = intervention_rows("c", prediction(0.1, 0.2, 0.7), [], [])
    assert unpaired[0]["reversal"] is None and unpaired[0]["reversal_probability"] is None
