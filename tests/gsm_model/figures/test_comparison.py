"""The figures of a comparison show its numbers, at the width of the venue."""

import numpy as np
import pytest

from gsm_model.confusion.calibration import reliability
from gsm_model.confusion.clusters import cluster_order
from gsm_model.confusion.embedding import embed, mark_pairs
from gsm_model.confusion.matrix import confusion
from gsm_model.confusion.pairs import mutual_confusion
from gsm_model.confusion.significance import class_groups, compare
from gsm_model.errors import DataError
from gsm_model.exports.confusion import more_figures
from gsm_model.figures import style
from gsm_model.figures.comparison import (
    MOST_GAINS,
    calibration_figure,
    embedding_figure,
    gains_figure,
    matrix_figure,
)
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.presets import PRESETS
from gsm_model.figures.style import figure_bytes, formats_of
from gsm_model.predictions.join import PairedPredictions
from tests.gsm_model.figures.pdf import read_pdf
from tests.predictions import make_predictions, of_classes

PRESET = PRESETS["cvpr-column"]
# Those of the smallest and the largest width and type; all of them stand in test_confusion.py.
EXTREMES = ("cvpr-column", "nature-column", "slide")


def each(presets):
    """``presets``, of which those between the extremes are drawn with ``--thorough``."""
    marks = [[pytest.mark.thorough] * (name not in EXTREMES) for name in presets]
    return [pytest.param(name, marks=mark) for name, mark in zip(presets, marks, strict=True)]


def test_gains_are_sorted_and_filled_where_they_are_sure(two_models):
    rows = compare(two_models, class_groups(two_models))
    figure = gains_figure(rows, PRESET)
    ordered = sorted(rows[1:], key=lambda row: -row.difference)
    points = [container.lines[0] for container in figure.axes[0].containers]
    assert [point.get_xdata()[0] for point in points] == [row.difference for row in ordered]
    assert [point.get_markerfacecolor() != "white" for point in points] == [
        row.p_holm < 0.05 for row in ordered
    ]
    assert figure.get_size_inches()[0] == PRESET.width


