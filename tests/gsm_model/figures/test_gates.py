"""The figures of gates show the report's numbers."""

import numpy as np
import pytest

from gsm_model.explain.gates.report import report_gates
from gsm_model.exports.gates import seen_frames
from gsm_model.figures.gates import FAINTEST_SHARE, arrows_of, gates_figure, strip_figure
from tests.conftest import make_small
from tests.gsm_model.explain.gates.test_report import one_place


@pytest.mark.parametrize("width", [3.25, 6.875])
def test_the_overview_holds_the_mean_gates_and_the_diagram_an_arrow_for_what_moves(
    video, small_gsm, width
):
    report = report_gates(small_gsm, video)
    figure = gates_figure(report, seen_frames(report, video, small_gsm.input), width)
    assert figure.get_size_inches()[0] == width
    axes = {
        ax.get_title(): ax
        for ax in figure.findobj(
            lambda part: hasattr(part, "get_title") and hasattr(part, "images")
        )
    }
    for way, title in enumerate(("from the next frame", "from the previous frame")):
        shown = axes[title].images[0]
        np.testing.assert_allclose(
            shown.get_array(),
            [layer.gate[:, way].mean((1, 2)) for layer in report.layers],
            atol=1e-6,
        )
        assert (shown.norm.vmin, shown.norm.vmax) == (-1, 1)
    assert (
        len(axes["energy that moves"].patches)
        == sum(len(arrows_of(layer)) for layer in report.layers)
        > 0
    )
    assert [text.get_text() for text in axes["from the next frame"].get_yticklabels()] == [
        layer.title for layer in report.layers
    ]


def test_a_tsn_has_no_arrows_and_a_tsm_one_each_way_between_all_frames(video):
    tsn, tsm = (report_gates(make_small(kind), video) for kind in ("none", "tsm"))
    assert all(arrows_of(layer) == [] for layer in tsn.layers)
    for layer in tsm.layers:
        arrows = arrows_of(layer)
        strong = (layer.arrows() >= FAINTEST_SHARE).sum()
        assert len(arrows) == strong and all(gate == pytest.approx(1) for *_, gate in arrows)


def test_an_arrow_has_the_share_that_arrives_and_the_gate_it_was_sent_with():
    layer = one_place([[0.5, -1], [1, 0]], [[4, 1], [9, 2]], untouched=3)
    assert arrows_of(layer) == [
        (0, 0, pytest.approx(9 / 24), 1.0),
        (1, 1, pytest.approx(1 / 24), -1.0),
    ]


def test_the_strip_lays_a_layers_maps_over_the_frames(video, small_gsm):
    report = report_gates(small_gsm, video)
    seen = seen_frames(report, video, small_gsm.input)
    bare, covered = (strip_figure(report, report.layers[0], seen, opacity) for opacity in (0, 1))
    np.testing.assert_array_equal(bare.axes[4].images[0].get_array(), seen[0])
    assert not np.array_equal(covered.axes[4].images[0].get_array(), seen[0])
    assert bare.axes[0].get_title() == str(report.prediction.frame_indices[0])
