"""The figure of pairs: its numbers, its size, its names."""

from dataclasses import replace

import numpy as np
import pytest

from gsm_model.confusion.pairs import view_pair
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.labels import in_print, shortened, wrapped
from gsm_model.figures.presets import PRESETS
from gsm_model.figures.style import figure_bytes
from tests.gsm_model.figures.pdf import read_pdf
from tests.predictions import make_predictions, of_classes


@pytest.mark.parametrize("preset", PRESETS)
def test_each_cell_is_the_share_of_its_true_class_and_the_figure_as_wide_as_its_venue_prints(
    preset,
):
    models = [make_predictions("A", skill=1.0), make_predictions("B", skill=2.0, seed=3)]
    figure = pairs_figure(models, [(0, 3), (2, 5)], PRESETS[preset])
    for axes, (model, pair) in zip(
        figure.axes, [(m, p) for p in ((0, 3), (2, 5)) for m in models], strict=True
    ):
        counts = view_pair(model, pair).counts
        expected = counts / counts.sum(1, keepdims=True)
        np.testing.assert_allclose(axes.collections[0].get_array(), expected)
        assert [text.get_text() for text in axes.texts] == [
            f"{100 * share:.0f}" for share in expected.ravel()
        ]
        dark = [text.get_color() == "#FFFFFF" for text in axes.texts]
        assert dark == (expected.ravel() > 0.5).tolist(), (
            "numbers are light on dark and dark on light"
        )
    width, fonts, sizes = read_pdf(figure_bytes(figure, "pdf"))
    assert width == pytest.approx(72 * PRESETS[preset].width, abs=0.1)
    assert sizes == {PRESETS[preset].font, PRESETS[preset].small} and min(sizes) >= 6
    assert fonts and all(kind == "/CIDFontType2" and embedded for kind, embedded in fonts)


def test_class_names_are_shown_letter_by_letter_also_where_they_look_like_mathematics():
    models = [
        of_classes(make_predictions(), ("costs $5 or $6", "b_1^2", *(f"{n}" for n in range(5))))
    ]
    axes = pairs_figure(models, [(0, 1)]).axes[0]
    figure = axes.figure
    assert b">costs $5 or $6</text>" in figure_bytes(figure, "svg").replace(b"&#36;", b"$")
    assert rb"costs \$5 or \$6" in figure_bytes(
        figure, "pgf"
    ) and rb"b\_1\textasciicircum{}2" in figure_bytes(figure, "pgf")


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Unfolding something", r"Unfolding $\mathit{something}$"),
        (
            "Putting [something similar] on [a $ bill]",
            r"Putting $\mathit{something\ similar}$ on $\mathit{a\ \$\ bill}$",
        ),
        ("Somersault", "Somersault"),
    ],
)
def test_what_a_name_leaves_open_can_be_in_italics(label, shown):
    assert in_print(label, italics=True) == shown
    assert in_print(label) == label.replace("$", r"\$")


def test_pgf_sets_italics_as_text():
    models = [
        of_classes(
            make_predictions(),
            ("Folding [some_thing else]", "Unfolding something", *(f"{n}" for n in range(5))),
        )
    ]
    content = figure_bytes(
        pairs_figure(models, [(0, 1)], replace(PRESETS["cvpr-page"], italics=True)), "pgf"
    ).decode()
    assert (
        r"Folding \textit{some\_thing else}" in content
        and r"Unfolding \textit{something}" in content
    )
    assert "mathit" not in content


def test_a_class_without_clips_has_no_numbers():
    figure = pairs_figure([make_predictions(truth=[0, 0, 1])], [(0, 6)])
    assert [text.get_text() for text in figure.axes[0].texts][3:] == ["–"] * 3


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="needs pairs and models"):
        pairs_figure([make_predictions()], [])


def test_names_are_shortened_in_the_middle_and_stay_distinct():
    names = [
        "Moving something away from something",
        "Moving something towards something",
        "Holding something",
    ]
    assert shortened(names, 24) == [
        "Moving … from something",
        "Moving … something",
        "Holding something",
    ]
    assert shortened(["Somersaulting", "Somersaulted"], 9) == ["Some…ting", "Some…lted"]
    for length in (8, 12, 17, 30, 60):
        found = shortened(names, length)
        assert len(set(found)) == 3
    assert shortened(names, 60) == names


def test_names_wrap_between_words():
    assert (
        wrapped("Putting something in front of something", 20)
        == "Putting something in\nfront of something"
    )
    assert wrapped("", 10) == ""
