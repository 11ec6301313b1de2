"""Files of figures: what print wants of them, and the same bytes each time."""

import io
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gsm_model.figures.style import (
    GATE_STOPS,
    PRINT_DPI,
    figure_bytes,
    formats_of,
    gate_colors,
    save_figure,
    series_style,
)


@pytest.fixture
def figure():
    figure = Figure(figsize=(3.25, 1))
    figure.subplots().set_title("Unfolding something")
    return figure


@pytest.mark.parametrize("kind", ["pdf", "svg", "png", "pgf"])
def test_the_same_figure_gives_the_same_bytes(figure, kind):
    assert figure_bytes(figure, kind) == figure_bytes(figure, kind)


def test_a_picture_is_drawn_as_fine_as_print_wants_it_unless_told_otherwise(figure, monkeypatch):
    monkeypatch.setattr("gsm_model.figures.style.PRINT_DPI", PRINT_DPI)
    assert Image.open(io.BytesIO(figure_bytes(figure, "png"))).size == (1950, 600)
    assert Image.open(io.BytesIO(figure_bytes(figure, "png", 100))).size == (325, 100)


def test_a_pdf_has_its_fonts_embedded_as_truetype_and_its_width_in_points(figure):
    content = figure_bytes(figure, "pdf")
    assert b"/CIDFontType2" in content and b"/Type3" not in content and b"/FontFile2" in content
    assert re.search(rb"/MediaBox \[ 0 0 234(\.0*)? ", content), "3.25 inches are 234 points"
    assert b"CreationDate" not in content


def test_an_svg_keeps_its_text_as_text(figure):
    assert b">Unfolding something</text>" in figure_bytes(figure, "svg")


def test_a_pgf_picture_has_the_figures_size_and_no_pictures_in_it(figure):
    content = figure_bytes(figure, "pgf").decode()
    assert r"\pgfqpoint{3.250000in}{1.000000in}" in content and "Unfolding something" in content
    assert content.count(r"\begin{pgfscope}") == content.count(r"\end{pgfscope}") > 0
    assert formats_of(figure) == ("pdf", "svg", "png", "pgf")
    figure.axes[0].imshow(np.zeros((2, 2)))
    assert formats_of(figure) == ("pdf", "svg", "png")
    with pytest.raises(ValueError, match="take PDF"):
        figure_bytes(figure, "pgf")


def test_a_file_is_of_the_kind_of_its_ending_and_others_are_refused(figure, tmp_path):
    save_figure(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(ValueError, match="no figure as 'bmp'"):
        save_figure(figure, tmp_path / "a.bmp")


def test_the_scale_of_gates_is_neutral_in_the_middle_and_as_dark_at_both_ends():
    colors = gate_colors()(np.array([0.0, 0.25, 0.5, 0.75, 1.0]))[:, :3]
    assert np.ptp(colors[2]) < 0.01
    luminance = colors @ [0.2126, 0.7152, 0.0722]
    assert luminance[2] > luminance[1] > luminance[0] and luminance[2] > luminance[3] > luminance[4]
    # Told apart without red and green: blue against the rest.
    assert colors[0, 2] - colors[0, 0] > 0.5 and colors[4, 0] - colors[4, 2] > 0.5
    assert len(GATE_STOPS) == 5


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_no_label_is_cut_off_at_the_edge(kind):
    figure = Figure(figsize=(3.25, 1.5), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(
        [0, 1],
        ["Removing something, revealing something behind", "Moving something away"],
        fontsize=6,
    )
    figure_bytes(figure, kind)
    figure.set_dpi(1200)  # as near to the size in print as text is measured
    figure.draw_without_rendering()
    left = min(label.get_window_extent().x0 for label in axes.get_yticklabels())
    assert left >= 0.5, "the longest name begins inside the figure"


def test_two_dozen_series_differ_in_colour_and_marker_and_in_colour_and_dash():
    styles = [series_style(number) for number in range(24)]
    assert len({(style.color, style.marker) for style in styles}) == 24
    assert len({(style.color, style.dash) for style in styles}) == 24
    assert [style.color for style in styles[:6]] == [style.color for style in styles[6:12]]
    # Okabe and Ito's, whose lightness differs too.
    assert [style.color for style in styles[:2]] == ["#0072B2", "#E69F00"]
