"""A model has one colour in all figures, and two tables never share one."""

from itertools import permutations

import numpy as np
import pytest

from gsm_model.bundled import bundled_checkpoints, prediction_files
from gsm_model.confusion.embedding import Embedding, Marked
from gsm_model.figures import model_colors
from gsm_model.figures.model_colors import (
    MODEL_COLORS,
    KnownModel,
    bundled_models,
    color_beside,
    table_colors,
)
from gsm_model.predictions.read import read_predictions
from gsm_model.predictions.table import Predictions, Provenance

HASHES = [character * 64 for character in "0123456789abcdef"]
KNOWN = [KnownModel(HASHES[n], (f"m{n}", f"Model {n} ResNet-18")) for n in range(4)]


def table(model="", checkpoint="", order="forward", sha256=""):
    origin = Provenance(("a", "b"), model, checkpoint, "data", "", order, "1 view")
    nothing = np.zeros(0, np.int64)
    return Predictions(origin, (), nothing, None, (), nothing, sha256=sha256)


def test_a_table_has_the_colour_of_its_model_by_checkpoint_or_by_name():
    assert table_colors([table("x", HASHES[2])], KNOWN) == (MODEL_COLORS[2],)
    assert table_colors([table("model-1 resnet18")], KNOWN) == (MODEL_COLORS[1],)
    assert table_colors([table("M3"), table("m0")], KNOWN) == (MODEL_COLORS[3], MODEL_COLORS[0])


def test_another_checkpoint_of_the_same_name_is_another_model():
    [color] = table_colors([table("m1", HASHES[9])], KNOWN)
    assert color not in MODEL_COLORS[:4]


@pytest.mark.parametrize("count", [0, 1, 4, 12, 15])
def test_no_two_tables_share_a_colour_and_it_does_not_depend_on_their_places(count):
    known = [KnownModel(HASHES[n], (f"m{n}",)) for n in range(count)]
    tables = [
        table("m0"),
        table("m0", HASHES[0], "reversed"),
        table("x", sha256="1"),
        table("x", sha256="2"),
    ]
    expected = dict(zip("abcd", table_colors(tables, known), strict=True))
    assert len(set(expected.values())) == 4
    own = set(expected.values()) - {MODEL_COLORS[0]}
    assert count > 9 or not own & set(MODEL_COLORS[:count])
    for places in permutations(range(2, 4)):  # of one model, the first has its colour
        order = [0, 1, *places]
        colors = table_colors([tables[place] for place in order], known)
        assert colors == tuple(expected["abcd"[place]] for place in order)


def test_a_colour_of_an_unknown_table_stays_until_a_model_that_is_loaded_takes_it():
    alone = table_colors([table("mine")], KNOWN)
    for count in range(12):
        known = [KnownModel(HASHES[n], (f"m{n}",)) for n in range(count)]
        if alone[0] not in MODEL_COLORS[:count]:
            assert table_colors([table("mine")], known) == alone or count < 4
    assert table_colors([table("m0"), table("mine")], KNOWN)[1] == alone[0]
    assert table_colors([table("mine"), table("m0")], KNOWN)[0] == alone[0]


def test_the_bundled_tables_have_the_bundled_models_colours():
    for number, name in enumerate(bundled_checkpoints()):
        tables = [read_predictions(p) for p in prediction_files() if p.name.startswith(name)][:1]
        assert table_colors(tables, bundled_models()) == (MODEL_COLORS[number],)


def test_what_belongs_to_neither_model_has_a_third_colour():
    for pair in permutations(MODEL_COLORS, 2):
        assert color_beside(pair) not in pair


def test_figures_are_drawn_in_the_colours_given():
    from matplotlib.colors import to_hex

    from gsm_model.confusion.significance import Comparison
    from gsm_model.figures.comparison import embedding_figure, gains_figure
    from gsm_model.figures.presets import PRESETS

    preset, colors = PRESETS["cvpr-column"], ("#112233", "#445566", "#778899")
    blank = dict.fromkeys(Comparison.__dataclass_fields__, 0)
    rows = [
        Comparison(**{**blank, "name": name, "difference": d, "low": d, "high": d, "p_holm": 0.01})
        for name, d in (("all", 0), ("a", -0.5), ("b", 0.5))
    ]
    axes = gains_figure(rows, preset, colors[:2]).axes[0]
    drawn = {line.get_xdata()[0]: to_hex(line.get_color()) for line in axes.lines[:-1]}
    assert drawn[0.5] == colors[1] and drawn[-0.5] == colors[0]
    one = Embedding("m", np.arange(2), np.eye(2), "")
    marked = Marked(("only A", "only B"), np.array([0, 1]))
    points = embedding_figure([one], [marked], preset, colors).axes[0].collections
    assert [to_hex(kind.get_facecolor()[0]) for kind in points if len(kind.get_offsets())] == [
        *colors[:2]
    ]
    assert model_colors.model_color(12) == MODEL_COLORS[0]