def test_of_many_classes_the_largest_gains_and_losses_are_shown():
    from gsm_model.predictions.join import join_predictions

    paired = join_predictions(
        make_predictions("A", n=3000, k=174, seed=1), make_predictions("B", n=3000, k=174, seed=2)
    )
    rows = compare(paired, class_groups(paired))
    shown = [
        container.lines[0].get_xdata()[0]
        for container in gains_figure(rows, PRESET).axes[0].containers
    ]
    every = sorted((row.difference for row in rows[1:]), reverse=True)
    assert shown == every[: MOST_GAINS // 2] + every[-MOST_GAINS // 2 :]


@pytest.mark.parametrize("k", [7, 174])
def test_the_matrix_is_that_of_the_answers_with_alike_classes_together(k):
    models = [make_predictions("A", k=k, n=800), make_predictions("B", k=k, n=800, seed=3)]
    figure = matrix_figure(models, PRESET)
    order = cluster_order(sum(mutual_confusion(model) for model in models))
    for axes, model in zip(figure.axes, models, strict=False):
        drawn = (
            axes.collections if k == 7 else axes.images
        )  # a picture where there are too many cells to draw each
        np.testing.assert_allclose(
            drawn[0].get_array(), confusion(model, "true")[np.ix_(order, order)]
        )
    assert formats_of(figure) == (("pdf", "svg", "png", "pgf") if k == 7 else ("pdf", "svg", "png"))
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ([models[0].labels[index] for index in order] if k == 7 else [])


def test_calibration_shows_each_bins_accuracy_and_the_error():
    one = reliability(make_predictions(n=1000))
    figure = calibration_figure([one], PRESET)
    [container] = figure.axes[0].containers
    np.testing.assert_allclose(container.lines[0].get_xdata(), one.confidence)
    np.testing.assert_allclose(
        container.lines[0].get_ydata(), [share.value for share in one.accuracy]
    )
    assert (
        f"error {100 * one.error:.1f} % (1,000 clips)"
        in figure.axes[0].get_legend().get_texts()[0].get_text()
    )


def test_each_is_a_file_in_every_format_and_gains_need_two_models(two_models):
    models = [two_models.a, two_models.b]
    names = ["gains", "matrix", "calibration", "embedding", "embedding-pairs"]
    files = more_figures(names, models, two_models, [(0, 1)], PRESET, "pca")
    assert set(files) == {
        f"{name}.{kind}" for name in names for kind in ("pdf", "svg", "png", "pgf")
    }
    assert more_figures([], models, two_models, [], PRESET) == {}
    with pytest.raises(DataError, match="is of two models"):
        more_figures(["gains"], models[:1], None, [], PRESET)


@pytest.mark.parametrize("preset", each(["cvpr-column", "cvpr-page", "nature-column", "slide"]))
def test_no_name_leaves_the_figure_at_any_width(preset):
    long = tuple(
        f"Moving {word} away from something with a camera"
        for word in ("one", "two", "three", "four", "five", "six", "seven")
    )
    models = [of_classes(make_predictions(name, seed=seed), long) for seed, name in enumerate("AB")]
    paired = PairedPredictions(*models, 0, 0)
    for figure in (
        matrix_figure(models, PRESETS[preset]),
        gains_figure(compare(paired, class_groups(paired)), PRESETS[preset]),
        pairs_figure(models, [(0, 1), (5, 6)], PRESETS[preset]),
    ):
        figure_bytes(figure, "pdf")
        figure.set_dpi(600)
        figure.draw_without_rendering()
        boxes = [
            label.get_window_extent()
            for axes in figure.axes
            for label in axes.get_yticklabels()
            if label.get_text()
        ]
        assert boxes and min(box.x0 for box in boxes) >= -0.5


@pytest.mark.parametrize("preset", each(PRESETS))
def test_every_pdf_has_its_venues_width_embedded_truetype_fonts_and_text_that_can_be_read(
    preset, two_models, monkeypatch
):
    monkeypatch.setattr(style, "formats_of", lambda figure: ("pdf",))
    models = [two_models.a, two_models.b]
    files = more_figures(
        ["gains", "matrix", "calibration", "embedding"],
        models,
        two_models,
        [(0, 1)],
        PRESETS[preset],
        "pca",
    )
    for name in ("gains", "matrix", "calibration", "embedding"):
        width, fonts, sizes = read_pdf(files[f"{name}.pdf"])
        wanted = (
            min(PRESETS[preset].width, 3.25) if name == "calibration" else PRESETS[preset].width
        )
        assert width == pytest.approx(72 * wanted, abs=0.1), name
        assert fonts and all(kind == "/CIDFontType2" and embedded for kind, embedded in fonts), name
        assert min(sizes) >= 6 and max(sizes) <= PRESETS[preset].font, name


def test_every_marked_clip_is_a_point_of_its_kind(two_models):
    one = embed(two_models.a, "pca")
    marked = mark_pairs(two_models.a, [(0, 3)], one.rows)
    axes = embedding_figure([one], [marked], PRESET).axes[0]
    rest, *kinds = axes.collections
    for kind, points in enumerate(kinds):
        np.testing.assert_allclose(points.get_offsets(), one.points[marked.kinds == kind])
    assert len(rest.get_offsets()) + sum(len(points.get_offsets()) for points in kinds) == 300
    assert [points.get_label() for points in kinds] == ["class 0", "class 3"]


def test_a_dozen_models_are_a_dozen_lines_that_differ():
    models = [reliability(make_predictions(f"model {n}", n=200, seed=n)) for n in range(12)]
    [axes] = calibration_figure(models, PRESETS["cvpr-page"]).axes
    lines = [container.lines[0] for container in axes.containers]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 12
