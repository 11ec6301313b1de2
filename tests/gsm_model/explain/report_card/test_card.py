"""The report card: its figures counted by hand, its orders those of the network, a TSN that cannot
know the order.
"""

import numpy as np
import pytest
import torch

from gsm_model.data.synthetic.actions import LABELS
from gsm_model.evaluation.dataset import batches, drawn_clips
from gsm_model.explain.gates.intervention_dataset import InterventionOrigin, InterventionTable
from gsm_model.explain.gates.interventions import intervene
from gsm_model.explain.report_card.card import card_of, card_plan, card_rows, run_card
from gsm_model.exports.provenance import Recipe
from gsm_model.exports.report_card import card_files
from gsm_model.figures.report_card import card_figure
from gsm_model.models.card import Card
from gsm_model.predictions.table import Provenance
from tests.conftest import make_small

NAMES = ("none", "reversed", "frozen", "shuffled 1", "shuffled 2", "frame 1", "frame 2")


def by_hand():
    labels = ("Folding something", "Unfolding something", "a")
    origin = InterventionOrigin(
        Provenance(labels, "GSM", "sha", "five clips", "d", "forward", "1x1"),
        (*NAMES, "closed from layer1 on"),
    )
    answers = np.array(
        [
            [0, 1, 0, 0, 1, 0, 1, 0],
            [1, 0, 0, 0, 0, 1, 0, 0],
            [0, 2, 0, 0, 1, 0, 0, 0],
            [2, 2, 2, 2, 2, 2, 2, 2],
            [2, 0, 2, 2, 2, 2, 2, 2],
            [-1] * 8,
        ]
    )
    margins = np.full((6, 8), np.nan, np.float32)
    margins[:3] = [[2, -1, 0, 0, 0, 0, 0, 1], [1, -2, 0, 0, 0, 0, 0, -1], [-1, 1, 0, 0, 0, 0, 0, 1]]
    margins[4] = [1, 1, 0, 0, 0, 0, 0, -1]
    return InterventionTable(
        origin, tuple("abcdef"), np.array([0, 1, 1, 2, 1, 0]), answers, margins, ("",) * 5 + ("x",)
    )


def test_every_figure_is_the_count_by_hand():
    card = card_of(by_hand())
    values = {one.metric: (one.value, one.n) for one in card.measures}
    assert values == {
        "forward": (3 / 5, 5),
        "reversed": (1 / 5, 5),
        "shuffled": (pytest.approx((0.5 + 0 + 0.5 + 1 + 0) / 5), 5),
        "best shuffle": (3 / 5, 5),
        "frozen": (2 / 5, 5),
        "best single frame": (3 / 5, 5),
        "within pair": (3 / 4, 4),
        "reversed to reversed class": (3 / 4, 4),
        "errors to reversed class": (1 / 2, 2),
    }
    assert (card.n, card.failed, card.shuffles) == (5, 1, 2)
    every, pair = card.pairs
    assert every.group == "all pairs" and pair.group == "Folding something / Unfolding something"
    assert (pair.forward.value, pair.reversed.value, pair.both.value) == (3 / 4, 2 / 4, 2 / 4)
    [(layer, top1, within)] = card.cut
    assert (layer, top1.value, within.value) == ("layer1", 2 / 5, 2 / 4)
    assert [one.name for one in card.classes] == list(by_hand().origin.data.labels)
    assert not card.need_time and len(card.no_need_shown) == 3


def test_the_names_of_the_models_cover_nothing_on_the_page():
    figure = card_figure([card_of(by_hand())] * 4)
    figure.draw_without_rendering()
    [legend], [heading, _] = figure.legends, figure.texts
    names = legend.get_window_extent()
    assert len(legend.get_texts()) == 4
    assert names.y1 <= heading.get_window_extent().y0
    assert names.y0 >= max(axes.get_tightbbox().y1 for axes in figure.axes)


def test_a_class_that_only_the_order_tells_needs_it_after_holm():
    table = by_hand()
    n = 20
    answers = np.tile(table.answers[1], (2 * n, 1))
    answers[n:] = table.answers[3]
    labels = np.repeat([1, 2], n)
    many = InterventionTable(
        table.origin,
        tuple(map(str, range(2 * n))),
        labels,
        answers,
        np.ones((2 * n, 8), np.float32),
        ("",) * 2 * n,
    )
    card = card_of(many)
    assert card.need_time == ("Unfolding something",) and card.no_need_shown == ("a",)
    test = card.classes[0]
    assert test.p == pytest.approx(2 * 0.5**n) and test.p_holm == pytest.approx(4 * 0.5**n)


def test_the_orders_and_cuts_are_the_networks_own_and_a_page_is_made(drawn_model, tmp_path):
    clips = drawn_clips(drawn_model, "test", 4)
    card = run_card(drawn_model, clips, tmp_path / "card.parquet", 3)
    from gsm_model.explain.gates.intervention_dataset import read_interventions

    table = read_interventions(tmp_path / "card.parquet")
    [batch] = batches(drawn_model, clips, 0, 4)
    plan = card_plan(drawn_model, 3)
    with torch.inference_mode():
        flipped = drawn_model(batch.clips.flip(1)).argmax(1)
        still = drawn_model(batch.clips[:, [2, 2, 2, 2]]).argmax(1)
        with intervene(drawn_model, plan["closed from layer3.0 on"]):
            closed = drawn_model(batch.clips).argmax(1)
    columns = dict(zip(table.origin.interventions, table.answers.T, strict=True))
    for name, expected in (("reversed", flipped), ("frozen", still), ("frame 3", still)):
        assert columns[name].tolist() == expected.tolist()
    assert columns["closed from layer3.0 on"].tolist() == closed.tolist()
    assert next(layer for layer, _, _ in card.cut) == "layer1.0" and len(card.cut) == 8
    tsn = make_small("none", num_classes=len(LABELS))
    tsn.card = Card("TSN", "trained", LABELS)
    other = run_card(tsn, drawn_clips(tsn, "test", 4), tmp_path / "tsn.parquet", 3)
    assert other.measure("forward").value == other.measure("shuffled").value and not other.cut
    assert other.pairs[0].both.value == 0 and not other.need_time
    files = card_files("card", [card, other], Recipe(("report-card",), ()))
    assert files["card.pdf"].startswith(b"%PDF") and files["card.pdf"].count(b"/Type /Page\n") <= 1
    assert len(card_rows(card)) == files["card.csv"].decode().count("Small")
