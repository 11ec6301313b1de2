"""The figures of gates and experiments over a data set show their tables' numbers."""

import numpy as np
import pytest

from gsm_model.evaluation.dataset import drawn_clips
from gsm_model.explain.cam.dataset import cam_scores, score_cams
from gsm_model.explain.gates.dataset import data_gates_table, gates_of_clips
from gsm_model.figures.cam_dataset import cam_scores_figure
from gsm_model.figures.gate_dataset import data_gates_figure
from gsm_model.figures.interventions import interventions_figure


def test_bars_and_points_are_the_tables(drawn_model):
    rows = data_gates_table(gates_of_clips(drawn_model, drawn_clips(drawn_model, "test", 3)))
    figure = data_gates_figure(rows)
    left, middle, right = figure.axes
    single = rows[1:]
    widths = np.array([bar.get_width() for bar in left.patches]).reshape(4, len(single))
    np.testing.assert_allclose(widths.sum(0), 1)
    np.testing.assert_allclose(widths[0], [row["difference"] for row in single])
    variances = np.array([bar.get_width() for bar in middle.patches]).reshape(4, len(single))
    np.testing.assert_allclose(
        variances.sum(0), [row["adaptivity"] ** 2 for row in single], atol=1e-9
    )
    np.testing.assert_allclose(right.lines[0].get_xdata(), [row["arrives"] for row in single])
    assert "3 clips of Reversible Actions, test split" in figure.get_suptitle()
    assert [text.get_text() for text in left.get_yticklabels()][:2] == ["layer1.0 ←", "layer1.0 →"]


def effect(name, share, pair=True):
    row = {"intervention": name, "model": "GSM", "data": "by hand", "n": 10, "n_within_pair": 8}
    row |= {"top1": share / 2, "top1_low": share / 4, "top1_high": share}
    values = (share, share - 0.1, share + 0.1) if pair else (None, None, None)
    return row | dict(
        zip(("within_pair", "within_pair_low", "within_pair_high"), values, strict=True)
    )


def test_clamps_and_layers_stand_at_their_accuracies():
    rows = [effect("none", 0.9), effect("closed", 0.5), effect("open", 0.7)]
    for title, share in (("layer1.0", 0.6), ("layer1.1", 0.8)):
        rows += [
            effect(name.format(title), share)
            for name in (
                "{} alone closed",
                "{} alone working",
                "closed up to {}",
                "closed from {} on",
            )
        ]
    left, right = interventions_figure(rows).axes
    points = [container.lines[0].get_xdata()[0] for container in left.containers]
    assert points == [0.9, 0.5, 0.7] and [text.get_text() for text in left.get_yticklabels()] == [
        "as it is",
        "closed",
        "open",
    ]
    assert len(right.containers) == 4
    for container in right.containers:
        assert list(container.lines[0].get_ydata()) == [0.6, 0.8]
    assert left.get_xlabel() == "within-pair accuracy"


@pytest.mark.parametrize("pair", [True, False])
def test_top1_is_shown_where_classes_have_no_pairs(pair):
    rows = [effect("none", 0.9, pair), effect("closed", 0.5, pair)]
    figure = interventions_figure(rows, figure_of="top1" if pair else None)
    assert [container.lines[0].get_xdata()[0] for container in figure.axes[0].containers] == [
        0.45,
        0.25,
    ]
    assert (
        figure.axes[0].get_xlabel() == "top-1 accuracy"
        and "10 clips of by hand" in figure.get_suptitle()
    )


def test_the_figure_of_maps_has_a_line_a_method_and_what_maps_without_knowledge_reach(
    drawn_model, tmp_path
):
    table = score_cams(
        drawn_model,
        "test",
        4,
        tmp_path / "c.parquet",
        ("gradcam", "layercam"),
        ("layer3.1", "layer4.1"),
    )
    rows = cam_scores(table)
    for axes, key in zip(cam_scores_figure(rows).axes, ("hit", "energy"), strict=True):
        assert len(axes.containers) == 2
        for container, method in zip(axes.containers, ("gradcam", "layercam"), strict=True):
            expected = [
                row[key]
                for row in rows
                if row["target"] == "class" and row["method"] == method and row[key] is not None
            ]
            np.testing.assert_allclose(container.lines[0].get_ydata().astype(float), expected)
        levels = {
            line.get_label(): line.get_ydata()[0]
            for line in axes.lines
            if line.get_label() in ("no knowledge", "centre", "change")
        }
        assert levels == {
            "no knowledge": rows[0]["area"],
            "centre": rows[0][f"centre_{key}"],
            "change": rows[0][f"change_{key}"],
        }
