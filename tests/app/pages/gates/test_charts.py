"""The Gates page's charts hold the reports' numbers."""

import numpy as np
import pytest

from app.pages.gates.charts import (
    TEXT_WIDTH,
    _share_texts,
    adaptivity,
    by_channel,
    clip_weights,
    experiments,
    regimes,
)
from gsm_model.explain.gates.layers import REGIMES, regime_shares
from gsm_model.explain.gates.report import report_gates
from gsm_model.explain.gates.tables import layer_figures
from tests.conftest import make_small


@pytest.fixture
def report(video):
    return report_gates(make_small("gsm"), video)


def test_the_histogram_of_each_direction_is_whole_and_split_at_the_edges(report):
    layer, edges = report.layers[0], (-0.3, 0.2, 0.6)
    figure = regimes(["GSM"], [layer], edges)
    for way, axis in enumerate(("y", "y2")):
        [bars] = [
            trace for trace in figure.data if trace.yaxis == axis and trace.customdata is not None
        ]
        assert sum(bars.y) == pytest.approx(1)
        shares = regime_shares(layer.gate[:, way], edges)
        for middle, name in zip(bars.x, bars.customdata, strict=True):
            number = sum(middle > edge for edge in edges)
            assert name == f"{REGIMES[number]}, {shares[number]:.0%} of all"
        notes = [
            note
            for note in figure.layout.annotations
            if note.hovertext and note.yref == f"{axis} domain"
        ]
        assert {note.hovertext: note.text for note in notes} == {
            name: f"{share:.0%}"
            for name, share in zip(REGIMES, shares, strict=True)
            if share >= 0.005
        }
    assert sorted({line.x0 for line in figure.layout.shapes}) == list(edges)
    assert [trace.name for trace in figure.data if trace.showlegend is None] == list(REGIMES)


def test_the_variance_of_every_layer_is_split_between_frames_and_places(report):
    titles = [layer.title for layer in report.layers]
    figure = adaptivity(["GSM"], [report.layers], titles)
    frames, places = figure.data
    np.testing.assert_allclose(
        frames.x, [layer_figures(layer)["variance_frame"] for layer in report.layers]
    )
    np.testing.assert_allclose(
        np.add(frames.x, places.x),
        [layer_figures(layer)["adaptivity"] ** 2 for layer in report.layers],
    )


def test_shares_of_narrow_regimes_stand_beside_each_other_from_the_right():
    texts = _share_texts([0.2, 0.3, 0.4, 0.1], (0.9, 0.94, 0.98))
    places = [text["x"] for text in texts]
    assert [text["hovertext"] for text in texts] == list(reversed(REGIMES)) and places[
        0
    ] == pytest.approx(0.99)
    assert np.all(np.diff(places) <= -TEXT_WIDTH + 1e-9) and min(places) > -1


def test_a_model_whose_gates_never_vary_is_said_to_be_a_fixed_shift(report, video):
    fixed = report_gates(make_small("tsm"), video)
    titles = [layer.title for layer in fixed.layers]
    notes = adaptivity(["TSM"], [fixed.layers], titles).layout.annotations
    assert [note.text for note in notes] == ["TSM", "0: a fixed shift"]


def test_experiments_show_the_answer_and_its_reversal_where_it_has_one():
    row = {
        "model": "GSM",
        "answer": "a",
        "reversal": "b",
        "intervention": "none",
        "probability": 0.9,
        "reversal_probability": 0.1,
    }
    both = experiments(
        [row, {**row, "intervention": "closed", "probability": 0.4, "reversal_probability": 0.5}],
        "#0072B2",
    )
    assert [list(trace.x) for trace in both.data] == [[0.9, 0.4], [0.1, 0.5]] and list(
        both.data[0].y
    ) == ["none", "closed"]
    alone = experiments([{**row, "reversal": None, "reversal_probability": None}], "#0072B2")
    assert len(alone.data) == 1


def test_fusion_weights_stand_by_frame_and_channel_a_panel_a_direction(video):
    [fusion] = report_gates(make_small("gsf"), video).readings
    values = fusion.values[2]
    figure = by_channel("GSF", fusion.reading, values)
    for kind, trace in enumerate(figure.data):
        np.testing.assert_array_equal(np.array(trace.z), values[:, kind])
    assert [note.text for note in figure.layout.annotations] == list(fusion.reading.labels)


def test_weights_of_a_clip_stand_by_layer_and_plane(video):
    [views] = report_gates(make_small("cost_b"), video).readings
    [trace] = clip_weights("CoST(b)", views, "#0072B2").data
    assert list(trace.y) == list(views.layers) and list(trace.x) == ["HW", "TW", "TH"]
    np.testing.assert_allclose(np.array(trace.z).sum(1), 1, atol=1e-6)


def test_gates_of_a_whole_clip_are_one_row_of_channels(video):
    found = report_gates(make_small("s3dg"), video)
    [gates] = found.readings
    title = gates.layers[0]
    figure = by_channel("S3D-G", gates.reading, gates.of_layer(title))
    [row] = figure.data
    assert list(row.y) == ["clip"] and row.z.shape == (1, 8)
    np.testing.assert_array_equal(row.z[0], gates.values[0])
    assert ((row.z > 0) & (row.z < 1)).all()
