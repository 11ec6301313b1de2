"""Class names in any script: a font that has their characters, or one line that says which have
none; never boxes and never matplotlib's own warnings.
"""

import io
import logging
import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, ft2font
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

from gsm_model.errors import FontError
from gsm_model.figures import fonts
from gsm_model.figures.confusion import pairs_figure
from gsm_model.figures.labels import in_print
from gsm_model.figures.presets import Preset
from gsm_model.figures.style import figure_bytes
from tests.predictions import make_predictions, of_classes

HAN, DEVANAGARI, FACES = "折叠展开打关闭", "खोलनाबद", "😀🏃"
KINDS = ("pdf", "svg", "png", "pgf")


def make_font(path, family, characters):
    """A font of bars, each as high as its character's number says."""
    names = {ord(letter): f"u{ord(letter):X}" for letter in characters}
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    glyphs = {}
    for code, name in [(0, ".notdef"), *names.items()]:
        pen = TTGlyphPen(None)
        pen.moveTo((50, 0))
        for point in ((50, 300 + code % 500), (950, 300 + code % 500), (950, 0)):
            pen.lineTo(point)
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    name = family.replace(" ", "")
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "psName": name})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Three fonts for three scripts, and no others beside matplotlib's own."""
    families = {"Lens Han": HAN, "Lens Devanagari": DEVANAGARI, "Lens Faces": FACES}
    before = list(font_manager.fontManager.ttflist)
    for number, (family, characters) in enumerate(families.items()):
        make_font(tmp_path / f"{number}.ttf", family, characters)
        font_manager.fontManager.addfont(tmp_path / f"{number}.ttf")
    monkeypatch.setattr(fonts, "_families", lambda: ["DejaVu Sans", *families])
    yield families
    font_manager.fontManager.ttflist[:] = before
    font_manager.fontManager._findfont_cached.cache_clear()


@pytest.fixture
def quiet(caplog):
    """Nothing is warned of or logged."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        yield
    assert not caplog.records


def titled(title):
    figure = Figure(figsize=(3, 1), layout="constrained")
    figure.subplots().set_title(title)
    return figure


@pytest.mark.parametrize("kind", KINDS)
def test_a_font_that_has_the_characters_is_taken_in_every_format(installed, quiet, kind):
    names = (f"Folding {HAN[:2]}", "खोलना", "run 🏃", "افتح الباب", "$5, tab\there")
    model = of_classes(make_predictions(n=60, k=5), names)
    figure = pairs_figure([model], [(0, 1), (2, 3), (3, 4)], Preset(3.25, 7, italics=True))
    content = figure_bytes(figure, kind)
    assert content == figure_bytes(figure, kind)
    if kind == "pdf":
        assert b"LensHan" in content and b"LensDevanagari" in content and b"LensFaces" in content
    if kind == "svg":
        assert "Lens Han" in content.decode() and "افتح الباب" in content.decode()
    if kind == "pgf":
        assert "खोलना" in content.decode()


def test_what_is_drawn_is_the_fonts_own_glyph(installed, quiet):
    pictures = [figure_bytes(titled(letter * 9), "png", 50) for letter in HAN[:3]]
    assert len(set(pictures)) == 3, "boxes would be alike"


def test_characters_that_no_font_has_are_named_with_what_to_install(no_fonts, quiet):
    for text, install in (
        ("折叠", "Noto Sans CJK"),
        ("접기", "Noto Sans CJK"),
        ("ドアを", "Noto Sans CJK"),
        ("खोल", "fonts-noto-core"),
        ("🏃", "fonts-symbola"),
    ):
        with pytest.raises(FontError, match=f"{install}.*another font that has them") as told:
            figure_bytes(titled(f"a {text}"), "png")
        assert all(letter in str(told.value) for letter in text)
    with pytest.raises(FontError, match=r"no installed font has 40 of .* …\)"):
        figure_bytes(titled("".join(map(chr, range(0x4E00, 0x4E28)))), "png")


def test_text_that_every_font_has_stays_as_it_is(quiet):
    figure = titled("Öffnen – Łódź ½ Привет Ωμέγα")
    families = figure.axes[0].title.get_fontfamily()
    figure_bytes(figure, "png", 50)
    assert figure.axes[0].title.get_fontfamily() == families


def test_a_font_installed_meanwhile_is_found(tmp_path, monkeypatch, quiet):
    letters = "\U0001f9ff\U0001fa70"
    make_font(tmp_path / "new.ttf", "Lens New", letters)
    before = list(font_manager.fontManager.ttflist)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(tmp_path / "new.ttf")])
    monkeypatch.setattr(
        fonts,
        "_families",
        lambda: [
            family
            for family in ("DejaVu Sans", "Lens New")
            if any(entry.name == family for entry in font_manager.fontManager.ttflist)
        ],
    )
    figure_bytes(titled(letters), "png", 50)
    font_manager.fontManager.ttflist[:] = before
    font_manager.fontManager._findfont_cached.cache_clear()


def test_looking_through_all_installed_fonts_is_silent(quiet, monkeypatch):
    monkeypatch.setattr(fonts, "_look_again", lambda: False)
    families, left = fonts.families_for("\U0001fff0\U0001fff1", FontProperties())
    assert not families and len(left) == 2, "no font has what is no character"


def test_fonts_of_boxes_are_no_fonts():
    assert not any("Last Resort" in family for family in fonts._families())
    assert "DejaVu Sans" in fonts._families()


def test_open_words_are_in_italics_only_where_mathematics_has_the_letters():
    assert "mathit" in in_print("Folding [something]", italics=True)
    assert in_print("折叠 [something]", italics=True) == "折叠 [something]"
    assert in_print("a\tb\u00a0c\x07", italics=False) == "a b c "


def ink(text):
    """The columns of pixels that ``text`` covers."""
    figure = Figure(figsize=(3, 1))
    figure.text(0.5, 0.5, text, fontsize=30, ha="center", va="center")
    picture = Image.open(io.BytesIO(figure_bytes(figure, "png", 72))).convert("L")
    return np.flatnonzero((np.asarray(picture) < 128).any(0))


@pytest.mark.skipif(not hasattr(ft2font, "__libraqm_version__"), reason="matplotlib before 3.11")
def test_arabic_letters_are_joined(quiet):
    assert np.ptp(ink("بببب")) < np.ptp(ink("ب\u200cب\u200cب\u200cب"))
